//! tokio servers with keys in the vault: their runtimes go on while handshakes wait for signatures.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use akv_core::{
    blocking::Key,
    tls::{self, SigningKey},
};
use akv_emulator::{Curve, Fault, NewKey, Operation};
use rustls::{
    ClientConfig, ServerConfig,
    crypto::{SupportedKxGroup, aws_lc_rs},
    server::Acceptor,
    sign::{CertifiedKey, SingleCertAndKey},
};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::{Builder, Handle, Runtime},
    sync::oneshot,
    task::{JoinSet, spawn_blocking, yield_now},
};
use tokio_rustls::{LazyConfigAcceptor, TlsAcceptor, TlsConnector};

use super::{
    super::Vault,
    self_signed,
    tls::{client, roots, server_config},
};

/// The number of handshakes that are in progress at the same time.
const CLIENTS: usize = 32;

/// Long enough for all clients to start.
const DELAY: Duration = Duration::from_secs(6);

/// How long anything else may take.
const LIMIT: Duration = Duration::from_secs(60);

/// How a server accepts.
#[derive(Clone, Copy)]
enum Way {
    /// In the task itself.
    Plain,
    /// As the documentation of `tls` describes for any runtime.
    SpawnBlocking,
}

impl Way {
    async fn accept(self, config: Arc<ServerConfig>, stream: TcpStream) -> io::Result<()> {
        match self {
            Self::Plain => TlsAcceptor::from(config).accept(stream).await.map(drop),
            Self::SpawnBlocking => {
                let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
                let accept = spawn_blocking(move || start.into_stream(config)).await?;
                accept.await.map(drop)
            }
        }
    }
}

struct Scene {
    vault: Vault,
    key: Key,
    certificate: CertificateDer<'static>,
}

impl Scene {
    fn set() -> Self {
        let vault = Vault::start();
        vault.emulator.create_key(NewKey::ec("web", Curve::P256)).unwrap();
        let key = vault.key(&[("timeout", "30s")], "vault:myVault:web").unwrap();
        let certificate = self_signed(&key);
        Self { vault, key, certificate }
    }

    fn for_tokio(&self) -> CertifiedKey {
        let key = SigningKey::new(&self.key).unwrap().for_tokio();
        key.certified(vec![self.certificate.clone()]).unwrap()
    }

    fn plain(&self) -> CertifiedKey {
        tls::certified_key(&self.key, vec![self.certificate.clone()]).unwrap()
    }

    /// Handshakes with all clients, whose signatures are at the vault before the first is answered,
    /// while the server's other tasks go on.
    fn all_in_flight(&self, server: &Handle, way: Way, certified: CertifiedKey) {
        let emulator = &self.vault.emulator;
        emulator.reset_stats();
        emulator.fault(Fault::latency(DELAY).on(Operation::Sign).forever());
        let address = serve(server, way, server_config(certified));
        let clients = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let ended = Arc::new(AtomicUsize::new(0));
        let handshakes = connect(&clients, address, &self.certificate, &ended);
        let start = Instant::now();
        while emulator.stats().faults < CLIENTS as u64 {
            assert!(start.elapsed() < LIMIT, "{:?}", emulator.stats());
            std::thread::yield_now();
        }
        other_tasks_go_on(server);
        assert_eq!(ended.load(Ordering::SeqCst), 0);
        clients.block_on(handshakes.join_all());
        assert_eq!(
            (ended.load(Ordering::SeqCst), emulator.stats().sign),
            (CLIENTS, CLIENTS as u64)
        );
    }
}

/// Serves on this runtime until it is dropped.
fn serve(runtime: &Handle, way: Way, config: Arc<ServerConfig>) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move {
        let listener = TcpListener::from_std(listener).unwrap();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(way.accept(Arc::clone(&config), stream));
        }
    });
    address
}

/// Starts the clients.
fn connect(
    runtime: &Runtime,
    address: SocketAddr,
    certificate: &CertificateDer<'static>,
    ended: &Arc<AtomicUsize>,
) -> JoinSet<()> {
    let mut handshakes = JoinSet::new();
    for number in 0..CLIENTS {
        let version =
            if number % 2 == 0 { &rustls::version::TLS12 } else { &rustls::version::TLS13 };
        let connector = TlsConnector::from(client(certificate.clone(), version));
        let ended = Arc::clone(ended);
        let handshake = async move {
            let stream = TcpStream::connect(address).await.unwrap();
            let name = ServerName::try_from("localhost").unwrap();
            connector.connect(name, stream).await.unwrap();
            ended.fetch_add(1, Ordering::SeqCst);
        };
        handshakes.spawn_on(handshake, runtime.handle());
    }
    handshakes
}

