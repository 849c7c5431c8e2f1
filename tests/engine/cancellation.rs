//! `pthread_cancel` of threads during an operation.

use std::time::Duration;

use akv_emulator::{Curve, Fault, Operation, Persona};
use akv_tests::{Site, engine::program};
use anyhow::Result;

/// Long enough for a cancellation to arrive meanwhile.
const SLOW: Duration = Duration::from_millis(200);

#[test]
fn a_cancelled_thread_ends_after_its_operation() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let keys = [site.ec(Curve::P256)?, site.rsa(2048)?];
    site.vault().fault(Fault::latency(SLOW).forever());
    for logged in [false, true] {
        let mut task = program(&site, "engine/cancel")?.args(&keys).arg("1");
        if logged {
            // Every log entry of the engine is a write to the file, which is a cancellation point.
            task = task.env("AKV_LOG_LEVEL", "trace").env("AKV_LOG_FILE", site.text("cancel.log"));
        }
        assert_eq!(task.ok()?.stderr, "");
    }
    Ok(())
}

#[test]
fn a_cancelled_thread_ends_with_the_deadline() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    // Loading a key is a request too, so the faults are for one key's signatures.
    let key = site.ec(Curve::P256)?;
    site.vault().fault(Fault::latency(Duration::from_secs(3600)).on(Operation::Sign).times(3));
    // Otherwise the operation after three consecutive deadlines would fail at once.
    let task = program(&site, "engine/cancel")?.env("AKV_TIMEOUT", "1s");
    let task = task.env("AKV_FAIL_FAST", "no");
    assert_eq!(task.args([key.as_str(), &key, "0"]).ok()?.stderr, "");
    Ok(())
}
