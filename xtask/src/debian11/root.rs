//! Debian 11 in a folder, created once and kept.

use std::{
    fs,
    fs::File,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Instant,
};

use akv_tests::namespace;
use anyhow::{Context as _, Result, ensure};
use xshell::{Cmd, Shell, cmd};

use super::mirror::Mirror;
use crate::cache;

/// The variable that names the folder for the system; by default `debian11` in cargo's target
/// folder.
const VARIABLE: &str = "AKV_DEBIAN11_CACHE";

/// The file with the recipe of a system.
const RECIPE: &str = "akv-recipe";

/// The hosts, after the libraries with which they are linked.
pub(super) const PACKAGES: [&str; 9] =
    ["libc6", "libssl1.1", "openssl", "nginx", "apache2", "haproxy", "curl", "stunnel4", "nodejs"];

/// Points the service's names at the embedded vault if no endpoint is set.
const HOSTS: &str = "127.0.0.1 localhost myvault.vault.azure.net myhsm.managedhsm.azure.net\n";

/// Mounts the folder of the second argument, the devices and the processes in the system, for one
/// command. Nothing stays mounted after it.
const ENTER: &str = r#"root=$1 shared=$2; shift 2
mount --bind "$shared" "$root$shared" &&
mount -t proc proc "$root/proc" &&
mount --rbind /dev "$root/dev" &&
exec "$@""#;

/// The system.
pub(super) struct Root {
    folder: PathBuf,
    _in_use: File,
}

impl Root {
    /// The system in the cache, created if necessary. Only one process at a time uses it.
    pub(super) fn open() -> Result<Self> {
        namespace::check_root()?;
        let cache = cache::folder(VARIABLE, "debian11")?;
        let lock = cache::lock(&cache.join("lock"), &format!("uses {}", cache.display()))?;
        let root = Self { folder: cache.join("root"), _in_use: lock };
        if fs::read_to_string(root.folder.join(RECIPE)).is_ok_and(|found| found == recipe()) {
            println!("Debian 11: {}", root.folder.display());
        } else {
            root.make(&cache.join("making"), &cache.join("log"))?;
        }
        Ok(root)
    }

    /// Its folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The start of a command in a mount namespace where the system has this folder at the same
    /// path.
    pub(super) fn beside<'a>(&self, shell: &'a Shell, shared: &Path) -> Cmd<'a> {
        enter(shell, &self.folder, shared)
    }

    /// Name and version of each host.
    pub(super) fn versions(&self) -> Result<Vec<(String, String)>> {
        let (shell, folder) = (Shell::new()?, &self.folder);
        let format = "${Package} ${Version}\n";
        let output = cmd!(shell, "chroot {folder} dpkg-query -W -f {format} {PACKAGES...}");
        let output = output.quiet().read()?;
        let pairs = output.lines().filter_map(|line| line.split_once(' '));
        Ok(pairs.map(|(name, version)| (name.to_owned(), version.to_owned())).collect())
    }

    /// Builds the system next to its final path, and moves it there when it is complete.
    fn make(&self, work: &Path, log: &Path) -> Result<()> {
        let (started, mirror) = (Instant::now(), Mirror::find()?);
        println!(
            "building Debian 11 (a minute or two), kept in {}\n  its output: {}",
            self.folder.display(),
            log.display()
        );
        remove(&self.folder)?;
        remove(work)?;
        fs::create_dir_all(work)?;
        // Written first, so that an incomplete system may be removed.
        fs::write(work.join(RECIPE), "")?;
        bootstrap(work, log, &mirror).with_context(|| {
            format!("Debian 11 cannot be built; the end of {log:?}:\n{}", cache::end_of(log))
        })?;
        fs::write(work.join(RECIPE), recipe())?;
        fs::rename(work, &self.folder)?;
        println!("Debian 11 is ready after {} s", started.elapsed().as_secs());
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
fn recipe() -> String {
    format!("1 {HOSTS}{}\n", PACKAGES.join(" "))
}

fn enter<'a>(shell: &'a Shell, root: &Path, shared: &Path) -> Cmd<'a> {
    let options = ["--mount", "--propagation", "private", "--"];
    cmd!(shell, "unshare {options...} sh -c {ENTER} sh {root} {shared}")
}

fn bootstrap(root: &Path, log: &Path, mirror: &Mirror) -> Result<()> {
    let shell = Shell::new()?;
    let main = &mirror.main;
    let script = r#"exec >"$1" 2>&1; shift; exec debootstrap --variant=minbase bullseye "$@""#;
    cmd!(shell, "sh -c {script} sh {log} {root} {main}").quiet().run()?;

    let mut sources = format!("deb {main} bullseye main\n");
    if let Some(security) = &mirror.security {
        sources.push_str(&format!("deb {security} bullseye-security main\n"));
    }
    fs::write(root.join("etc/apt/sources.list"), sources)?;
    fs::write(root.join("etc/hosts"), HOSTS)?;
    // Packages would start their servers.
    let policy = root.join("usr/sbin/policy-rc.d");
    fs::write(&policy, "#!/bin/sh\nexit 101\n")?;
    fs::set_permissions(&policy, fs::Permissions::from_mode(0o755))?;

    let packages = PACKAGES.join(" ");
    // The release is old: its lists are no longer signed again.
    let install = format!(
        "exec >>\"$1\" 2>&1; root=$2\n\
         get() {{ chroot \"$root\" env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -qq \
         -o Acquire::Check-Valid-Until=false -o Dpkg::Use-Pty=0 \"$@\"; }}\n\
         get update && get install --yes --no-install-recommends {packages} && get clean"
    );
    let shared = tempfile::Builder::new().prefix("akv-").tempdir_in("/tmp")?;
    let place = mount_point(root, shared.path())?;
    enter(&shell, root, shared.path())
        .args(["sh", "-c", &install, "sh"])
        .arg(log)
        .arg(root)
        .quiet()
        .run()?;
    Ok(fs::remove_dir(place)?)
}

/// Creates the mount point for a folder of this machine.
pub(super) fn mount_point(root: &Path, shared: &Path) -> Result<PathBuf> {
    let place = root.join(shared.strip_prefix("/")?);
    fs::create_dir_all(&place).with_context(|| format!("cannot create {place:?}"))?;
    Ok(place)
}
