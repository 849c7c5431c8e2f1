//! TLS handshakes per second of a tokio server with two workers: with a local key, and with a vault
//! key whose signatures are awaited in three ways. Clients, server and vault share the machine.
//!
//! `cargo run --release -p akv-core --example tokio_handshakes -- CLIENTS MILLISECONDS SECONDS`

#![allow(clippy::print_stdout, reason = "it is an example's purpose")]

#[path = "../support/certificate.rs"]
mod certificate;
mod clients;
mod server;
#[path = "../support/mod.rs"]
mod support;

use std::{env, fs, str::FromStr, thread, time::Duration};

use akv_core::{
    Curve, NewKey,
    tls::{self, SigningKey},
};
use akv_emulator::Latency;
use certificate::self_signed;
use clients::Clients;
use rustls::{crypto::aws_lc_rs, sign::CertifiedKey};
use rustls_pki_types::PrivateKeyDer;
use server::{Server, Way};
use support::{Embedded, Result};

/// What to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Connections that are open at any time.
    pub(crate) clients: usize,
    /// The vault's response time.
    pub(crate) latency: Duration,
    /// The time to measure, after as long a time to warm up.
    pub(crate) time: Duration,
}

/// A way to accept, and what came of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) handshakes: u64,
    /// Signatures of the vault in the same time.
    pub(crate) signatures: u64,
    /// The longest time that another task of the server's runtime had to wait.
    pub(crate) delay: Duration,
    /// The threads of the process.
    threads: usize,
}

#[allow(dead_code, reason = "`main` is for the program")]
fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let plan = Plan {
        clients: number(arguments.next(), 64)?,
        latency: Duration::from_millis(number(arguments.next(), 30)?),
        time: Duration::from_secs(number(arguments.next(), 5)?),
    };
    println!("{} clients, a vault that takes {:?}", plan.clients, plan.latency);
    println!(
        "{:28} {:>13} {:>13} {:>16} {:>8}",
        "key", "handshakes/s", "signatures/s", "others wait, ms", "threads"
    );
    for Row { name, handshakes, signatures, delay, threads } in measure(&plan)? {
        let rate = |count| count as f64 / plan.time.as_secs_f64();
        let (handshakes, signatures) = (rate(handshakes), rate(signatures));
        let delay = delay.as_secs_f64() * 1e3;
        println!("{name:28} {handshakes:13.0} {signatures:13.0} {delay:16.1} {threads:8}");
    }
    Ok(())
}

fn number<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(
    argument: Option<String>,
    default: T,
) -> Result<T> {
    Ok(argument.map(|text| text.parse()).transpose()?.unwrap_or(default))
}

/// Measures the ways, one after the other.
pub(crate) fn measure(plan: &Plan) -> Result<Vec<Row>> {
    let embedded = Embedded::with(&[("AKV_MAX_CONCURRENCY", "4096")])?;
    let client = &embedded.client;
    let vault = client.vault(&client.reference("vault:myVault:")?)?;
    let key = vault.create("web", NewKey::ec(Curve::P256))?;
    embedded.vault.set_latency(Some(Latency::new(plan.latency, plan.latency)));
    let certificate = self_signed(&key)?;
    let in_vault = || tls::certified_key(&key, vec![certificate.clone()]);
    let for_tokio = SigningKey::new(&key)?.for_tokio().certified(vec![certificate.clone()])?;
    let ways = [
        ("local", local_key()?, Way::Plain),
        ("vault, blocks workers", in_vault()?, Way::Plain),
        ("vault, spawn_blocking", in_vault()?, Way::SpawnBlocking),
        ("vault, SigningKey::for_tokio", for_tokio, Way::Plain),
    ];
    ways.into_iter().map(|(name, key, way)| run(name, key, way, plan, &embedded)).collect()
}

fn run(
    name: &'static str,
    key: CertifiedKey,
    way: Way,
    plan: &Plan,
    embedded: &Embedded,
) -> Result<Row> {
    let chain = key.cert.clone();
    let server = Server::start(key, way)?;
    let clients = Clients::start(plan.clients, server.address(), chain)?;
    thread::sleep(plan.time);
    let (before, signed) = (server.handshakes(), embedded.vault.stats().sign);
    server.reset_delay();
    thread::sleep(plan.time);
    let row = Row {
        name,
        handshakes: server.handshakes() - before,
        signatures: embedded.vault.stats().sign - signed,
        delay: server.delay(),
        threads: fs::read_dir("/proc/self/task")?.count(),
    };
    drop(clients);
    Ok(row)
}

/// A key of this process.
fn local_key() -> Result<CertifiedKey> {
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let private = PrivateKeyDer::try_from(pair.signing_key.serialize_der())?;
    let key = aws_lc_rs::sign::any_supported_type(&private)?;
    Ok(CertifiedKey::new(vec![pair.cert.der().clone()], key))
}
