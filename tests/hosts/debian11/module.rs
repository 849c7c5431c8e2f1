//! The modules as files of that system.

use akv_tests::{Glibc, Root, modules};
use anyhow::{Context as _, Result};

#[test]
fn it_needs_no_newer_c_library_than_that_systems() -> Result<()> {
    let said = Root::selected()?.task("getconf").arg("GNU_LIBC_VERSION").ok()?.text();
    let there: Glibc = said.trim().strip_prefix("glibc ").context("glibc")?.parse()?;
    for module in [modules::engine()?, modules::provider()?] {
        let needed = Glibc::needed_by(&module)?;
        assert!(needed <= there, "{module:?} needs glibc {needed}, there is {there}");
    }
    Ok(())
}
