//! Operations that are started and left.

use akv_emulator::Curve;
use akv_tests::{Task, jobs::slow_site};
use anyhow::Result;

use crate::{build, with_settings};

#[test]
fn operations_are_in_flight_together_and_end_in_any_order() -> Result<()> {
    let site = slow_site()?;
    let program = build("pending", &site)?;
    let task = Task::new(&program).args([site.ec(Curve::P256)?, site.rsa(2048)?]);
    let output = with_settings(task, &site).ok()?;
    assert_eq!((output.text().trim(), output.stderr.as_str()), ("passed", ""));
    // 18, and the one that was cancelled, which may not have been sent.
    let signed = site.vault().stats().sign;
    assert!((18..=19).contains(&signed), "{signed}");
    Ok(())
}
