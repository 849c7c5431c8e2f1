//! Runs each program in a process and namespaces of its own, and makes the table.

use std::{
    collections::VecDeque,
    env, fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
    time::Instant,
};

use akv_matrix::{Host, Places, Release, Row, RowResult};
use akv_tests::modules;
use anyhow::{Context as _, Result, ensure};
use xshell::{Shell, cmd};

use crate::{
    build::Build,
    debian::{self, HOSTS_12, HOSTS_13, HOSTS_SID, Root, Suite},
    needs,
};

/// Programs that run at the same time.
const TOGETHER: usize = 2;

/// Before the program: its own view of processes, and memory for the files that it writes. The
/// shell waits for the orphans of the namespace.
const ENTER: &str = r#"mount -t proc proc /proc && mount -t tmpfs -o mode=755 tmpfs "$1" && shift \
    && "$@"; exit $?"#;

/// Kills everything in the namespaces when the program ends.
const ALONE: [&str; 8] =
    ["--net", "--ipc", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"];

const fn suite(release: Release) -> &'static Suite {
    match release {
        Release::Debian12 => &HOSTS_12,
        Release::Debian13 => &HOSTS_13,
        Release::Sid => &HOSTS_SID,
    }
}

const fn option(release: Release) -> &'static str {
    match release {
        Release::Debian12 => "--debian12",
        Release::Debian13 => "--debian13",
        Release::Sid => "--sid",
    }
}

/// Runs these hosts, and prints the table.
///
/// # Errors
/// The system or the modules cannot be made, or a host did not pass.
pub(super) fn run(hosts: &[&'static Host], release: Release, write: bool) -> Result<()> {
    debian::prepare(&needs::FOR_PROGRAMS)?;
    let root = Root::open(suite(release))?;
    let packages: Vec<&str> = hosts.iter().flat_map(|host| host.packages).copied().collect();
    root.install(&packages)?;
    let built = match modules::existing() {
        Some(folder) => folder,
        None => Build::default().run()?,
    };
    let started = Instant::now();
    let rows = all(hosts, release, &root, &built)?;
    let versions = root.versions_of(&[&packages[..], &["openssl"]].concat())?;
    let version = |package: &str| {
        let found = versions.iter().find(|(name, _)| name == package);
        found.map_or_else(|| "–".to_owned(), |(_, version)| version.clone())
    };
    let with_version = |row: &Row| {
        let host = akv_matrix::find(&row.host);
        (row.clone(), host.map_or_else(String::new, |host| version(host.packages[0])))
    };
    let table = akv_matrix::markdown(&rows.iter().map(with_version).collect::<Vec<_>>());
    println!("\n{}\n\n{table}", release.name());
    println!("{} programs in {} s", hosts.len(), started.elapsed().as_secs());
    if write {
        let page = modules::workspace().join("docs/hosts.md");
        let text = fs::read_to_string(&page)?;
        let facts = format!("OpenSSL {}.", version("openssl"));
        fs::write(&page, akv_matrix::replace(&text, release, &table, &facts)?)?;
    }
    let failed = rows.iter().filter_map(|row| match &row.result {
        RowResult::Failed(reason) => Some(format!("{}, {}: {reason}", row.host, row.way)),
        _ => None,
    });
    let failed: Vec<String> = failed.collect();
    ensure!(failed.is_empty(), "{} did not pass:\n{}", failed.len(), failed.join("\n\n"));
    Ok(())
}

/// Runs them, some at a time. One that ends without results has not passed.
fn all(hosts: &[&'static Host], release: Release, root: &Root, built: &Path) -> Result<Vec<Row>> {
    let waiting = Mutex::new(hosts.iter().copied().collect::<VecDeque<_>>());
    let rows = Mutex::new(Vec::new());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    thread::scope(|scope| {
        for _ in 0..TOGETHER {
            scope.spawn(|| {
                while let Some(host) = next() {
                    let found = one(host, release, root, built).unwrap_or_else(|error| {
                        let result = RowResult::Failed(format!("{error:#}"));
                        vec![Row { host: host.name.to_owned(), way: "–".to_owned(), result }]
                    });
                    rows.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
                }
            });
        }
    });
    let mut rows = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
    rows.sort_by(|one, other| one.host.cmp(&other.host));
    Ok(rows)
}

fn one(host: &Host, release: Release, root: &Root, built: &Path) -> Result<Vec<Row>> {
    let folder = tempfile::Builder::new().prefix("akv-machine-").tempdir()?;
    let work = folder.path().join("work");
    fs::create_dir(&work)?;
    let results = folder.path().join("results");
    let (shell, own, option) = (Shell::new()?, env::current_exe()?, option(release));
    let (system, name) = (root.folder(), host.name);
    let inside = ["--within".as_ref(), system.as_os_str(), built.as_os_str(), work.as_os_str()];
    cmd!(shell, "unshare {ALONE...} -- sh -c {ENTER} sh {work} {own} hosts {option} {name}")
        .args(inside)
        .arg(&results)
        .quiet()
        .run()
        .with_context(|| format!("{name} could not be tried"))?;
    let text = fs::read_to_string(&results).with_context(|| format!("{name} has no results"))?;
    Ok(serde_json::from_str(&text)?)
}

/// Inside of the namespaces: runs one host, and writes its results.
///
/// # Errors
/// Nothing could be tried.
pub(super) fn inside(
    host: &Host,
    release: Release,
    [system, modules, work]: [&PathBuf; 3],
    results: &Path,
) -> Result<()> {
    let places = Places { system: system.clone(), modules: modules.clone(), work: work.clone() };
    let rows = akv_matrix::run(host, release, &places)?;
    Ok(fs::write(results, serde_json::to_string(&rows)?)?)
}
