//! `pthread_cancel` of threads during an operation.

use std::time::Duration;

use akv_emulator::{Curve, Fault, Operation, Persona};
use akv_tests::{Site, cc, modules};
use anyhow::Result;

/// Long enough for a cancellation to arrive meanwhile.
const SLOW: Duration = Duration::from_millis(200);

#[test]
fn a_cancelled_thread_ends_after_its_operation() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    site.vault().fault(Fault::latency(SLOW).forever());
    let (ec, rsa) = (site.ec(Curve::P256)?, site.rsa(2048)?);
    let log = site.text("cancel.log");
    for logged in [false, true] {
        let mut task = cc::host(&site, "provider/cancel")?.args([ec.as_str(), &rsa, "1"]);
        if logged {
            // Every log entry of the provider is a write to the file, which is a cancellation
            // point.
            task = task.env("AKV_LOG_LEVEL", "trace").env("AKV_LOG_FILE", &log);
        }
        assert_eq!(task.ok()?.stderr, "");
    }
    // The log contains no path of the build machine, and no panic.
    let text = site.read("cancel.log")?;
    assert!(text.contains("signature digest_sign"), "{text}");
    let places = [modules::workspace().display().to_string(), "/registry/src/".into()];
    for word in places.iter().map(String::as_str).chain(["panic"]) {
        let line = text.lines().find(|line| line.contains(word));
        assert_eq!(line, None, "{word} in the log");
    }
    Ok(())
}

#[test]
fn a_cancelled_thread_ends_with_the_deadline() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.ec(Curve::P256)?;
    let file = site.key_file(&key, "cancel.key")?;
    site.vault().fault(Fault::latency(Duration::from_secs(3600)).on(Operation::Sign).times(3));
    // Otherwise the operation after three consecutive deadlines would fail at once.
    let task =
        cc::host(&site, "provider/cancel")?.env("AKV_TIMEOUT", "1s").env("AKV_FAIL_FAST", "no");
    assert_eq!(task.args([file.as_str(), &file, "0"]).ok()?.stderr, "");
    Ok(())
}
