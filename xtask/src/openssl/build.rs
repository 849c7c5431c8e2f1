//! Builds of OpenSSL: program, shared libraries and headers, built once and kept.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use akv_tests::Installation;
use anyhow::{Context as _, Result, bail, ensure};
use xshell::{Shell, cmd};

use super::{Release, source};
use crate::cache;

/// The variable that names the folder for the builds; by default `openssl` in cargo's target
/// folder.
const VARIABLE: &str = "AKV_OPENSSL_CACHE";

/// The file with the recipe of a build.
const RECIPE: &str = "akv-recipe";

/// OpenSSL's own tests and manuals are not in the crate; everything else is built.
const OPTIONS: [&str; 3] = ["shared", "no-tests", "--libdir=lib"];

/// The folder with one build per version.
pub(super) struct Cache(PathBuf);

impl Cache {
    pub(super) fn open() -> Result<Self> {
        Ok(Self(cache::folder(VARIABLE, "openssl")?))
    }

    /// A release, built if necessary.
    pub(super) fn installation(&self, release: Release) -> Result<Installation> {
        let prefix = self.0.join(release.number);
        // One build at a time, across processes. The lock is also released when the process ends.
        let _lock = cache::lock(
            &self.0.join(format!("{}.lock", release.number)),
            &format!("builds OpenSSL {}", release.number),
        )?;
        let recipe = recipe(release);
        if fs::read_to_string(prefix.join(RECIPE)).is_ok_and(|found| found == recipe) {
            println!("OpenSSL {}: {}", release.number, prefix.display());
        } else {
            self.build(release, &prefix, &recipe)?;
        }
        let installation = Installation::at(prefix);
        let version = installation.version()?;
        if version != release.number {
            bail!("the build of OpenSSL {} reports the version {version}", release.number);
        }
        Ok(installation)
    }

    /// Builds next to the final path, and moves the result there when it is complete.
    fn build(&self, release: Release, prefix: &Path, recipe: &str) -> Result<()> {
        let started = Instant::now();
        let log = self.0.join(format!("{}.log", release.number));
        println!(
            "building OpenSSL {} (2 to 6 minutes on an idle machine), kept in {}\n  its output: {}",
            release.number,
            prefix.display(),
            log.display()
        );
        let work = self.0.join(format!("{}.building", release.number));
        if prefix.exists() {
            // Our builds contain their recipe.
            ensure!(
                prefix.join(RECIPE).exists(),
                "{prefix:?} exists, and was not created by this command"
            );
            fs::remove_dir_all(prefix)?;
        }
        if work.exists() {
            fs::remove_dir_all(&work)?;
        }
        fs::create_dir_all(&work)?;
        let source = work.join("source");
        source::unpack(release, &source)?;
        let stage = work.join("stage");
        compile(&source, prefix, &stage, &log).with_context(|| {
            let end = cache::end_of(&log);
            format!("OpenSSL {} cannot be built; the end of {log:?}:\n{end}", release.number)
        })?;
        // In `stage`, files have their full absolute path.
        let staged = stage.join(prefix.strip_prefix("/")?);
        fs::write(staged.join(RECIPE), recipe)?;
        fs::rename(&staged, prefix)?;
        fs::remove_dir_all(&work)?;
        println!("OpenSSL {} is built, after {} s", release.number, started.elapsed().as_secs());
        Ok(())
    }
}

fn recipe(release: Release) -> String {
    format!("{}\n{}", OPTIONS.join(" "), source::fingerprint(release))
}

/// Configures, compiles and installs into `stage`, with low priority: it uses all processors for
/// minutes.
fn compile(source: &Path, prefix: &Path, stage: &Path, log: &Path) -> Result<()> {
    let shell = Shell::new()?;
    shell.change_dir(source);
    let jobs = std::thread::available_parallelism().map_or(1, usize::from).to_string();
    let folders = [
        format!("--prefix={}", prefix.display()),
        format!("--openssldir={}", prefix.join("ssl").display()),
        // So that the program can also be run by hand. The tests set the folder themselves.
        format!("-Wl,-rpath,{}", prefix.join("lib").display()),
    ];
    let script = r#"exec >"$1" 2>&1; shift; set -ex
unset CFLAGS CPPFLAGS LDFLAGS LDLIBS MAKEFLAGS OPENSSL_CONF
jobs=$1; stage=$2; shift 2
if grep -q build_sw Configurations/unix-Makefile.tmpl; then
    perl ./Configure "$@"
    nice -n 10 make -j "$jobs" build_sw
else
    # 1.1.1: another script finds out what machine this is.
    sh ./config "$@"
    nice -n 10 make -j "$jobs" all
fi
nice -n 10 make DESTDIR="$stage" install_sw"#;
    cmd!(shell, "sh -c {script} sh {log} {jobs} {stage} {OPTIONS...} {folders...}")
        .quiet()
        .run()?;
    Ok(())
}
