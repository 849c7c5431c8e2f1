//! The server with a vault, a key and its certificate.

use std::{
    fs,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use akv_emulator::{Curve, Persona};
use akv_tests::{Client, Handshake, Server, Site, Task, aws_lc, process::wait_until};
use anyhow::{Context as _, Result, ensure};

/// How long the server may take for anything.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// A key for the server.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Rsa,
    Ec(Curve),
}

pub(crate) struct Stage {
    pub(crate) site: Site,
    pub(crate) key: String,
    pub(crate) certificate: String,
}

impl Stage {
    pub(crate) fn open(kind: Kind) -> Result<Self> {
        let site = Site::start(Persona::Vault)?;
        let key = match kind {
            Kind::Rsa => site.rsa(2048)?,
            Kind::Ec(curve) => site.ec(curve)?,
        };
        let certificate = site.text("site.pem");
        site.openssl().ok(&format!(
            "req -x509 -new -key {key} -sha256 -days 2 -subj /CN=localhost \
             -addext subjectAltName=DNS:localhost -out {certificate}"
        ))?;
        Ok(Self { site, key, certificate })
    }

    /// The server's command with these arguments, started by `wrapper`, such as valgrind.
    pub(crate) fn command(&self, wrapper: &[&str], arguments: &[&str]) -> Result<Task> {
        let program = aws_lc::compile_server(self.site.folder())?.display().to_string();
        let mut line = wrapper.to_vec();
        line.push(&program);
        line.extend(arguments);
        let settings = self.site.settings().into_iter();
        Ok(settings.fold(Task::new(line[0]).args(&line[1..]), |task, (name, value)| {
            task.env(format!("AKV_{}", name.to_uppercase().replace('-', "_")), value)
        }))
    }

    /// Starts the server on a free port, with more settings.
    pub(crate) fn serve(&self, wrapper: &[&str], settings: &[(&str, &str)]) -> Result<Running<'_>> {
        let task = self.command(wrapper, &[&self.certificate, &self.key, "0"])?;
        let task = settings.iter().fold(task, |task, (name, value)| task.env(name, value));
        let (server, address) = Server::start(task, LIMIT, |line| {
            line.strip_prefix("listening on ").map(str::to_owned)
        })?;
        Ok(Running { stage: self, server, address })
    }
}

/// The running server.
pub(crate) struct Running<'a> {
    stage: &'a Stage,
    pub(crate) server: Server,
    pub(crate) address: String,
}

impl Running<'_> {
    pub(crate) fn client<'a>(&'a self, arguments: &'a str) -> Client<'a> {
        Client { address: &self.address, ca: &self.stage.certificate, arguments }
    }

    /// One handshake whose certificate the client verifies.
    pub(crate) fn connect(&self, arguments: &str) -> Result<Handshake> {
        let handshake = self.client(arguments).connect(&self.stage.site.plain());
        handshake.with_context(|| self.server.output())
    }

    /// Waits until the vault has received `count` requests that it answers late or never.
    pub(crate) fn wait_for_faults(&self, count: usize) -> Result<()> {
        let faults = || self.stage.site.vault().stats().faults;
        let ready = || (faults() >= count as u64).then_some(());
        wait_until(&format!("{count} requests arrive"), LIMIT, ready)
            .with_context(|| format!("{} of them\n{}", faults(), self.server.output()))
    }

    /// Runs handshakes at once, of which none ends before the vault has received all requests.
    pub(crate) fn connect_together(&self, arguments: &[&str]) -> Result<()> {
        let ended = AtomicUsize::new(0);
        thread::scope(|scope| {
            let connect = |arguments| {
                let handshake = self.connect(arguments);
                ended.fetch_add(1, Ordering::SeqCst);
                handshake
            };
            let clients: Vec<_> =
                arguments.iter().map(|arguments| scope.spawn(move || connect(arguments))).collect();
            let arrived = self.wait_for_faults(arguments.len());
            let early = ended.load(Ordering::SeqCst);
            for client in clients {
                client.join().expect("no panic")?;
            }
            arrived?;
            ensure!(early == 0, "{early} handshakes ended before the last one's request");
            Ok(())
        })
    }

    /// A client that leaves when it is dropped; it has begun its handshake.
    pub(crate) fn impatient_client(&self) -> Result<Server> {
        let client =
            self.stage.site.plain().task(["s_client", "-state", "-connect", &self.address]);
        let begun = |line: &str| line.contains("write client hello").then_some(());
        let (client, ()) = Server::start(client, LIMIT, begun)?;
        Ok(client)
    }

    /// The number of the server's open descriptors.
    pub(crate) fn descriptors(&self) -> Result<usize> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.server.id()))?.count())
    }
}
