//! The module as a file: what it links, what it exports, and what it reveals about the build
//! machine.

use akv_tests::{Glibc, Task, elf, modules};
use anyhow::Result;

#[test]
fn it_links_no_openssl() -> Result<()> {
    elf::stays_loaded_without_openssl(&modules::provider()?)
}

#[test]
fn it_exports_the_entry_point_only() -> Result<()> {
    assert_eq!(elf::exports(&modules::provider()?)?, ["OSSL_provider_init"]);
    Ok(())
}

#[test]
fn it_has_no_executable_stack_and_no_text_relocations() -> Result<()> {
    let headers = Task::new("readelf").args(["-l", "-d", "-W"]).arg(modules::provider()?).ok()?;
    let headers = headers.text();
    let stack = headers.lines().find(|line| line.trim_start().starts_with("GNU_STACK"));
    assert!(stack.is_some_and(|line| !line.contains("RWE")), "{stack:?}");
    assert!(!headers.contains("TEXTREL"));
    Ok(())
}

/// A destructor that waits for a lock would hang children of `fork` in `exit`. AWS-LC has one by
/// default, see `.cargo/config.toml`.
#[test]
fn it_runs_no_code_at_exit() -> Result<()> {
    let dynamic = Task::new("readelf").args(["-d", "-W"]).arg(modules::provider()?).ok()?.text();
    assert!(dynamic.contains("(NEEDED)"), "{dynamic}");
    let line = dynamic.lines().find(|line| line.contains("(FINI_ARRAYSZ)"));
    let size = line.map(|line| line.split_whitespace().nth(2).and_then(|size| size.parse().ok()));
    // One entry is the C compiler's; some compilers have none.
    assert!(size.is_none_or(|size| size <= Some(size_of::<usize>())), "{size:?}: {dynamic}");
    Ok(())
}

/// `cargo xtask build` prints the version; a module that is built for a newer system would not load
/// here.
#[test]
fn it_needs_no_newer_c_library_than_there_is() -> Result<()> {
    let (needed, here) = (Glibc::needed_by(&modules::provider()?)?, Glibc::of_this_machine()?);
    assert!(needed <= here, "it needs glibc {needed}, this machine has {here}");
    Ok(())
}
