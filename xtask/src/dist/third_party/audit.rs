//! The list of dependencies that `cargo-auditable` has put into an artifact.

use std::{collections::BTreeSet, path::Path};

use anyhow::{Context as _, Result, ensure};
use auditable_info::{Limits, audit_info_from_file};
use auditable_serde::VersionInfo;
use xshell::{Shell, cmd};

/// What none of our artifacts contains, see `deny.toml`.
const REFUSED: [&str; 3] = ["native-tls", "openssl-sys", "ring"];

/// Crates: their names and versions.
pub(super) type Crates = BTreeSet<(String, String)>;

/// Reads the list back.
///
/// # Errors
/// There is none.
pub(super) fn read(artifact: &Path) -> Result<VersionInfo> {
    audit_info_from_file(artifact, Limits::default())
        .with_context(|| format!("{artifact:?} does not contain the list of its dependencies"))
}

/// The crates that cargo compiles for these packages.
pub(super) fn tree(packages: &[&str]) -> Result<Crates> {
    let (shell, cargo) = (Shell::new()?, akv_tests::modules::cargo());
    shell.change_dir(akv_tests::modules::workspace());
    let packages = packages.iter().flat_map(|package| ["--package", package]);
    let options = ["--locked", "--edges", "normal,build", "--prefix", "none", "--format", "{p}"];
    let output = cmd!(shell, "{cargo} tree {options...} {packages...}").quiet().read()?;
    // Lines such as `tokio v1.48.0 (*)`.
    let pairs = output.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.next()?.strip_prefix('v')?.to_owned()))
    });
    Ok(pairs.collect())
}

/// The list without what was not compiled: cargo-auditable asks `cargo metadata`, which also names
/// optional dependencies that a feature of ours only mentions (`ring?/alloc`).
///
/// # Errors
/// It lacks a crate of `least`, or we refuse a crate in it.
pub(super) fn exact(list: VersionInfo, least: &Crates, most: &Crates) -> Result<VersionInfo> {
    let listed: Vec<_> =
        list.packages.iter().map(|part| (part.name.clone(), part.version.to_string())).collect();
    for part @ (name, version) in least {
        ensure!(listed.contains(part), "{name} {version} is missing");
    }
    let kept: Vec<bool> = listed.iter().map(|part| most.contains(part)).collect();
    for ((name, _), _) in listed.iter().zip(&kept).filter(|(_, kept)| **kept) {
        ensure!(!REFUSED.contains(&name.as_str()), "{name} is in it");
    }
    // The places of those that are kept among themselves.
    let places: Vec<usize> = kept
        .iter()
        .scan(0, |next, kept| {
            let place = *next;
            *next += usize::from(*kept);
            Some(place)
        })
        .collect();
    let mut packages = Vec::new();
    for (mut part, _) in list.packages.into_iter().zip(&kept).filter(|(_, kept)| **kept) {
        part.dependencies.retain(|index| kept[*index]);
        for index in &mut part.dependencies {
            *index = places[*index];
        }
        packages.push(part);
    }
    Ok(VersionInfo { packages, format: list.format })
}

#[cfg(test)]
pub(super) fn list(names: &[&str]) -> VersionInfo {
    let packages: Vec<_> = names
        .iter()
        .map(|name| serde_json::json!({ "name": name, "version": "1.2.3", "source": "crates.io" }))
        .chain([serde_json::json!({
            "name": "zz-root", "version": "0.1.0", "source": "local", "root": true,
            "dependencies": (0..names.len()).collect::<Vec<_>>(),
        })])
        .collect();
    let text = serde_json::json!({ "packages": packages }).to_string();
    serde_json::from_str(&text).expect("a list")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crates(names: &[&str]) -> Crates {
        let others = names.iter().map(|name| ((*name).to_owned(), "1.2.3".to_owned()));
        others.chain([("zz-root".to_owned(), "0.1.0".to_owned())]).collect()
    }

    #[test]
    fn what_was_not_compiled_is_left_out() {
        let all = crates(&["rustls", "tokio"]);
        let parts = exact(list(&["ring", "rustls", "tokio"]), &all, &all).unwrap();
        let names: Vec<_> = parts.packages.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(names, ["rustls", "tokio", "zz-root"]);
        assert_eq!(parts.packages[2].dependencies, [0, 1]);
    }

    #[test]
    fn a_list_that_lacks_a_crate_or_has_a_refused_one_is_an_error() {
        let all = crates(&["ring", "rustls"]);
        let error = exact(list(&["ring"]), &all, &all).unwrap_err().to_string();
        assert!(error.contains("rustls 1.2.3 is missing"), "{error}");
        let error = exact(list(&["ring", "rustls"]), &all, &all).unwrap_err().to_string();
        assert!(error.contains("ring is in it"), "{error}");
    }

    #[test]
    fn a_tree_is_that_of_the_packages() {
        let names = |packages: &[&str]| {
            let crates = tree(packages).unwrap();
            crates.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        let names = names(&["akv-ffi"]);
        let has = |name: &str| names.iter().any(|found| found == name);
        assert!(has("akv-ffi") && has("rustls") && has("aws-lc-sys") && !has("ossl-abi"));
        assert!(!has("ring"), "{names:?}");
    }

    #[test]
    fn a_program_without_a_list_is_refused() {
        let own = std::env::current_exe().unwrap();
        let error = read(&own).unwrap_err().to_string();
        assert!(error.contains("does not contain the list of its dependencies"), "{error}");
    }
}
