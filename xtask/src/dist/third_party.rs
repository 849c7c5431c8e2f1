//! What others wrote and the artifacts contain: licences and lists of components.

mod audit;
mod licences;
mod sbom;

use std::{fs, path::Path};

use anyhow::{Context as _, Result};

use self::licences::Licences;
use super::{source_date, stage::Stage};

/// An artifact.
struct Artifact {
    /// The package that it is in.
    package: &'static str,
    /// Its place in the stage.
    place: &'static str,
    /// Its crate.
    root: &'static str,
    /// All crates of the same run of cargo, which unifies their features.
    run: &'static [&'static str],
}

const MODULES: &[&str] = &["provider-shim", "engine-shim", "akv-ffi"];

const ARTIFACTS: [Artifact; 5] = [
    artifact("akv", "usr/bin/akv", "akv-cli", &["akv-cli"]),
    artifact("akv-provider", "modules/akv_provider.so", "provider-shim", MODULES),
    artifact("akv-engine", "modules/e_akv.so", "engine-shim", MODULES),
    artifact("libakv", "lib/libakv.so.1", "akv-ffi", MODULES),
    artifact("akv-emulator", "usr/bin/akv-emulator", "akv-emulator", &["akv-emulator"]),
];

const fn artifact(
    package: &'static str,
    place: &'static str,
    root: &'static str,
    run: &'static [&'static str],
) -> Artifact {
    Artifact { package, place, root, run }
}

/// Writes `third-party/PACKAGE/THIRD-PARTY-LICENSES.txt` and `PACKAGE.cdx.json` for each artifact, of what
/// the artifact itself says that it contains.
pub(super) fn add(stage: &Stage, target: &Path) -> Result<()> {
    let licences = Licences::collect(target)?;
    let time = source_date()?;
    for Artifact { package, place, root, run } in ARTIFACTS {
        let listed = audit::read(&stage.path(place))?;
        let parts = audit::exact(listed, &audit::tree(&[root])?, &audit::tree(run)?)
            .with_context(|| format!("the list of dependencies in {place}"))?;
        let folder = stage.path("third-party").join(package);
        fs::create_dir_all(&folder)?;
        let text = licences.text(package, &parts)?;
        fs::write(folder.join("THIRD-PARTY-LICENSES.txt"), text)?;
        let bill = sbom::make(package, &parts, &licences, &time)
            .with_context(|| format!("no list of the components of {package}"))?;
        fs::write(folder.join(format!("{package}.cdx.json")), bill)?;
    }
    Ok(())
}
