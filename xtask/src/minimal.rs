//! The tests' requirements on a minimal Debian 12, where anything not on the list is missing.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use akv_tests::{modules, namespace};
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use xshell::{Cmd, Shell, cmd};

use crate::{
    cache,
    debian::{self, Mirror},
    needs::{self, ESSENTIAL},
};

/// The variable that names the folder for the system; by default `debian12` in cargo's target
/// folder.
const VARIABLE: &str = "AKV_DEBIAN12_CACHE";

/// Tests that need only the programs of the minimal system: they run before anything is installed
/// there.
const FRUGAL: &[&str] = &["--package", "akv-emulator", "--test", "program"];

/// A test with its own network and files, which runs after the requirements are installed.
const APART: &[&str] = &["--package", "akv-cli", "--test", "commands"];
const APART_NAME: &str = "doctor::missing_route_is_reported";

/// Mounts the folders that follow into the system, at the same paths as here, and runs a command
/// there. The system's folder becomes a mount point, like a root directory elsewhere. Nothing stays
/// mounted after it.
const ENTER: &str = r#"set -e; root=$1; shift
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
while [ "$1" != -- ]; do
    mkdir -p "$root$1"; mount --bind "$1" "$root$1"; shift
done
shift
exec chroot "$root" env -i -C "$PWD" HOME=/root "$@""#;
/// Variables that are passed on: which Rust to use, where mirrors of packages are, and files with
/// certificates to trust them by, which are copied.
const PASSED_ON: [&str; 7] = [
    "RUSTUP_AUTO_INSTALL",
    "RUSTUP_TOOLCHAIN",
    "PIP_INDEX_URL",
    "NPM_CONFIG_REGISTRY",
    "PIP_CERT",
    "SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
];
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Creates the system if necessary, and tests the requirements in a copy of it; `full` also runs
/// all of `cargo xtask test`.
///
/// # Errors
/// The system cannot be created, something is missing in it, or a test did not pass.
pub(crate) fn matrix(full: bool) -> Result<()> {
    debian::prepare(&[])?;
    namespace::check_root()?;
    let cache = cache::folder(VARIABLE, "debian12")?;
    let _lock = cache::lock(&cache.join("lock"), &format!("uses {}", cache.display()))?;
    let root = System::fresh(&cache)?;
    for (program, _) in ESSENTIAL {
        ensure!(root.has(program), "{program} is not in the minimal system");
    }
    println!("the minimal system has all {} essential programs", ESSENTIAL.len());
    root.run(&[executable(FRUGAL)?])?;
    root.run(&[env::current_exe()?.as_os_str(), "setup".as_ref()])?;
    for need in needs::FOR_TESTS {
        let there = need.name.starts_with('/') || root.has(need.name);
        ensure!(
            there,
            "{} is still missing: the package {} does not contain it",
            need.name,
            need.package
        );
    }
    println!("everything in the list of needs was installed");
    let apart = executable(APART)?;
    // It uses no module.
    let modules = format!("{}=/", modules::VARIABLE);
    root.run(&["env", &modules, &apart.to_string_lossy(), "--exact", APART_NAME])?;
    if full {
        root.run(&[modules::cargo().as_os_str(), "xtask".as_ref(), "test".as_ref()])?;
    }
    root.remove()
}

/// A system in a folder.
struct System(PathBuf);

