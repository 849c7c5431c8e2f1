//! libakv under valgrind's memcheck.

use std::time::Duration;

use akv_tests::Task;
use anyhow::Result;

use crate::{build, scene, with_settings};

#[test]
fn memcheck_finds_nothing() -> Result<()> {
    let (site, keys) = scene()?;
    let program = build("functions", &site)?;
    let task = Task::new("valgrind")
        .args(["--quiet", "--error-exitcode=99", "--leak-check=full"])
        .args(["--show-leak-kinds=definite,indirect", "--errors-for-leak-kinds=definite,indirect"])
        .arg(program)
        .args(&keys)
        // Under memcheck, programs run some twenty times slower.
        .env("AKV_TIMEOUT", "120s")
        .limit(Duration::from_secs(600));
    let output = with_settings(task, &site).run()?;
    assert!(output.status.success(), "{}", output.describe());
    Ok(())
}
