//! A build of AWS-LC from the crate `aws-lc-sys`, which this workspace uses without libssl: kept until
//! the crate changes.
//!
//! The crate's own feature `ssl` would change the build of everything else in the workspace.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use akv_tests::modules;
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use xshell::{Shell, cmd};

use crate::cache;

/// The variable that names the folder for the build; by default `aws-lc` in cargo's target folder.
const VARIABLE: &str = "AKV_AWS_LC_CACHE";

/// The file with the recipe of a build.
const RECIPE: &str = "akv-recipe";

/// Neither Go nor Perl is required: what they generate is in the crate. The sources stay as they
/// are, since they are cargo's.
const OPTIONS: [&str; 8] = [
    "-DCMAKE_BUILD_TYPE=Release",
    "-DCMAKE_INSTALL_LIBDIR=lib",
    "-DBUILD_SHARED_LIBS=OFF",
    "-DBUILD_TESTING=OFF",
    "-DBUILD_TOOL=OFF",
    "-DDISABLE_GO=ON",
    "-DDISABLE_PERL=ON",
    "-DENABLE_SOURCE_MODIFICATION=OFF",
];

/// The crate's version, and the folder with AWS-LC's libraries and headers, built if necessary.
pub(super) fn installation() -> Result<(String, PathBuf)> {
    let (version, source) = source()?;
    let folder = cache::folder(VARIABLE, "aws-lc")?;
    // One build at a time, across processes.
    let _lock = cache::lock(&folder.join("lock"), "builds AWS-LC")?;
    let prefix = folder.join("installed");
    let recipe = format!("aws-lc-sys {version}\n{}", OPTIONS.join(" "));
    if fs::read_to_string(prefix.join(RECIPE)).is_ok_and(|found| found == recipe) {
        println!("AWS-LC of aws-lc-sys {version}: {}", prefix.display());
        return Ok((version, prefix));
    }
    let started = Instant::now();
    let log = folder.join("log");
    println!(
        "building AWS-LC of aws-lc-sys {version} (2 minutes on an idle machine), kept in {}\n  \
         its output: {}",
        prefix.display(),
        log.display()
    );
    let work = folder.join("building");
    for old in [&work, &prefix] {
        if old.exists() {
            fs::remove_dir_all(old)?;
        }
    }
    compile(&source, &work, &prefix, &log).with_context(|| {
        format!("AWS-LC cannot be built; the end of {log:?}:\n{}", cache::end_of(&log))
    })?;
    fs::remove_dir_all(&work)?;
    // The last step, so that an incomplete installation has none.
    fs::write(prefix.join(RECIPE), recipe)?;
    println!("AWS-LC is built, after {} s", started.elapsed().as_secs());
    Ok((version, prefix))
}

/// The version of the crate in this workspace, and the folder with its sources of AWS-LC.
fn source() -> Result<(String, PathBuf)> {
    let shell = Shell::new()?;
    shell.change_dir(modules::workspace());
    let cargo = modules::cargo();
    let options = ["--format-version", "1", "--quiet", "--locked"];
    let metadata = cmd!(shell, "{cargo} metadata {options...}").quiet().read()?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().context("`cargo metadata` names no packages")?;
    let found: Vec<&Value> =
        packages.iter().filter(|package| package["name"] == "aws-lc-sys").collect();
    ensure!(found.len() == 1, "the workspace has {} versions of aws-lc-sys", found.len());
    let text = |field: &str| {
        found[0][field].as_str().with_context(|| format!("aws-lc-sys has no {field}"))
    };
    let source = Path::new(text("manifest_path")?).with_file_name("aws-lc");
    Ok((text("version")?.to_owned(), source))
}

/// Configures, compiles and installs, with low priority: it uses all processors for minutes.
fn compile(source: &Path, work: &Path, prefix: &Path, log: &Path) -> Result<()> {
    let shell = Shell::new()?;
    let jobs = std::thread::available_parallelism().map_or(1, usize::from).to_string();
    let prefix = format!("-DCMAKE_INSTALL_PREFIX={}", prefix.display());
    let script = r#"exec >"$1" 2>&1; shift; set -ex
unset CFLAGS CPPFLAGS CXXFLAGS LDFLAGS MAKEFLAGS
jobs=$1; source=$2; work=$3; shift 3
cmake -G "Unix Makefiles" -S "$source" -B "$work" "$@"
nice -n 10 cmake --build "$work" --parallel "$jobs"
cmake --install "$work""#;
    cmd!(shell, "sh -c {script} sh {log} {jobs} {source} {work} {OPTIONS...} {prefix}")
        .quiet()
        .run()?;
    Ok(())
}