impl System {
    /// A copy of the system in the cache, which is created first if necessary: packages of an
    /// earlier run must not count.
    fn fresh(cache: &Path) -> Result<Self> {
        let (base, making) = (cache.join("base"), cache.join("making"));
        let (log, copy) = (cache.join("log"), Self(cache.join("root")));
        let shell = Shell::new()?;
        let mirror = Mirror::find()?;
        if !base.exists() {
            println!("building Debian 12 (a minute or two), kept in {}", base.display());
            Self(making.clone()).remove()?;
            let script =
                r#"exec >"$1" 2>&1; shift; exec debootstrap --variant=minbase bookworm "$@""#;
            let main = &mirror.main;
            let made = cmd!(shell, "sh -c {script} sh {log} {making} {main}").quiet().run();
            made.with_context(|| {
                format!("Debian 12 cannot be built; the end of {log:?}:\n{}", cache::end_of(&log))
            })?;
            fs::rename(&making, &base)?;
        }
        copy.remove()?;
        let to = &copy.0;
        cmd!(shell, "cp -a {base} {to}").quiet().run()?;
        let mut sources = format!("deb {} bookworm main\n", mirror.main);
        if let Some(security) = &mirror.security {
            sources.push_str(&format!("deb {security} bookworm-security main\n"));
        }
        fs::write(to.join("etc/apt/sources.list"), sources)?;
        fs::copy("/etc/resolv.conf", to.join("etc/resolv.conf"))?;
        // Mirrors lag behind, and so do the clocks of machines that run tests.
        let patience = "Acquire::Check-Valid-Until \"false\";\nAcquire::Check-Date \"false\";\n";
        fs::write(to.join("etc/apt/apt.conf.d/99akv"), patience)?;
        // Packages would start their servers.
        let policy = to.join("usr/sbin/policy-rc.d");
        fs::write(&policy, "#!/bin/sh\nexit 101\n")?;
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&policy, executable)?;
        for file in PASSED_ON.iter().filter_map(env::var_os).map(PathBuf::from) {
            let relative = file.strip_prefix("/").ok().filter(|_| file.is_file());
            if let Some(place) = relative.map(|relative| to.join(relative)) {
                fs::create_dir_all(place.parent().unwrap_or(to))?;
                fs::copy(&file, place)?;
            }
        }
        Ok(copy)
    }

    fn has(&self, program: &str) -> bool {
        let folders = ["usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin"];
        folders.iter().any(|folder| self.0.join(folder).join(program).symlink_metadata().is_ok())
    }

    /// Runs a program in it, with this machine's sources, build and Rust.
    fn run<S: AsRef<std::ffi::OsStr>>(&self, command: &[S]) -> Result<()> {
        let shell = Shell::new()?;
        shell.change_dir(modules::workspace());
        let root = &self.0;
        let options = ["--mount", "--propagation", "private", "--"];
        let command = cmd!(shell, "unshare {options...} sh -c {ENTER} sh {root}")
            .args(shared()?)
            .arg("--")
            .args(rust())
            .args(command);
        Ok(Cmd::quiet(command).run()?)
    }

    /// Removes it, but nothing that is mounted in it.
    fn remove(&self) -> Result<()> {
        let (shell, folder) = (Shell::new()?, &self.0);
        Ok(cmd!(shell, "rm -rf --one-file-system {folder}").quiet().run()?)
    }
}

/// The folders that the system shares with this machine.
fn shared() -> Result<Vec<PathBuf>> {
    let own = env::current_exe()?;
    let build = own.ancestors().nth(2).context("the folder of the build")?.to_owned();
    let homes = homes().into_iter().map(|(_, folder)| folder);
    let all = [modules::workspace().to_owned(), build].into_iter().chain(homes);
    Ok(all.filter(|folder| folder.exists()).collect())
}

/// The variables for Rust and the system's programs.
fn rust() -> Vec<String> {
    let homes = homes();
    let programs = homes[0].1.join("bin");
    let mut all = vec![format!("PATH={}:{PATH}", programs.display())];
    all.extend(homes.iter().map(|(name, folder)| format!("{name}={}", folder.display())));
    let passed_on =
        PASSED_ON.iter().filter_map(|name| Some(format!("{name}={}", env::var(name).ok()?)));
    all.extend(passed_on);
    all
}

fn homes() -> [(&'static str, PathBuf); 2] {
    let home = PathBuf::from(env::var_os("HOME").unwrap_or_else(|| "/root".into()));
    [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")].map(|(name, folder)| {
        (name, env::var_os(name).map_or_else(|| home.join(folder), PathBuf::from))
    })
}

/// Builds a test program here, and returns its path.
fn executable(test: &[&str]) -> Result<PathBuf> {
    let shell = Shell::new()?;
    shell.change_dir(modules::workspace());
    let cargo = modules::cargo();
    let options = ["test", "--no-run", "--message-format", "json"];
    let output = cmd!(shell, "{cargo} {options...} {test...}").quiet().read()?;
    let messages = output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let found = messages
        .filter(|message| message["profile"]["test"] == true)
        .find_map(|message| Some(PathBuf::from(message["executable"].as_str()?)));
    found.with_context(|| format!("cargo built no program for {test:?}"))
}
