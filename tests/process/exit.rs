//! Exit of a process with operations in flight.

use std::time::{Duration, Instant};

use akv_emulator::{Curve, Fault, Operation, Persona};
use akv_tests::{Site, cc};
use anyhow::Result;

#[test]
fn is_immediate_during_signatures() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.ec(Curve::P256)?;
    let file = site.key_file(&key, "exit.key")?;
    let late = Fault::latency(Duration::from_secs(60)).on(Operation::Sign).forever();
    site.vault().fault(late);
    for how in ["return", "exit", "_exit"] {
        let start = Instant::now();
        let output = cc::host(&site, "process/host_exit")?.args([file.as_str(), "8", how]).run()?;
        assert_eq!(output.status.code(), Some(7), "{how}: {}", output.describe());
        assert_eq!(output.stderr, "", "{how}");
        // Far below the deadline of a signature, which is ten seconds.
        assert!(start.elapsed() < Duration::from_secs(8), "{how} took {:?}", start.elapsed());
    }
    Ok(())
}

#[test]
fn is_clean_during_signatures() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.ec(Curve::P256)?;
    let file = site.key_file(&key, "storm-exit.key")?;
    for _ in 0..20 {
        let output =
            cc::host(&site, "process/host_exit")?.args([file.as_str(), "8", "storm"]).run()?;
        assert_eq!(output.status.code(), Some(7), "{}", output.describe());
        assert_eq!(output.stderr, "");
    }
    Ok(())
}
