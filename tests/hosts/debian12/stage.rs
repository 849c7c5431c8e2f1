//! A vault key with a certificate, for servers that give up root.

use std::{fs, net::TcpListener, thread};

use akv_emulator::{Curve, Persona};
use akv_tests::{Client, Server, Site, Task, modules};
use anyhow::{Context as _, Result, anyhow};
use nix::unistd::geteuid;

/// How long a server may take to start.
pub(crate) const LIMIT: std::time::Duration = std::time::Duration::from_secs(60);

/// Another program may take the free port before the server does.
const ATTEMPTS: u32 = 5;

/// Number of concurrent clients, and handshakes of each.
const CLIENTS: usize = 4;
const HANDSHAKES: usize = 4;

/// Arguments of the client for an RSA and an EC key.
const PROTOCOLS: [&str; 2] = ["-tls1_2", "-tls1_3"];

pub(crate) struct Stage {
    pub(crate) site: Site,
    /// A certificate file, and the key file.
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Stage {
    /// Only root can give up root.
    pub(crate) fn open(rsa: bool) -> Result<Self> {
        assert!(geteuid().is_root(), "these servers give up root, so they must start as root");
        let site = Site::start(Persona::Vault)?;
        let reference = if rsa { site.rsa(2048)? } else { site.ec(Curve::P256)? };
        let key = site.key_file(&reference, "site.key")?;
        let certificate = site.text("site.pem");
        site.openssl().ok(&format!(
            "req -x509 -new -key {key} -sha256 -days 2 -subj /CN=localhost \
             -addext subjectAltName=DNS:localhost -out {certificate}"
        ))?;
        // A token file could not be read.
        let mut settings = site.settings();
        settings.retain(|(name, _)| *name != "access-token-file");
        settings.push(("credential", "managed-identity".into()));
        site.configure("server.cnf", &modules::provider()?, &settings)?;
        site.vault().reset_stats();
        Ok(Self { site, certificate, key })
    }

    /// Starts a server on a free port, whose configuration is written for that port.
    pub(crate) fn serve(
        &self,
        ready: &'static str,
        task: impl Fn(u16) -> Result<Task>,
    ) -> Result<(Server, String)> {
        let mut failure = anyhow!("no port");
        for _ in 0..ATTEMPTS {
            let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
            let task = task(port)?
                .env("OPENSSL_CONF", self.site.path("server.cnf"))
                .env("IMDS_ENDPOINT", self.site.vault().imds_endpoint());
            let started =
                Server::start(task, LIMIT, move |line| line.contains(ready).then_some(()));
            match started {
                Ok((server, ())) => return Ok((server, format!("127.0.0.1:{port}"))),
                Err(error) => failure = error,
            }
            if !format!("{failure:#}").contains("in use") {
                break;
            }
        }
        Err(failure)
    }

    /// One handshake, followed by many concurrent ones.
    pub(crate) fn check_handshakes(&self, server: &Server, address: &str) -> Result<()> {
        let connect = |arguments| {
            let client = Client { address, ca: &self.certificate, arguments };
            client.connect(&self.site.plain()).map(drop).with_context(|| server.output())
        };
        connect("-tls1_3")?;
        thread::scope(|scope| {
            let clients = [(); CLIENTS].map(|()| {
                scope.spawn(|| {
                    (0..HANDSHAKES)
                        .try_for_each(|round| connect(PROTOCOLS[round % PROTOCOLS.len()]))
                })
            });
            clients
                .into_iter()
                .try_for_each(|client| client.join().map_err(|_| anyhow!("a client panicked"))?)
        })?;
        let stats = self.site.vault().stats();
        assert_eq!(stats.sign, (1 + CLIENTS * HANDSHAKES) as u64, "{stats:?}");
        Ok(())
    }
}

/// The names of the threads of a process and of its children.
pub(crate) fn threads(process: u32) -> Vec<String> {
    let mut names = Vec::new();
    for folder in thread_folders(process) {
        names.push(read(&format!("{folder}/comm")).trim().to_owned());
        names.extend(children(&folder).flat_map(threads));
    }
    names
}

/// The number of descriptors that a process and its children have open.
pub(crate) fn descriptors(process: u32) -> usize {
    let own = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().count();
    let of_children = thread_folders(process)
        .iter()
        .flat_map(|folder| children(folder).map(descriptors).collect::<Vec<_>>())
        .sum::<usize>();
    own + of_children
}

fn thread_folders(process: u32) -> Vec<String> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    threads.map(|thread| thread.path().display().to_string()).collect()
}

/// The processes that a thread has started.
fn children(thread: &str) -> impl Iterator<Item = u32> + use<> {
    let children = read(&format!("{thread}/children"));
    let children: Vec<_> =
        children.split_whitespace().filter_map(|child| child.parse().ok()).collect();
    children.into_iter()
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
