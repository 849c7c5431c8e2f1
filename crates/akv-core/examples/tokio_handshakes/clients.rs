//! The clients, on a runtime of their own.

use std::{net::SocketAddr, sync::Arc};

use rustls::{ClientConfig, RootCertStore, client::Resumption, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::{
    io::AsyncReadExt as _,
    net::TcpStream,
    runtime::{Builder, Runtime},
};
use tokio_rustls::TlsConnector;

use super::support::Result;

/// Connections, each of which is replaced by another when it is closed. They end when this is
/// dropped.
pub(crate) struct Clients {
    _runtime: Runtime,
}

impl Clients {
    pub(crate) fn start(
        count: usize,
        address: SocketAddr,
        chain: Vec<CertificateDer<'static>>,
    ) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(chain);
        let mut provider = aws_lc_rs::default_provider();
        // The cheapest group, so that the key is what is measured.
        provider.kx_groups = vec![aws_lc_rs::kx_group::X25519];
        let mut config = ClientConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        let connector = TlsConnector::from(Arc::new(config));
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        for _ in 0..count {
            let connector = connector.clone();
            runtime.spawn(async move {
                loop {
                    // The server counts the handshakes that succeed.
                    let _ = connect(&connector, address).await;
                }
            });
        }
        Ok(Self { _runtime: runtime })
    }
}

async fn connect(connector: &TlsConnector, address: SocketAddr) -> Result<()> {
    let stream = TcpStream::connect(address).await?;
    let mut stream = connector.connect(ServerName::try_from("localhost")?, stream).await?;
    stream.read_to_end(&mut Vec::new()).await?;
    Ok(())
}
