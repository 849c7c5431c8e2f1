//! `pthread_cancel` of threads during an operation.

use std::time::Duration;

use akv_emulator::{Curve, Fault, Operation, Persona};
use akv_tests::{Site, Task};
use anyhow::Result;

use crate::{build, with_settings};

#[test]
fn a_cancelled_thread_ends_after_its_operation() -> Result<()> {
    let site = Site::start(Persona::ManagedHsm)?;
    let key = site.ec(Curve::P256)?;
    let program = build("cancel", &site)?;
    for (code, fault, timeout) in [
        ("0", Fault::latency(Duration::from_millis(200)).forever(), "10s"),
        // AKV_CODE_TIMEOUT, for as many signatures as are cancelled.
        ("9", Fault::latency(Duration::from_secs(3600)).on(Operation::Sign).times(3), "1s"),
    ] {
        site.vault().clear_faults();
        site.vault().fault(fault);
        let task = Task::new(&program).args([key.as_str(), code]).env("AKV_TIMEOUT", timeout);
        // Otherwise the operation after three consecutive deadlines would fail at once.
        let task = task.env("AKV_FAIL_FAST", "no");
        assert_eq!(with_settings(task, &site).ok()?.stderr, "");
    }
    Ok(())
}
