//! A software bill of materials in the format of CycloneDX.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use auditable_serde::{DependencyKind, Package, Source, VersionInfo};
use cyclonedx_bom::{
    external_models::{date_time::DateTime, normalized_string::NormalizedString, uri::Purl},
    models::{
        bom::{Bom, SpecVersion},
        component::{Classification, Component, Components, Scope},
        dependency::{Dependencies, Dependency},
        license::{LicenseChoice, Licenses},
        metadata::Metadata,
    },
    validation::Validate as _,
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::licences::Licences;

const VERSION: SpecVersion = SpecVersion::V1_5;

/// The bill as JSON. Nothing in it is random: the same parts and time make the same file.
pub(super) fn make(
    name: &str,
    parts: &VersionInfo,
    licences: &Licences,
    seconds: &str,
) -> Result<Vec<u8>> {
    let root = parts.packages.iter().find(|part| part.root).context("no root")?;
    let component = |part: &Package| component(part, licences);
    let others = parts.packages.iter().filter(|part| !part.root);
    let mut own = component(root)?;
    own.name = NormalizedString::new(name);
    own.component_type = Classification::Application;
    own.scope = None;
    let time = OffsetDateTime::from_unix_timestamp(seconds.parse()?)?.format(&Rfc3339)?;
    let bom = Bom {
        serial_number: None,
        spec_version: VERSION,
        metadata: Some(Metadata {
            timestamp: Some(DateTime::try_from(time)?),
            component: Some(own),
            ..Metadata::default()
        }),
        components: Some(Components(others.map(component).collect::<Result<_>>()?)),
        dependencies: Some(dependencies(parts)),
        ..Bom::default()
    };
    let checked = bom.validate_version(VERSION);
    ensure!(checked.passed(), "not as CycloneDX has it: {checked:?}");
    let mut json = Vec::new();
    bom.output_as_json(&mut json, VERSION)?;
    json.push(b'\n');
    Ok(json)
}

fn component(part: &Package, licences: &Licences) -> Result<Component> {
    let version = part.version.to_string();
    let licence = licences.of(&part.name, &version)?;
    let kind = Classification::Library;
    let mut component = Component::new(kind, &part.name, &version, Some(reference(part)));
    component.licenses = Some(Licenses(vec![LicenseChoice::expression(licence)]));
    component.scope = Some(match part.kind {
        DependencyKind::Runtime => Scope::Required,
        // It ran during the build only.
        DependencyKind::Build => Scope::Excluded,
    });
    if part.source == Source::CratesIo {
        component.purl = Some(Purl::new("cargo", &part.name, &version)?);
    }
    Ok(component)
}

fn dependencies(parts: &VersionInfo) -> Dependencies {
    let name = |index: &usize| reference(&parts.packages[*index]);
    let mut found = BTreeMap::new();
    for part in &parts.packages {
        let dependencies = part.dependencies.iter().map(name).collect::<Vec<_>>();
        found.insert(reference(part), dependencies);
    }
    let dependencies = found
        .into_iter()
        .map(|(dependency_ref, dependencies)| Dependency { dependency_ref, dependencies });
    Dependencies(dependencies.collect())
}

fn reference(part: &Package) -> String {
    format!("{}@{}", part.name, part.version)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::dist::third_party::audit;

    #[test]
    fn a_bill_lists_every_part_with_its_licence() {
        let parts = audit::list(&["serde", "tokio"]);
        let licences = Licences::example();
        let make = || make("akv", &parts, &licences, "1700000000").unwrap();
        let bill: Value = serde_json::from_slice(&make()).unwrap();
        assert_eq!(bill["bomFormat"], "CycloneDX");
        assert_eq!(bill["specVersion"], "1.5");
        assert_eq!(bill["metadata"]["timestamp"], "2023-11-14T22:13:20Z");
        assert_eq!(bill["metadata"]["component"]["name"], "akv");
        let components = bill["components"].as_array().unwrap();
        assert_eq!(components.len(), 2);
        assert_eq!(components[1]["purl"], "pkg:cargo/tokio@1.2.3");
        assert_eq!(components[1]["licenses"][0]["expression"], "MIT");
        let root = bill["dependencies"].as_array().unwrap().last().unwrap();
        assert_eq!(root["ref"], "zz-root@0.1.0");
        assert_eq!(root["dependsOn"].as_array().unwrap().len(), 2);
        assert_eq!(make(), make());
    }

    #[test]
    fn a_part_without_a_known_licence_is_an_error() {
        let parts = audit::list(&["unheard-of"]);
        make("akv", &parts, &Licences::example(), "0").unwrap_err();
    }
}
