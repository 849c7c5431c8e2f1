//! The minimum cost of a signature: the same POST over one open connection, by hyper and rustls
//! alone.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, Response,
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::service::{Key, Service};

/// One connection.
enum Connection {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

/// A connection and the request to send over it.
pub(crate) struct Client {
    connection: Connection,
    url: String,
    authorization: String,
    body: Bytes,
}

impl Client {
    pub(crate) async fn connect(service: &Service, key: Key) -> Result<Self> {
        let address = service.endpoint().strip_prefix("https://").context("an https URL")?;
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let host = address.split(':').next().context("a host")?.to_owned();
        let name = ServerName::try_from(host)?;
        let stream = TlsConnector::from(Arc::new(tls(service)?)).connect(name, stream).await?;
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let connection = if http2 {
            let (sender, task) =
                http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
            tokio::spawn(task);
            Connection::Http2(sender)
        } else {
            let (sender, task) = http1::handshake(TokioIo::new(stream)).await?;
            tokio::spawn(task);
            Connection::Http1(sender)
        };
        let algorithm = match key {
            Key::Rsa2048 => "RS256",
            Key::EcP256 => "ES256",
        };
        let digest = URL_SAFE_NO_PAD.encode([7; 32]);
        let path = service.sign_path(key)?;
        let url = if http2 { format!("https://{address}{path}") } else { path };
        Ok(Self {
            connection,
            url,
            authorization: format!("Bearer {}", service.token()),
            body: format!(r#"{{"alg":"{algorithm}","value":"{digest}"}}"#).into(),
        })
    }

    pub(crate) async fn sign(&mut self) -> Result<()> {
        let request = Request::post(&self.url)
            .header("host", "bench")
            .header("authorization", &self.authorization)
            .header("content-type", "application/json")
            .body(Full::new(self.body.clone()))?;
        let response: Response<Incoming> = match &mut self.connection {
            Connection::Http1(sender) => sender.send_request(request).await?,
            Connection::Http2(sender) => sender.send_request(request).await?,
        };
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        ensure!(status.is_success() && !body.is_empty(), "{status}");
        Ok(())
    }
}

fn tls(service: &Service) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(service.ca().as_bytes())?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
