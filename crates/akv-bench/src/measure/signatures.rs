//! One signature after the other, compared with the same request by a bare client. The vault is a
//! separate process, so that its work is not counted.

use std::path::{Path, PathBuf};

use akv_tests::site::configuration;
use anyhow::Result;
use futures::executor;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::{Bench, section};
use crate::{
    clients::{bare, library},
    contender::{BARE, CHECKED, CORE, CORE_BLOCKING, CORE_CHECKED, UNCHECKED},
    cost::{self, Cost},
    model::{Row, Section, Table, Unit},
    programs::Programs,
    service::{KEYS, Key, Kind, Service},
};

/// All contenders, the reference first.
const CONTENDERS: [&str; 6] = [BARE, CORE, CORE_CHECKED, CORE_BLOCKING, UNCHECKED, CHECKED];

/// What is measured.
pub(crate) struct Signatures<'a> {
    /// In each round.
    pub(crate) count: usize,
    pub(crate) rounds: usize,
    /// Milliseconds.
    pub(crate) latency: u64,
    /// All services if `None`.
    pub(crate) only: Option<Kind>,
    /// The provider, if it is to be measured.
    pub(crate) provider: Option<(&'a Programs, PathBuf)>,
}

impl Bench {
    pub(crate) fn signatures(&self) -> Result<Section> {
        let provider = Some((&self.programs, self.provider()));
        let (count, rounds) = (self.plan.signatures, self.plan.signature_rounds);
        Signatures { count, rounds, latency: 5, only: None, provider }.run()
    }
}

impl Signatures<'_> {
    pub(crate) fn run(&self) -> Result<Section> {
        let mut section = section(
            "signatures",
            "One signature after the other",
            &[
                "One thread, compared with the same POST by a bare hyper and rustls client over one open \
               connection. The check verifies each signature locally before it is returned.",
            ],
        );
        section.text.push(format!(
            "The vault takes {} ms, in a process of its own; {} rounds of {} signatures. The time is \
             the median of a round.",
            self.latency, self.rounds, self.count
        ));
        let (mut latency, mut cpu) = (Vec::new(), Vec::new());
        for kind in [Kind::Vault, Kind::ManagedHsm] {
            if self.only.is_some_and(|only| only != kind) {
                continue;
            }
            let service = Service::start(kind, self.latency)?;
            for key in KEYS {
                let costs = self.contest(&service, key)?;
                let label = format!("{key}, {kind}");
                latency.push(row(&label, &costs, |cost| cost.latency.as_secs_f64() * 1e3));
                cpu.push(row(&label, &costs, |cost| cost.cpu.as_secs_f64() * 1e6));
            }
        }
        let table = |id: &str, caption: &str, unit, rows| Table {
            id: id.to_owned(),
            caption: caption.to_owned(),
            unit,
            rows,
        };
        section.tables = vec![
            table("latency", "time of a signature, p50", Unit::Milliseconds, latency),
            table("cpu", "processor time of a signature", Unit::Microseconds, cpu),
        ];
        Ok(section)
    }

    /// The costs of each contender, which take turns.
    fn contest(&self, service: &Service, key: Key) -> Result<Vec<(&'static str, Vec<Cost>)>> {
        let runtime = runtime()?;
        let mut bare = runtime.block_on(bare::Client::connect(service, key))?;
        let unchecked = runtime.block_on(library::Contender::open(service, key, false))?;
        let checked = runtime.block_on(library::Contender::open(service, key, true))?;
        let blocking = library::BlockingContender::open(service, key)?;
        let provider = match &self.provider {
            Some((programs, module)) => Some(Provider::open(programs, module, service, key)?),
            None => None,
        };
        let (count, mut all) = (self.count, vec![Vec::new(); CONTENDERS.len()]);
        // The first round warms up connections, caches and the processor's clock.
        for round in 0..=self.rounds {
            let mut costs = vec![
                runtime.block_on(cost::of(count, async || bare.sign().await))?,
                runtime.block_on(cost::of(count, async || unchecked.sign().await))?,
                runtime.block_on(cost::of(count, async || checked.sign().await))?,
                // Inside a tokio runtime the caller could not drive the library's own.
                executor::block_on(cost::of(count, async || blocking.sign()))?,
            ];
            if let Some(provider) = &provider {
                costs.push(provider.sign("unchecked.cnf", count)?);
                costs.push(provider.sign("checked.cnf", count)?);
            }
            if round > 0 {
                eprintln!("signatures, {key}, round {round}: {costs:?}");
                all.iter_mut().zip(costs).for_each(|(all, cost)| all.push(cost));
            }
        }
        Ok(CONTENDERS.into_iter().zip(all).filter(|(_, costs)| !costs.is_empty()).collect())
    }
}

/// A program that signs with the provider.
struct Provider<'a> {
    programs: &'a Programs,
    folder: TempDir,
    key: String,
}

impl<'a> Provider<'a> {
    fn open(programs: &'a Programs, module: &Path, service: &Service, key: Key) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        for (file, check) in [("checked.cnf", "yes"), ("unchecked.cnf", "no")] {
            let mut settings = service.settings(folder.path())?;
            settings.push(("verify-signatures", check.to_owned()));
            std::fs::write(folder.path().join(file), configuration(Some((module, &settings))))?;
        }
        Ok(Self { programs, folder, key: service.reference(key) })
    }

    fn sign(&self, config: &str, count: usize) -> Result<Cost> {
        let cost = self.programs.sign(&self.folder.path().join(config), &self.key, count)?;
        Ok(Cost {
            cpu: std::time::Duration::from_secs_f64(cost.cpu_us / 1e6),
            latency: std::time::Duration::from_secs_f64(cost.p50_ms / 1e3),
        })
    }
}

fn row(label: &str, costs: &[(&'static str, Vec<Cost>)], value: fn(&Cost) -> f64) -> Row {
    let cells = costs.iter().map(|(name, costs)| (*name, costs.iter().map(value).collect()));
    let ratios: Vec<_> = CONTENDERS[1..].iter().map(|name| (*name, BARE)).collect();
    Row::new(label, cells, &ratios)
}

/// The contender to profile.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Profiled {
    /// The bare client.
    Bare,
    /// The async API of `akv-core` without the local check.
    Core,
    /// The blocking API of `akv-core` without the local check.
    CoreBlocking,
}

/// Runs only one contender, for a profiler.
pub(crate) fn profile(profiled: Profiled, kind: Kind, latency: u64, count: usize) -> Result<()> {
    let (runtime, service) = (runtime()?, Service::start(kind, latency)?);
    for key in KEYS {
        let cost = match profiled {
            Profiled::Bare => runtime.block_on(async {
                let mut bare = bare::Client::connect(&service, key).await?;
                cost::of(count, async || bare.sign().await).await
            }),
            Profiled::Core => runtime.block_on(async {
                let contender = library::Contender::open(&service, key, false).await?;
                cost::of(count, async || contender.sign().await).await
            }),
            Profiled::CoreBlocking => {
                let contender = library::BlockingContender::open(&service, key)?;
                executor::block_on(cost::of(count, async || contender.sign()))
            }
        }?;
        println!("{key}: {cost:?}");
    }
    Ok(())
}

fn runtime() -> Result<Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}