fn other_tasks_go_on(runtime: &Handle) {
    let (sender, receiver) = oneshot::channel();
    runtime.spawn(async {
        for _ in 0..100 {
            yield_now().await;
        }
        let _ = sender.send(());
    });
    receiver.blocking_recv().unwrap();
}

#[test]
fn two_workers_wait_for_many_signatures_and_go_on() {
    let scene = Scene::set();
    let server = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    scene.all_in_flight(server.handle(), Way::Plain, scene.for_tokio());
}

#[test]
fn a_runtime_with_one_thread_waits_for_many_signatures_on_others() {
    let scene = Scene::set();
    let server = Builder::new_current_thread().enable_all().build().unwrap();
    let handle = server.handle().clone();
    std::thread::scope(|scope| {
        let (stop, stopped) = oneshot::channel::<()>();
        scope.spawn(move || server.block_on(stopped));
        scene.all_in_flight(&handle, Way::SpawnBlocking, scene.plain());
        drop(stop);
    });
}

/// As documented, handshakes beyond that wait for threads.
#[test]
fn more_signatures_than_threads_are_awaited_all_the_same() {
    let scene = Scene::set();
    let delay = Duration::from_millis(20);
    scene.vault.emulator.fault(Fault::latency(delay).on(Operation::Sign).forever());
    for (way, certified) in [(Way::Plain, scene.for_tokio()), (Way::SpawnBlocking, scene.plain())] {
        let mut server = Builder::new_multi_thread();
        let server = server.worker_threads(2).max_blocking_threads(3).enable_all().build().unwrap();
        let address = serve(server.handle(), way, server_config(certified));
        let clients = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let ended = Arc::new(AtomicUsize::new(0));
        let handshakes = connect(&clients, address, &scene.certificate, &ended);
        clients.block_on(handshakes.join_all());
        assert_eq!(ended.load(Ordering::SeqCst), CLIENTS);
    }
}

/// The number of signatures that `into_stream` has made when it returns, with a server that has only
/// this group. The client has a key share for X25519.
async fn signed_by_into_stream(scene: &Scene, group: &'static dyn SupportedKxGroup) -> u64 {
    let mut provider = aws_lc_rs::default_provider();
    provider.kx_groups = vec![group];
    let config = ServerConfig::builder_with_provider(provider.clone().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(scene.plain())));
    provider.kx_groups = vec![aws_lc_rs::kx_group::X25519, aws_lc_rs::kx_group::SECP256R1];
    let client = ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots(scene.certificate.clone()))
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(client));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connecting = tokio::spawn(async move {
        let stream = TcpStream::connect(address).await.unwrap();
        connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap();
    });
    let (stream, _) = listener.accept().await.unwrap();
    let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await.unwrap();
    scene.vault.emulator.reset_stats();
    let accept = start.into_stream(Arc::new(config));
    let signed = scene.vault.emulator.stats().sign;
    accept.await.unwrap();
    connecting.await.unwrap();
    assert_eq!(scene.vault.emulator.stats().sign, 1);
    signed
}

#[test]
fn into_stream_signs_unless_the_client_must_send_another_key_share() {
    let scene = Scene::set();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    for (group, signatures) in
        [(aws_lc_rs::kx_group::X25519, 1), (aws_lc_rs::kx_group::SECP256R1, 0)]
    {
        let signed = runtime.block_on(signed_by_into_stream(&scene, group));
        assert_eq!(signed, signatures, "{group:?}");
    }
}

#[test]
fn a_key_for_tokio_signs_on_any_thread() {
    let scene = Scene::set();
    let config = server_config(scene.for_tokio());
    let handshake = || {
        let client = client(scene.certificate.clone(), &rustls::version::TLS13);
        super::tls::handshake(Arc::clone(&config), client).unwrap();
    };
    handshake();
    Builder::new_current_thread().build().unwrap().block_on(async { handshake() });
    Builder::new_multi_thread().worker_threads(1).build().unwrap().block_on(async { handshake() });
}

#[test]
#[should_panic(expected = "can call blocking only when running on the multi-threaded runtime")]
fn a_key_for_tokio_panics_in_a_local_set() {
    let scene = Scene::set();
    let config = server_config(scene.for_tokio());
    let client = client(scene.certificate.clone(), &rustls::version::TLS13);
    let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let handshake = async { drop(super::tls::handshake(config, client)) };
    tokio::task::LocalSet::new().block_on(&runtime, handshake);
}
