//! TLS handshakes of a server with one thread and an event loop: with a local key, and with a key in
//! a vault, blocking and inside ASYNC jobs.

use std::{fs::File, io::Write as _, path::PathBuf, time::Duration};

use akv_emulator::{Curve, Emulator, Latency, Persona};
use akv_tests::{Site, Task, cc};
use anyhow::{Context as _, Result};
use clap::Args;
use serde::Serialize;

/// Arguments of `handshakes`.
#[derive(Args)]
pub(crate) struct Handshakes {
    /// The folder with `akv_provider.so`, in a release build.
    #[arg(long)]
    modules: PathBuf,
    /// The vault's own time for a signature, in milliseconds; may be repeated.
    #[arg(long, default_values_t = [0, 5, 30])]
    latency: Vec<u64>,
    /// Connections that are open at any time; may be repeated.
    #[arg(long, default_values_t = [1, 64, 512])]
    clients: Vec<u32>,
    /// Seconds of each measurement, after one to warm up.
    #[arg(long, default_value_t = 4)]
    seconds: u32,
    /// Rounds of the three contenders, alternating; the median is used.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// RSA-2048 instead of P-256.
    #[arg(long)]
    rsa: bool,
    /// Writes all measurements as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Handshakes per second, in order.
#[derive(Serialize)]
struct Rates(Vec<f64>);

impl Rates {
    fn median(&self) -> f64 {
        self.0.get(self.0.len() / 2).copied().unwrap_or_default()
    }

    /// The median, and by how much the others differ from it.
    fn text(&self) -> String {
        let (median, [first, .., last]) = (self.median(), &self.0[..]) else {
            return format!("{:.0}", self.median());
        };
        let spread = (last - median).max(median - first) / median * 100.0;
        format!("{median:.0} ±{spread:.0}%")
    }
}

/// One line of the table.
#[derive(Serialize)]
struct Row {
    latency_ms: u64,
    clients: u32,
    local: Rates,
    blocking: Rates,
    asynchronous: Rates,
}

impl Handshakes {
    pub(crate) fn run(&self) -> Result<()> {
        let module = self.modules.join("akv_provider.so");
        let site = Site::with(Emulator::builder(), Persona::Vault, &module)?;
        let bench = Bench::new(&site, self)?;
        let name = if self.rsa { "RSA-2048" } else { "P-256" };
        println!(
            "TLS 1.3 handshakes per second, server with one thread, {name}, OpenSSL of this machine\n"
        );
        println!(
            "| vault | clients | local key | blocking | async | async/blocking | async/local |"
        );
        println!("|---|---|---|---|---|---|---|");
        let mut rows = Vec::new();
        for latency_ms in &self.latency {
            let time = Duration::from_millis(*latency_ms);
            site.vault().set_latency(Some(Latency::new(time, time)).filter(|_| *latency_ms > 0));
            for clients in &self.clients {
                let row = bench.row(*latency_ms, *clients)?;
                row.print();
                rows.push(row);
            }
        }
        if let Some(path) = &self.json {
            serde_json::to_writer_pretty(File::create(path)?, &rows)?;
        }
        Ok(())
    }
}

impl Row {
    fn print(&self) {
        let Self { latency_ms, clients, local, blocking, asynchronous } = self;
        let (over_blocking, over_local) =
            (asynchronous.median() / blocking.median(), asynchronous.median() / local.median());
        println!(
            "| {latency_ms} ms | {clients} | {} | {} | {} | {over_blocking:.1} | {over_local:.2} |",
            local.text(),
            blocking.text(),
            asynchronous.text()
        );
        let _ = std::io::stdout().flush();
    }
}

/// The program, with its keys and certificates.
struct Bench<'a> {
    site: &'a Site,
    arguments: &'a Handshakes,
    program: PathBuf,
    /// Key and certificate.
    local: [String; 2],
    vault: [String; 2],
}

impl<'a> Bench<'a> {
    fn new(site: &'a Site, arguments: &'a Handshakes) -> Result<Self> {
        let program = cc::compile("bench/handshakes", site.folder())?;
        let key = if arguments.rsa { site.rsa(2048)? } else { site.ec(Curve::P256)? };
        let certificate = site.text("vault.pem");
        let subject = "-subj /CN=localhost";
        site.openssl().ok(&format!("req -new -x509 -key {key} {subject} -out {certificate}"))?;
        let new_key = if arguments.rsa { "rsa:2048" } else { "ec -pkeyopt group:P-256" };
        let local = [site.text("local.key"), site.text("local.pem")];
        site.plain().ok(&format!(
            "req -new -x509 -newkey {new_key} -noenc -keyout {} {subject} -out {}",
            local[0], local[1]
        ))?;
        Ok(Self { site, arguments, program, local, vault: [key, certificate] })
    }

    fn row(&self, latency_ms: u64, clients: u32) -> Result<Row> {
        let contenders =
            [(&self.local, "blocking"), (&self.vault, "blocking"), (&self.vault, "async")];
        let mut rates = [const { Vec::new() }; 3];
        for _ in 0..self.arguments.rounds.max(1) {
            for ((pair, mode), rates) in contenders.iter().zip(&mut rates) {
                rates.push(self.measure(pair, clients, mode)?);
            }
        }
        let [local, blocking, asynchronous] = rates.map(|mut rates| {
            rates.sort_by(f64::total_cmp);
            Rates(rates)
        });
        Ok(Row { latency_ms, clients, local, blocking, asynchronous })
    }

    fn measure(&self, pair: &[String; 2], clients: u32, mode: &str) -> Result<f64> {
        let seconds = self.arguments.seconds.to_string();
        let printed = Task::new(&self.program)
            .args(pair)
            .args([&clients.to_string(), &seconds, mode])
            .env("OPENSSL_CONF", self.site.path("openssl.cnf"))
            .ok()?
            .text();
        printed.trim().parse().with_context(|| format!("no rate in {printed:?}"))
    }
}
