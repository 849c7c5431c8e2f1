//! The setting `allowed-keys`.

use akv_emulator::{Curve, Persona};
use akv_tests::{Site, Task};
use anyhow::Result;

use crate::{build, with_settings};

#[test]
fn other_keys_are_refused_before_any_connection() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let (ec, rsa) = (site.ec(Curve::P256)?, site.rsa(2048)?);
    let file = site.key_file(&rsa, "refused.key")?;
    let program = build("allowed_keys", &site)?;
    let arguments = [ec, rsa, site.reference(""), file];
    site.vault().reset_stats();
    with_settings(Task::new(&program).args(&arguments), &site).ok()?;
    let stats = site.vault().stats();
    assert_eq!((stats.connections, stats.requests), (0, 0), "{stats:?}");
    with_settings(Task::new(&program).args(&arguments), &site).env("OPEN_ALLOWED", "1").ok()?;
    assert!(site.vault().stats().requests > 0);
    Ok(())
}
