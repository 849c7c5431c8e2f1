//! Runs one host.

use std::{path::PathBuf, time::Instant};

use anyhow::{Context as _, Result, ensure};

use crate::{
    authority::Authority,
    cloud::Cloud,
    hosts::{Host, Test, Way},
    keys::Kind,
    packages,
    recipe::Recipe,
    release::Release,
    report::{self, Row},
    scene::{Scene, Stage},
};

/// Folders.
#[derive(Clone, Debug)]
pub struct Places {
    /// The system with the host's packages.
    pub system: PathBuf,
    /// The built modules.
    pub modules: PathBuf,
    /// An empty folder.
    pub work: PathBuf,
}

/// Runs a host in namespaces of mounts, processes and the network that nothing else uses, and
/// returns one row for each way to name the key.
///
/// # Errors
/// Nothing could be tried.
pub fn run(host: &Host, release: Release, places: &Places) -> Result<Vec<Row>> {
    let (cloud, authority) = (&Cloud::connect()?, &Authority::new()?);
    let recipe = Recipe::open(host.name)?;
    let packages = packages::lay_out(&places.modules, places.work.join("packages"))?;
    let stage = Stage {
        layers: [&packages, &places.system],
        work: &places.work,
        cloud,
        authority,
        release,
    };
    let mut rows = Vec::new();
    for way in host.ways.iter().filter(|way| way.releases.contains(&release)) {
        let impossible = way.impossible.iter().find(|(releases, _)| releases.contains(&release));
        let result = match impossible {
            Some((_, reason)) => report::Result::Impossible((*reason).to_owned()),
            None => match all_kinds(host, way, &stage, &recipe) {
                Ok(checks) => report::Result::Passed(checks),
                Err(error) => report::Result::Failed(format!("{error:#}")),
            },
        };
        rows.push(Row { host: host.name.to_owned(), way: way.name.to_owned(), result });
    }
    ensure!(!rows.is_empty(), "{} names its key in no way", host.name);
    Ok(rows)
}

#[expect(clippy::print_stdout, reason = "progress of a command")]
fn all_kinds(host: &Host, way: &Way, stage: &Stage<'_>, recipe: &Recipe) -> Result<String> {
    for kind in way.kinds {
        let started = Instant::now();
        let place = format!("{}, {}, {}", host.name, way.name, kind.name());
        let scene = Scene::prepare(stage, *kind, recipe, way);
        let scene = scene.with_context(|| format!("{place}: preparation"))?;
        let result = check(&host.test, &scene);
        scene.end()?;
        let seconds = started.elapsed().as_secs();
        println!("  {place}: {} ({seconds} s)", if result.is_ok() { "ok" } else { "FAILED" });
        result.with_context(|| place)?;
    }
    let kinds: Vec<&str> = way.kinds.iter().map(|kind: &Kind| kind.name()).collect();
    Ok(format!("{}; {}", host.checks(), kinds.join(", ")))
}

fn check(test: &Test, scene: &Scene<'_>) -> Result<()> {
    if let Test::Program(_) | Test::Server(_) = test {
        scene.run_commands().context("the recipe's commands")?;
    }
    match test {
        Test::Server(server) => server.check(scene),
        Test::Program(check) | Test::Client(check) => {
            check(scene)?;
            scene.check_disk()
        }
    }
}
