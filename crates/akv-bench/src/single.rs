//! One subject at a time.

use std::{fs::File, path::PathBuf};

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use crate::{
    contender::{BARE, CORE},
    measure::{
        Bench,
        signatures::{self, Profiled},
    },
    model::Section,
    plan::{Effort, Plan},
    programs::Programs,
    report,
    service::{Key, Kind},
};

/// Arguments without a command.
#[derive(Args)]
pub(crate) struct Signatures {
    /// Signatures in each round, one after the other.
    #[arg(long, default_value_t = 400)]
    count: usize,
    /// Rounds of each contender, alternating; the median is used.
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// The vault's own time for a signature, in milliseconds.
    #[arg(long, default_value_t = 5)]
    latency: u64,
    /// Measures only this service.
    #[arg(long)]
    service: Option<Kind>,
    /// Also measures `EVP_DigestSign` with the release build of `akv_provider.so` in this folder.
    #[arg(long)]
    modules: Option<PathBuf>,
    /// Runs only one contender, for a profiler.
    #[arg(long)]
    profile: Option<Profiled>,
    /// Fails unless akv-core stays under these ratios: CPU time, median latency.
    #[arg(long, num_args = 2, value_names = ["CPU", "LATENCY"])]
    limits: Option<Vec<f64>>,
}

impl Signatures {
    pub(crate) fn run(&self) -> Result<()> {
        if let Some(profiled) = self.profile {
            let kind = self.service.unwrap_or(Kind::Vault);
            return signatures::profile(profiled, kind, self.latency, self.count * self.rounds);
        }
        let programs = self.modules.is_some().then(Programs::build).transpose()?;
        let module = self.modules.as_ref().map(|folder| folder.join("akv_provider.so"));
        let section = signatures::Signatures {
            count: self.count,
            rounds: self.rounds.max(1),
            latency: self.latency,
            only: self.service,
            provider: programs.as_ref().zip(module),
        }
        .run()?;
        println!("{}", report::markdown_section(&section));
        let [cpu, latency] = ["cpu", "latency"].map(|table| worst(&section, table));
        if let Some([most_cpu, most_latency]) = self.limits.as_deref() {
            let (cpu, latency) = (cpu.context("no ratio")?, latency.context("no ratio")?);
            ensure!(
                cpu <= *most_cpu && latency <= *most_latency,
                "the worst ratios are {cpu:.2}× CPU time (limit {most_cpu}×) and {latency:.3}× \
                 latency (limit {most_latency}×)"
            );
            println!("within the limits of {most_cpu}× CPU time and {most_latency}× latency");
        }
        Ok(())
    }
}

/// The highest ratio of the async API, without the check, to the bare client.
fn worst(section: &Section, table: &str) -> Option<f64> {
    let rows = section.table(table)?.rows.iter();
    rows.filter_map(|row| Some(row.ratio(CORE, BARE)?.summary.median)).reduce(f64::max)
}

/// Arguments of `handshakes`.
#[derive(Args)]
pub(crate) struct Handshakes {
    /// The folder with `akv_provider.so`, in a release build.
    #[arg(long)]
    modules: PathBuf,
    /// RSA-2048 of a Managed HSM instead of P-256 of a vault.
    #[arg(long)]
    rsa: bool,
    /// Writes all measurements as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    #[command(flatten)]
    effort: Effort,
}

impl Handshakes {
    pub(crate) fn run(&self) -> Result<()> {
        let bench = Bench {
            plan: Plan::new(false, &self.effort),
            programs: Programs::build()?,
            modules: self.modules.clone(),
            old_modules: None,
            roots: Vec::new(),
        };
        let section = bench.small_server(if self.rsa { Key::Rsa2048 } else { Key::EcP256 })?;
        println!("{}", report::markdown_section(&section));
        if let Some(path) = &self.json {
            serde_json::to_writer_pretty(File::create(path)?, &section)?;
        }
        Ok(())
    }
}
