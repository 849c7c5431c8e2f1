//! A system in a folder, created once and kept.

use std::{
    fs,
    fs::File,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Instant,
};

use akv_tests::namespace;
use anyhow::{Context as _, Result, ensure};
use xshell::{Shell, cmd};

use super::{mirror::Mirror, shared::Shared, suite::Suite};
use crate::cache;

/// The file with the recipe of a system.
const RECIPE: &str = "akv-recipe";

/// Points the service's names at the embedded vault if no endpoint is set.
const HOSTS: &str = "127.0.0.1 localhost myvault.vault.azure.net myhsm.managedhsm.azure.net\n";

/// The system.
pub(crate) struct Root {
    suite: &'static Suite,
    folder: PathBuf,
    _in_use: File,
}

impl Root {
    /// The system in the cache, created if necessary. Only one process at a time uses it.
    pub(crate) fn open(suite: &'static Suite) -> Result<Self> {
        namespace::check_root()?;
        let cache = cache::folder(suite.variable, suite.folder)?;
        let lock = cache::lock(&cache.join("lock"), &format!("uses {}", cache.display()))?;
        let root = Self { suite, folder: cache.join("root"), _in_use: lock };
        let recipe = recipe(suite);
        if fs::read_to_string(root.folder.join(RECIPE)).is_ok_and(|found| found == recipe) {
            println!("{}: {}", suite.name, root.folder.display());
        } else {
            root.make(&cache.join("making"), &cache.join("log"))?;
        }
        Ok(root)
    }

    /// Its folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Name and version of each package of the suite.
    pub(crate) fn versions(&self) -> Result<Vec<(String, String)>> {
        self.versions_of(self.suite.packages)
    }

    /// Name and version of each of these packages that is installed.
    pub(crate) fn versions_of(&self, packages: &[&str]) -> Result<Vec<(String, String)>> {
        let (shell, folder) = (Shell::new()?, &self.folder);
        let format = "${Package} ${Version} ${db:Status-Status}\n";
        let query = cmd!(shell, "chroot {folder} dpkg-query -W -f {format} {packages...}");
        // It fails if it does not know one, and prints the others.
        let output = query.quiet().ignore_status().ignore_stderr().read()?;
        let installed = output.lines().filter_map(|line| line.strip_suffix(" installed"));
        let pairs = installed.filter_map(|line| line.split_once(' '));
        Ok(pairs.map(|(name, version)| (name.to_owned(), version.to_owned())).collect())
    }

    /// Installs those of these packages that are missing.
    ///
    /// # Errors
    /// The archive has no such package, or it cannot be installed.
    pub(crate) fn install(&self, packages: &[&str]) -> Result<()> {
        let installed = self.versions_of(packages)?;
        let is_missing = |package: &&&str| !installed.iter().any(|(name, _)| name == **package);
        let missing: Vec<&str> = packages.iter().filter(is_missing).copied().collect();
        if missing.is_empty() {
            return Ok(());
        }
        println!("{}: installing {}", self.suite.name, missing.join(" "));
        let log = self.folder.with_file_name("log");
        apt(&self.folder, &log, &missing)
            .with_context(|| format!("the end of {log:?}:\n{}", cache::end_of(&log)))
    }

    /// Builds the system next to its final path, and moves it there when it is complete.
    fn make(&self, work: &Path, log: &Path) -> Result<()> {
        let (started, mirror, name) = (Instant::now(), Mirror::find()?, self.suite.name);
        println!(
            "building {name} (a minute or two), kept in {}\n  its output: {}",
            self.folder.display(),
            log.display()
        );
        remove(&self.folder)?;
        remove(work)?;
        fs::create_dir_all(work)?;
        // Written first, so that an incomplete system may be removed.
        fs::write(work.join(RECIPE), "")?;
        bootstrap(self.suite, work, log, &mirror).with_context(|| {
            format!("{name} cannot be built; the end of {log:?}:\n{}", cache::end_of(log))
        })?;
        fs::write(work.join(RECIPE), recipe(self.suite))?;
        fs::rename(work, &self.folder)?;
        println!("{name} is ready after {} s", started.elapsed().as_secs());
        Ok(())
    }
}

/// Removes a system of ours, but nothing that is mounted in it.
fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        ensure!(
            folder.join(RECIPE).exists(),
            "{folder:?} exists, and was not created by this command"
        );
        let shell = Shell::new()?;
        cmd!(shell, "rm -rf --one-file-system {folder}").quiet().run()?;
    }
    Ok(())
}

/// Changes when this file would build a different system.
fn recipe(suite: &Suite) -> String {
    format!("1 {HOSTS}{}\n", suite.packages.join(" "))
}

fn bootstrap(suite: &Suite, root: &Path, log: &Path, mirror: &Mirror) -> Result<()> {
    let shell = Shell::new()?;
    let (main, codename) = (&mirror.main, suite.codename);
    let script = r#"exec >"$1" 2>&1; shift; exec debootstrap --variant=minbase "$@""#;
    cmd!(shell, "sh -c {script} sh {log} {codename} {root} {main}").quiet().run()?;

    let mut sources = format!("deb {main} {codename} main\n");
    if let Some(security) = &mirror.security
        && suite.updates
    {
        sources.push_str(&format!("deb {security} {codename}-security main\n"));
    }
    fs::write(root.join("etc/apt/sources.list"), sources)?;
    fs::write(root.join("etc/hosts"), HOSTS)?;
    // Packages would start their servers.
    let policy = root.join("usr/sbin/policy-rc.d");
    fs::write(&policy, "#!/bin/sh\nexit 101\n")?;
    fs::set_permissions(&policy, fs::Permissions::from_mode(0o755))?;

    apt(root, log, suite.packages)
}

/// Installs packages in the system in `root`.
fn apt(root: &Path, log: &Path, packages: &[&str]) -> Result<()> {
    let (shell, packages) = (Shell::new()?, packages.join(" "));
    // The lists of an old release are no longer signed again.
    let install = format!(
        "exec >>\"$1\" 2>&1; root=$2\n\
         get() {{ chroot \"$root\" env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -qq \
         -o Acquire::Check-Valid-Until=false -o Dpkg::Use-Pty=0 \"$@\"; }}\n\
         get update && get install --yes --no-install-recommends {packages} && get clean"
    );
    let shared = Shared::with([root])?;
    let command = shared.command(&shell).args(["sh", "-c", &install, "sh"]);
    Ok(command.arg(log).arg(root).quiet().run()?)
}
