//! An HTTPS server that has no private key: the vault signs every handshake. One client connects,
//! and the server ends.

#![allow(clippy::print_stdout, reason = "it is an example's purpose")]

#[path = "support/certificate.rs"]
mod certificate;
mod support;

use std::{convert::Infallible, sync::Arc};

use akv_core::{Curve, NewKey, blocking::Key, tls::SigningKey};
use certificate::self_signed;
use http_body_util::Full;
use hyper::{Response, body::Bytes, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore, ServerConfig, crypto::aws_lc_rs, sign::SingleCertAndKey,
};
use rustls_pki_types::CertificateDer;
use support::{Embedded, Result};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

pub(crate) fn main() -> Result<()> {
    let embedded = Embedded::start()?;
    let client = &embedded.client;
    let vault = client.vault(&client.reference("vault:myVault:")?)?;
    let key = vault.create("web", NewKey::ec(Curve::P256))?;
    let certificate = self_signed(&key)?;
    let page = runtime()?.block_on(serve_once(&key, certificate))?;
    println!("the client read: {page}");
    Ok(())
}

/// `SigningKey::for_tokio` needs a runtime with several threads.
fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

/// Serves one connection and returns what its client read.
async fn serve_once(key: &Key, certificate: CertificateDer<'static>) -> Result<String> {
    // While the vault signs, other connections go on.
    let certified = SigningKey::new(key)?.for_tokio().certified(vec![certificate.clone()])?;
    let config = ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("https://localhost:{}/", listener.local_addr()?.port());
    let reading = tokio::spawn(read(url, certificate));

    let (stream, _) = listener.accept().await?;
    let stream = acceptor.accept(stream).await?;
    let service = service_fn(async |_| {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("hello, signed in the vault"))))
    });
    http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service).await?;
    reading.await?
}

/// A client that trusts the certificate and nothing else.
async fn read(url: String, certificate: CertificateDer<'static>) -> Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate)?;
    let config = ClientConfig::builder_with_provider(aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = reqwest::Client::builder().tls_backend_preconfigured(config).no_proxy().build()?;
    Ok(client.get(url).send().await?.error_for_status()?.text().await?)
}
