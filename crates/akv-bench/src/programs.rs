//! The C programs: clients with an event loop, a small server, and a caller of `EVP_DigestSign`.

use std::path::{Path, PathBuf};

use akv_tests::{Task, cc};
use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, de::DeserializeOwned};
use tempfile::TempDir;

use crate::plan::Plan;

/// The programs, compiled for this machine's OpenSSL.
pub(crate) struct Programs {
    handshakes: PathBuf,
    signatures: PathBuf,
    _folder: TempDir,
}

/// What the clients have seen.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Seen {
    pub(crate) per_second: f64,
    pub(crate) done: u64,
    pub(crate) resumed: u64,
    pub(crate) failed: u64,
    /// Of those that failed, the ones that did not wait for longer than the other clients' patience.
    pub(crate) failed_early: u64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

/// The cost of a signature by `EVP_DigestSign`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SignatureCost {
    pub(crate) p50_ms: f64,
    pub(crate) cpu_us: f64,
}

/// What the clients of another server do.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Behavior {
    /// Resume a session.
    pub(crate) resume: bool,
    /// Send a request over HTTP.
    pub(crate) request: bool,
}

impl Programs {
    pub(crate) fn build() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        Ok(Self {
            handshakes: cc::compile("bench/handshakes", folder.path())?,
            signatures: cc::compile("bench/signatures", folder.path())?,
            _folder: folder,
        })
    }

    /// Clients of a server on this port.
    pub(crate) fn connect(
        &self,
        port: u16,
        clients: u32,
        behavior: Behavior,
        plan: &Plan,
    ) -> Result<Seen> {
        let mut task = self.clients(clients, plan).args(["-p", &port.to_string()]);
        if behavior.resume {
            task = task.arg("-r");
        }
        if behavior.request {
            task = task.arg("-q");
        }
        let seen: Seen = read(task.env("OPENSSL_CONF", "/dev/null"))?;
        ensure!(!behavior.resume || seen.resumed == seen.done, "not all were resumed: {seen:?}");
        Ok(seen)
    }

    /// The small server with its clients, which completes every handshake.
    pub(crate) fn serve(
        &self,
        server: &SmallServer<'_>,
        clients: u32,
        plan: &Plan,
    ) -> Result<Seen> {
        read(self.small_server(server, clients, plan))
    }

    /// As [`Self::serve`], where handshakes may fail, and other clients take the place of those that
    /// wait for more than `patience` seconds.
    pub(crate) fn serve_in_spite_of_faults(
        &self,
        server: &SmallServer<'_>,
        clients: u32,
        plan: &Plan,
        patience: f64,
    ) -> Result<Seen> {
        parse(self.small_server(server, clients, plan).args(["-m", &patience.to_string()]).ok()?)
    }

    /// Signs with the provider that `config` loads.
    pub(crate) fn sign(&self, config: &Path, key: &str, count: usize) -> Result<SignatureCost> {
        let counts = [count.to_string(), (count / 10 + 5).to_string()];
        parse(Task::new(&self.signatures).arg(key).args(counts).env("OPENSSL_CONF", config).ok()?)
    }

    fn small_server(&self, server: &SmallServer<'_>, clients: u32, plan: &Plan) -> Task {
        let SmallServer { config, key, certificate, is_async } = server;
        self.clients(clients, plan)
            .args(["-k", key, "-c", certificate])
            .args(is_async.then_some("-a"))
            .env("OPENSSL_CONF", config)
    }

    fn clients(&self, clients: u32, plan: &Plan) -> Task {
        let [clients, warm_up, seconds] =
            [clients.to_string(), plan.warm_up.to_string(), plan.seconds.to_string()];
        Task::new(&self.handshakes)
            .args(["-n", &clients, "-w", &warm_up, "-s", &seconds])
            .limit(plan.limit())
    }
}

/// The server of `handshakes.c`: one thread with an event loop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SmallServer<'a> {
    pub(crate) config: &'a Path,
    pub(crate) key: &'a str,
    pub(crate) certificate: &'a str,
    pub(crate) is_async: bool,
}

/// Runs clients that complete every handshake.
fn read(task: Task) -> Result<Seen> {
    let output = task.ok()?;
    let errors = output.stderr.clone();
    let seen: Seen = parse(output)?;
    ensure!(seen.failed == 0, "{} handshakes failed; {errors}", seen.failed);
    Ok(seen)
}

fn parse<T: DeserializeOwned>(output: akv_tests::Output) -> Result<T> {
    serde_json::from_slice(&output.stdout).with_context(|| output.describe())
}
