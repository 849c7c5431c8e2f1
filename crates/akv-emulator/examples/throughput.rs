//! Measures signatures per second with one emulator thread:
//! `cargo run --release -p akv-emulator --example throughput -- [SECONDS]`.

#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use akv_emulator::{Curve, Emulator, NewKey, Persona};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};

/// Requests in flight.
const CONCURRENCY: usize = 32;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seconds: u64 = std::env::args().nth(1).map_or(Ok(3), |text| text.parse())?;
    for (persona, protocol) in [(Persona::ManagedHsm, "HTTP/1.1"), (Persona::Vault, "HTTP/2")] {
        let emulator = Emulator::builder().persona(persona).worker_threads(1).start()?;
        emulator.create_key(NewKey::ec("ec", Curve::P256))?;
        emulator.create_key(NewKey::rsa("rsa", 2048))?;
        for (key, algorithm) in [("ec", "ES256"), ("rsa", "RS256")] {
            let rate = measure(&emulator, key, algorithm, Duration::from_secs(seconds)).await?;
            println!("{algorithm} over {protocol}: {rate:.0} signatures/s");
        }
    }
    Ok(())
}

async fn measure(
    emulator: &Emulator,
    key: &str,
    algorithm: &str,
    duration: Duration,
) -> Result<f64, Box<dyn std::error::Error>> {
    let client = client(emulator)?;
    let (done, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let url = format!("{}/keys/{key}/sign?api-version=7.4", emulator.endpoint());
    let digest = "A".repeat(43);
    let body = format!("{{\"alg\":\"{algorithm}\",\"value\":\"{digest}\"}}");
    let started = Instant::now();
    let tasks: Vec<_> = (0..CONCURRENCY)
        .map(|_| {
            let (client, done, stop) = (client.clone(), Arc::clone(&done), Arc::clone(&stop));
            let (url, body, token) = (url.clone(), body.clone(), emulator.token());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let request = client.post(&url).bearer_auth(&token).body(body.clone());
                    request.send().await?.error_for_status()?.bytes().await?;
                    done.fetch_add(1, Ordering::Relaxed);
                }
                Ok::<_, reqwest::Error>(())
            })
        })
        .collect();
    tokio::time::sleep(duration).await;
    let rate = done.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64();
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await??;
    }
    Ok(rate)
}

fn client(emulator: &Emulator) -> Result<reqwest::Client, Box<dyn std::error::Error>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(emulator.ca_pem().as_bytes())?)?;
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let mut tls = rustls::ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().build()?)
}
