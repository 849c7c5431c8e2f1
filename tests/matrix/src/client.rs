//! A TLS client that counts its handshakes.

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use akv_tests::process::wait_until;
use anyhow::{Context as _, Result, bail, ensure};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    client::Resumption,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    version::{TLS12, TLS13},
};

use crate::{machine::LIMIT, protocol::Protocol};

/// The name in all certificates.
pub(crate) const NAME: &str = "www.example.org";

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A version of TLS.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Version {
    Tls12,
    Tls13,
}

/// The client.
pub(crate) struct Client {
    configs: [Arc<ClientConfig>; 2],
    address: SocketAddr,
    protocol: Protocol,
    handshakes: AtomicU64,
}

impl Client {
    /// For a server on this port of the machine, whose certificate this authority has issued.
    pub(crate) fn new(port: u16, protocol: Protocol, authority: &str) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.as_bytes())?)?;
        let roots = Arc::new(roots);
        let config = |version| -> Result<Arc<ClientConfig>> {
            let builder =
                ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
            let builder = builder.with_protocol_versions(&[version])?;
            let builder = builder.with_root_certificates(Arc::clone(&roots));
            let mut config = builder.with_no_client_auth();
            // A resumed session needs no signature.
            config.resumption = Resumption::disabled();
            Ok(Arc::new(config))
        };
        Ok(Self {
            configs: [config(&TLS12)?, config(&TLS13)?],
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            protocol,
            handshakes: AtomicU64::new(0),
        })
    }

    /// Number of complete handshakes.
    pub(crate) fn handshakes(&self) -> u64 {
        self.handshakes.load(Ordering::SeqCst)
    }

    /// Waits until the server accepts connections. It is not tried: servers log clients that leave.
    pub(crate) fn wait_for_server(&self, ended: impl Fn() -> Option<String>) -> Result<()> {
        let port = self.address.port();
        let listens = || match is_listening(port) {
            true => Some(None),
            false => ended().map(Some),
        };
        match wait_until(&format!("the server listens on port {port}"), LIMIT, listens)? {
            None => Ok(()),
            Some(reason) => bail!("the server ended: {reason}"),
        }
    }

    /// One handshake with a verified certificate, and data in both directions. Returns the
    /// server's certificate.
    pub(crate) fn connect(&self, version: Version) -> Result<CertificateDer<'static>> {
        let (config, expected) = match version {
            Version::Tls12 => (&self.configs[0], rustls::ProtocolVersion::TLSv1_2),
            Version::Tls13 => (&self.configs[1], rustls::ProtocolVersion::TLSv1_3),
        };
        let attempt = || -> Result<CertificateDer<'static>> {
            let mut socket = TcpStream::connect(self.address)?;
            socket.set_read_timeout(Some(PATIENCE))?;
            socket.set_write_timeout(Some(PATIENCE))?;
            self.protocol.begin(&mut socket).context("before the handshake")?;
            let name = ServerName::try_from(NAME)?;
            let mut connection = ClientConnection::new(Arc::clone(config), name)?;
            while connection.is_handshaking() {
                connection.complete_io(&mut socket)?;
            }
            self.handshakes.fetch_add(1, Ordering::SeqCst);
            ensure!(connection.protocol_version() == Some(expected));
            let chain = connection.peer_certificates().context("no certificate")?;
            let certificate = chain.first().context("no certificate")?.clone().into_owned();
            let mut stream = StreamOwned::new(connection, socket);
            self.protocol.talk(&mut stream).context("after the handshake")?;
            stream.conn.send_close_notify();
            // A server that has closed already has its answer delivered.
            let _: io::Result<_> = stream.conn.complete_io(&mut stream.sock);
            Ok(certificate)
        };
        attempt().with_context(|| format!("{version:?}"))
    }
}

/// Whether a socket of this namespace of the network listens on a port (proc_pid_net(5)).
fn is_listening(port: u16) -> bool {
    let end = format!(":{port:04X}");
    ["/proc/self/net/tcp", "/proc/self/net/tcp6"].iter().any(|file| {
        let text = fs::read_to_string(file).unwrap_or_default();
        text.lines().any(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            // Number, local address, remote address, state.
            fields.get(1).is_some_and(|local| local.ends_with(&end)) && fields.get(3) == Some(&"0A")
        })
    })
}
