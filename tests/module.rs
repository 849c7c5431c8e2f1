//! The module as a file: what it links, what it exports, what it says about the machine that
//! built it.

use akv_tests::{Task, modules};
use anyhow::Result;

#[test]
fn it_links_no_openssl() -> Result<()> {
    let dynamic = Task::new("readelf").args(["-d", "-W"]).arg(modules::provider()?).ok()?.text();
    let needed: Vec<&str> = dynamic.lines().filter(|line| line.contains("(NEEDED)")).collect();
    assert!(!needed.is_empty(), "{dynamic}");
    for library in needed {
        assert!(!library.contains("libcrypto") && !library.contains("libssl"), "{library}");
    }
    assert!(dynamic.contains("NODELETE"), "threads outlive dlclose: {dynamic}");
    Ok(())
}

#[test]
fn it_exports_the_entry_point_only() -> Result<()> {
    let symbols =
        Task::new("readelf").args(["--dyn-syms", "-W"]).arg(modules::provider()?).ok()?.text();
    let exported: Vec<&str> = symbols
        .lines()
        .filter_map(|line| {
            // Number, value, size, type, binding, visibility, section, name.
            let fields: Vec<&str> = line.split_whitespace().collect();
            match fields[..] {
                [_, _, _, "FUNC" | "OBJECT" | "NOTYPE" | "TLS", _, _, section, name, ..]
                    if section != "UND" =>
                {
                    Some(name)
                }
                _ => None,
            }
        })
        .collect();
    assert_eq!(exported, ["OSSL_provider_init"]);
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

/// A destructor that waits for a lock would hang children of `fork` in `exit`; AWS-LC has one by
/// default, see `.cargo/config.toml`.
#[test]
fn it_runs_nothing_of_its_own_at_exit() -> Result<()> {
    let dynamic = Task::new("readelf").args(["-d", "-W"]).arg(modules::provider()?).ok()?.text();
    let size = dynamic.lines().find(|line| line.contains("(FINI_ARRAYSZ)"));
    let size = size.and_then(|line| line.split_whitespace().nth(2)?.parse::<usize>().ok());
    // One entry is the C compiler's own.
    assert!(size.is_some_and(|size| size <= size_of::<usize>()), "{size:?} bytes: {dynamic}");
    Ok(())
}
