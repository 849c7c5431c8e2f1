//! The server: two workers, one task for each connection.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    server::{Acceptor, NoServerSessionStorage},
    sign::{CertifiedKey, SingleCertAndKey},
};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
    task::spawn_blocking,
    time::sleep,
};
use tokio_rustls::{LazyConfigAcceptor, TlsAcceptor, server::TlsStream};

use super::support::Result;

/// How it accepts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// In the connection's task.
    Plain,
    /// The part that signs in `spawn_blocking`.
    SpawnBlocking,
}

impl Way {
    async fn accept(
        self,
        config: Arc<ServerConfig>,
        stream: TcpStream,
    ) -> io::Result<TlsStream<TcpStream>> {
        match self {
            Self::Plain => TlsAcceptor::from(config).accept(stream).await,
            Self::SpawnBlocking => {
                let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
                let accept = spawn_blocking(move || start.into_stream(config)).await?;
                accept.await
            }
        }
    }
}

/// Ends when it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    counts: Arc<Counts>,
    _runtime: Runtime,
}

#[derive(Default)]
struct Counts {
    handshakes: AtomicU64,
    /// In microseconds.
    delay: AtomicU64,
}

impl Server {
    pub(crate) fn start(key: CertifiedKey, way: Way) -> Result<Self> {
        let mut config = ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
        // Nothing is resumed, so that each handshake needs a signature.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let (address, counts) = (listener.local_addr()?, Arc::<Counts>::default());
        runtime.spawn(serve(listener, way, Arc::new(config), Arc::clone(&counts)));
        runtime.spawn(another_task(Arc::clone(&counts)));
        Ok(Self { address, counts, _runtime: runtime })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The number of handshakes so far.
    pub(crate) fn handshakes(&self) -> u64 {
        self.counts.handshakes.load(Ordering::Relaxed)
    }

    /// The longest time that another task had to wait since the last reset.
    pub(crate) fn delay(&self) -> Duration {
        Duration::from_micros(self.counts.delay.load(Ordering::Relaxed))
    }

    pub(crate) fn reset_delay(&self) {
        self.counts.delay.store(0, Ordering::Relaxed);
    }
}

async fn serve(listener: TcpListener, way: Way, config: Arc<ServerConfig>, counts: Arc<Counts>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (config, counts) = (Arc::clone(&config), Arc::clone(&counts));
        tokio::spawn(async move {
            let mut stream = way.accept(config, stream).await?;
            counts.handshakes.fetch_add(1, Ordering::Relaxed);
            // The client waits for it.
            stream.write_all(b"k").await?;
            stream.shutdown().await
        });
    }
}

/// Wants to run every millisecond.
async fn another_task(counts: Arc<Counts>) {
    let pause = Duration::from_millis(1);
    loop {
        let start = Instant::now();
        sleep(pause).await;
        let late = start.elapsed().saturating_sub(pause);
        let late = u64::try_from(late.as_micros()).unwrap_or(u64::MAX);
        counts.delay.fetch_max(late, Ordering::Relaxed);
    }
}
