//! The clients for Python, in a virtual environment; `tests/sdk/python` runs under pytest.

use std::path::{Path, PathBuf};

use akv_tests::modules;
use anyhow::{Result, ensure};
use xshell::{Shell, cmd};

use super::suite::{self, Suite};

/// Packages, versions and hashes, in pip's format.
const REQUIREMENTS: &str = include_str!("../../../tests/sdk/python/requirements.txt");

const CLIENTS: [&str; 3] = ["azure-identity", "azure-keyvault-keys", "azure-keyvault-certificates"];

/// Earlier versions require more packages, which `requirements.txt` does not list.
const OLDEST: [u32; 2] = [3, 11];

const VERSIONS: &str = "import importlib.metadata, sys
for name in sys.argv[1:]: print(importlib.metadata.version(name))";

fn tests() -> PathBuf {
    modules::workspace().join("tests/sdk/python")
}

/// The suite, whether it is installed or not.
pub(super) fn suite(cache: &Path) -> Suite {
    let report = cache.join("reports/python.xml");
    let options = ["-B", "-m", "pytest", "-p", "no:cacheprovider", "-o", "junit_logging=no"];
    let mut arguments: Vec<String> = options.map(str::to_owned).to_vec();
    arguments.push(format!("--junitxml={}", report.display()));
    Suite {
        language: "Python",
        clients: Vec::new(),
        report,
        program: cache.join("python/bin/python"),
        arguments,
        folder: tests(),
    }
}

/// A virtual environment with exactly the packages of a file, created unless the same recipe
/// already created it.
pub(super) fn environment(folder: &Path, recipe: &str, requirements: &Path) -> Result<()> {
    let registry = "PyPI or a mirror of it (PIP_INDEX_URL)";
    suite::once(folder, recipe, registry, || {
        let shell = Shell::new()?;
        cmd!(shell, "python3 -m venv --clear {folder}").quiet().run()?;
        let pip = folder.join("bin/pip");
        let options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"];
        let command =
            cmd!(shell, "{pip} install {options...} --only-binary :all: -r {requirements}");
        Ok(command.quiet().run()?)
    })
}

/// The clients, installed if necessary.
pub(super) fn install(cache: &Path) -> Result<Suite> {
    let (shell, folder) = (Shell::new()?, cache.join("python"));
    let version = cmd!(shell, "python3 --version").quiet().read()?;
    let version = version.trim_start_matches("Python ");
    let numbers: Vec<u32> = version.split('.').map_while(|part| part.parse().ok()).collect();
    ensure!(
        numbers >= OLDEST.to_vec(),
        "the packages require Python 3.11 or later, but `python3` is {version}"
    );
    environment(&folder, &format!("{version}\n{REQUIREMENTS}"), &tests().join("requirements.txt"))?;
    let mut suite = suite(cache);
    let program = &suite.program;
    let versions = cmd!(shell, "{program} -c {VERSIONS} {CLIENTS...}").quiet().read()?;
    suite.clients.push(("Python".into(), version.to_owned()));
    let clients = CLIENTS.into_iter().zip(versions.lines());
    suite.clients.extend(clients.map(|(name, version)| (name.to_owned(), version.to_owned())));
    Ok(suite)
}
