//! The clients for JavaScript, in an npm project; `tests/sdk/javascript` runs under `node --test`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use akv_tests::modules;
use anyhow::{Context as _, Result};
use serde_json::Value;
use xshell::{Shell, cmd};

use super::{
    node::Node,
    suite::{self, Suite},
};

/// Every package with its version and hash.
const LOCK: &str = include_str!("../../../tests/sdk/javascript/package-lock.json");

const CLIENTS: [&str; 3] =
    ["@azure/identity", "@azure/keyvault-keys", "@azure/keyvault-certificates"];

fn project(cache: &Path) -> PathBuf {
    cache.join("javascript")
}

/// The suite, whether it is installed or not.
pub(super) fn suite(cache: &Path) -> Result<Suite> {
    let report = cache.join("reports/javascript.xml");
    // One after the other: a fault affects the next request of any case.
    let mut arguments = vec![
        "--test".to_owned(),
        "--test-concurrency=1".to_owned(),
        "--test-reporter=dot".to_owned(),
        "--test-reporter-destination=stdout".to_owned(),
        "--test-reporter=junit".to_owned(),
        format!("--test-reporter-destination={}", report.display()),
    ];
    arguments.extend(files(&project(cache))?.into_iter().filter(|name| name.ends_with(".test.js")));
    Ok(Suite {
        language: "JavaScript",
        clients: Vec::new(),
        report,
        program: Node::find(cache).program,
        arguments,
        folder: project(cache),
    })
}

fn files(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {folder:?}"))?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut names: Vec<String> = names.collect::<Result<_>>()?;
    names.retain(|name| name.ends_with(".js") || name.ends_with(".json"));
    names.sort();
    Ok(names)
}

/// The project, created if necessary, with the current programs: Node looks for packages in the
/// folders above a program.
pub(super) fn install(cache: &Path) -> Result<Suite> {
    let (shell, folder) = (Shell::new()?, project(cache));
    let node = Node::find(cache);
    let version = node.install(cache)?;
    fs::create_dir_all(&folder)?;
    for name in files(&folder)? {
        fs::remove_file(folder.join(name))?;
    }
    let tests = modules::workspace().join("tests/sdk/javascript");
    for name in files(&tests)? {
        fs::copy(tests.join(&name), folder.join(&name))?;
    }
    let registry = "npm's registry or a mirror of it (npm_config_registry)";
    suite::once(&folder, &format!("{version}\n{LOCK}"), registry, || {
        let options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"];
        let command = cmd!(shell, "npm ci --prefix {folder} --loglevel=error {options...}");
        Ok(command.env("PATH", node.path()?).quiet().ignore_stdout().run()?)
    })?;
    let mut suite = suite(cache)?;
    suite.clients.push(("Node".into(), version));
    for name in CLIENTS {
        let file = folder.join("node_modules").join(name).join("package.json");
        let package: Value = serde_json::from_str(&fs::read_to_string(&file)?)?;
        let version = package["version"].as_str().with_context(|| format!("{file:?}: version"))?;
        suite.clients.push((name.to_owned(), version.to_owned()));
    }
    Ok(suite)
}
