//! An HTTPS server outside of the machine that requires a client certificate, for hosts that are
//! clients.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    thread::{self, JoinHandle},
};

use anyhow::{Context as _, Result};
use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
};

use crate::authority::Authority;

/// Its name and port, as in the recipes.
const NAME: &str = "api.example.org";
const PORT: u16 = 8443;

/// The server, which serves a number of clients and ends.
pub(crate) struct Peer(JoinHandle<Result<()>>);

impl Peer {
    /// Serves one client with each of these versions of TLS, in this order.
    pub(crate) fn start(
        authority: &Authority,
        versions: Vec<&'static SupportedProtocolVersion>,
    ) -> Result<Self> {
        let configs: Vec<_> = versions
            .into_iter()
            .map(|version| config(authority, version))
            .collect::<Result<_>>()?;
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)))?;
        Ok(Self(thread::spawn(move || {
            for config in configs {
                let (stream, _) = listener.accept()?;
                serve(stream, config)?;
            }
            Ok(())
        })))
    }

    /// Waits until all clients were served: each with a verified certificate.
    pub(crate) fn finish(self) -> Result<()> {
        self.0.join().expect("no panic").context("the server refused a client")
    }
}

fn serve(stream: TcpStream, config: Arc<ServerConfig>) -> Result<()> {
    let mut stream = StreamOwned::new(ServerConnection::new(config)?, stream);
    let mut line = String::new();
    let mut reader = BufReader::new(&mut stream);
    while line != "\r\n" {
        line.clear();
        anyhow::ensure!(reader.read_line(&mut line)? > 0, "it left without a request");
    }
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n";
    stream.write_all(answer)?;
    stream.conn.send_close_notify();
    stream.flush()?;
    Ok(())
}

fn config(
    authority: &Authority,
    version: &'static SupportedProtocolVersion,
) -> Result<Arc<ServerConfig>> {
    let folder = authority.folder();
    authority.openssl().ok(&format!(
        "req -new -newkey rsa:2048 -noenc -keyout peer.key -subj /CN={NAME} \
         -addext subjectAltName=DNS:{NAME} -out peer.csr"
    ))?;
    let (certificate, _) = authority.issue(&folder.join("peer.csr"))?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.certificate()?.as_bytes())?)?;
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let builder =
        ServerConfig::builder_with_provider(provider).with_protocol_versions(&[version])?;
    let config = builder.with_client_cert_verifier(verifier.build()?).with_single_cert(
        vec![CertificateDer::from_pem_slice(certificate.as_bytes())?],
        PrivateKeyDer::from_pem_file(folder.join("peer.key"))?,
    )?;
    Ok(Arc::new(config))
}
