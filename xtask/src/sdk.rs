//! Microsoft's own clients for Python and JavaScript, against the embedded vault.

mod javascript;
mod node;
mod python;
mod report;
mod scene;
mod suite;

use std::{env, fs, path::Path, time::Instant};

use akv_tests::namespace::{self, Files};
use anyhow::{Context as _, Result, ensure};
use xshell::{Shell, cmd};

use self::{report::Report, scene::Scene};
use crate::{cache, needs};

/// The variable that names the folder for the clients; by default `sdk` in cargo's target folder.
const VARIABLE: &str = "AKV_SDK_CACHE";

/// The service, its authority and this machine.
const HOSTS: &str = "127.0.0.1 localhost myvault.vault.azure.net myhsm.managedhsm.azure.net \
                     login.microsoftonline.com\n";

/// Sets up the address of a virtual machine's metadata service, and the folder of an Azure Arc
/// server's agent, which clients cannot configure.
const MACHINE: &str = "ip address add 169.254.169.254/32 dev lo && \
                       mount -t tmpfs tmpfs /var/opt && mkdir -p /var/opt/azcmagent/tokens";

/// Installs the clients, runs their cases against the embedded vault under the real host names, and
/// prints the results.
///
/// # Errors
/// A client cannot be installed, or a case did not pass.
pub(crate) fn matrix() -> Result<()> {
    let missing = needs::install(&needs::FOR_SDK)?;
    ensure!(missing.is_empty(), "{}", needs::explain(&missing));
    let cache = cache::folder(VARIABLE, "sdk")?;
    let _lock = cache::lock(&cache.join("lock"), &format!("uses {}", cache.display()))?;
    let suites = [python::install(&cache)?, javascript::install(&cache)?];
    let reports = cache.join("reports");
    if reports.exists() {
        fs::remove_dir_all(&reports)?;
    }
    fs::create_dir(&reports)?;

    let started = Instant::now();
    let folder = tempfile::tempdir()?;
    let files = Files { hosts: HOSTS, ..Files::default() };
    let (shell, program) = (Shell::new()?, env::current_exe()?);
    let inside = namespace::command(files, folder.path(), MACHINE)?;
    let command = cmd!(shell, "env {inside...} {program} hosts --sdk --inside {cache}");
    let outcome = command.quiet().run();

    let mut report = Report::default();
    for suite in &suites {
        report.add(suite)?;
    }
    println!("\n{}", report.text());
    println!("after {} s", started.elapsed().as_secs());
    report.refuse_failures()?;
    outcome.context(
        "the programs stopped early, or this machine does not permit network and mount \
         namespaces, which require root or unprivileged user namespaces",
    )?;
    println!("all {} cases passed", report.all_ran()?);
    Ok(())
}

/// The part of [`matrix`] that runs in the namespace where the real host names mean this machine.
pub(crate) fn inside(cache: &Path) -> Result<()> {
    let scene = Scene::set()?;
    let suites = [python::suite(cache), javascript::suite(cache)?];
    let ended: Vec<bool> = suites.iter().map(|suite| suite.run(&scene)).collect::<Result<_>>()?;
    ensure!(ended.iter().all(|success| *success), "a program failed");
    Ok(())
}
