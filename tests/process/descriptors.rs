//! Descriptors: ours are never standard streams, are not inherited, and are not used after the
//! program has closed them or reused their numbers.

use std::{fs, os::unix::fs::PermissionsExt as _, time::Duration};

use akv_emulator::{Curve, Persona};
use akv_tests::{Site, cc};
use anyhow::Result;

fn descriptors(how: &str) -> Result<()> {
    for (persona, limit) in [
        (Persona::Vault, None),
        (Persona::Vault, Some("limit")),
        (Persona::ManagedHsm, None),
        (Persona::ManagedHsm, Some("limit")),
    ] {
        let site = Site::start(persona)?;
        let file = site.key_file(&site.ec(Curve::P256)?, "own.key")?;
        let folder = site.path("own");
        fs::create_dir(&folder)?;
        // With the limit the program gives up root.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777))?;
        let log = site.path("akv.log");
        let output = cc::host(&site, "process/descriptors")?
            .args([file.as_str(), how])
            .arg(&folder)
            .args(limit)
            .env("AKV_LOG_LEVEL", "akv_core=trace")
            .env("AKV_LOG_FILE", &log)
            .limit(Duration::from_secs(150))
            .ok()?;
        assert_eq!(output.stderr, "", "{persona:?}, {limit:?}");
        assert!(fs::metadata(&log)?.len() > 0, "{persona:?}, {limit:?}: nothing was logged");
    }
    Ok(())
}

#[test]
fn standard_streams_that_are_closed_stay_free() -> Result<()> {
    descriptors("standard")
}

#[test]
fn a_program_that_closes_all_descriptors_still_signs() -> Result<()> {
    descriptors("all")
}

#[test]
fn each_replaced_descriptor_is_detected() -> Result<()> {
    descriptors("each")
}
