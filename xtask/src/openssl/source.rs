//! OpenSSL's sources, from the crate `openssl-src`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use xshell::{Shell, cmd};

use super::Release;

/// Files that the crate omits and a build of shared libraries requires, with stand-ins:
/// `install_sw` installs no configuration file, but the makefile refers to it.
const STAND_INS: [(&str, &str); 3] = [
    ("util/mkdef.pl", include_str!("mkdef.pl")),
    ("util/providers.num", "OSSL_provider_init 1 * EXIST::FUNCTION:\n"),
    ("apps/openssl.cnf", "# Empty.\n"),
];

/// Changes when this file would produce a different build.
pub(super) fn fingerprint(release: Release) -> String {
    let stand_ins: Vec<&str> = STAND_INS.iter().map(|(_, content)| *content).collect();
    format!("openssl-src {}\n{}", release.source, stand_ins.concat())
}

/// Copies the sources into the folder `to`, which does not exist yet.
pub(super) fn unpack(release: Release, to: &Path) -> Result<()> {
    let from = fetch(release)?;
    let shell = Shell::new()?;
    // Without owners and modes: the registry's folder may be read-only.
    cmd!(shell, "cp -R --no-preserve=ownership {from} {to}").quiet().run()?;
    cmd!(shell, "chmod -R u+w {to}").quiet().run()?;
    for (file, content) in STAND_INS {
        let path = to.join(file);
        if !path.exists() {
            fs::write(&path, content).with_context(|| format!("cannot write {path:?}"))?;
        }
    }
    Ok(())
}

/// Makes cargo fetch the crate, from this machine's configured source, and returns the folder with
/// OpenSSL in it. A project that depends on the crate is enough for cargo; the crate is not
/// compiled.
fn fetch(release: Release) -> Result<PathBuf> {
    let Release { number, source } = release;
    let project = tempfile::Builder::new().prefix("openssl-src-").tempdir()?;
    fs::create_dir(project.path().join("src"))?;
    fs::write(project.path().join("src/lib.rs"), "")?;
    let manifest = project.path().join("Cargo.toml");
    fs::write(
        &manifest,
        format!(
            "[package]\nname = \"fetch\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
             [dependencies]\nopenssl-src = \"={source}\"\n[workspace]\n"
        ),
    )?;
    let shell = Shell::new()?;
    // In the workspace, so that its cargo settings apply.
    shell.change_dir(akv_tests::modules::workspace());
    let cargo = akv_tests::modules::cargo();
    let options = ["metadata", "--format-version", "1", "--quiet", "--manifest-path"];
    let metadata = cmd!(shell, "{cargo} {options...} {manifest}").quiet().read();
    let metadata = metadata.with_context(|| {
        format!("cannot fetch the crate openssl-src {source} with OpenSSL {number}'s sources")
    })?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().context("`cargo metadata` names no packages")?;
    let found = packages.iter().find(|package| package["name"] == "openssl-src");
    let found = found.context("`cargo metadata` does not name openssl-src")?;
    let version = found["version"].as_str().unwrap_or_default();
    ensure!(
        version == format!("{source}+{number}"),
        "openssl-src {version} was fetched, which is not {source} with OpenSSL {number}"
    );
    let manifest = found["manifest_path"].as_str().context("no place for openssl-src")?;
    Ok(Path::new(manifest).with_file_name("openssl"))
}
