//! The module as a file: what it links and exports.

use akv_tests::{Site, Task, engine, modules};
use anyhow::Result;

#[test]
fn it_links_no_openssl_and_stays_loaded() -> Result<()> {
    let dynamic = Task::new("readelf").args(["-d", "-W"]).arg(modules::engine()?).ok()?.text();
    let needed: Vec<&str> = dynamic.lines().filter(|line| line.contains("(NEEDED)")).collect();
    assert!(!needed.is_empty(), "{dynamic}");
    for library in needed {
        assert!(!library.contains("libcrypto") && !library.contains("libssl"), "{library}");
    }
    assert!(dynamic.contains("NODELETE"), "threads outlive dlclose: {dynamic}");
    Ok(())
}

#[test]
fn it_exports_the_two_entry_points_only() -> Result<()> {
    let symbols = Task::new("nm")
        .args(["--dynamic", "--defined-only", "--format=just-symbols"])
        .arg(modules::engine()?)
        .ok()?
        .text();
    assert_eq!(symbols.split_whitespace().collect::<Vec<_>>(), ["bind_engine", "v_check"]);
    Ok(())
}

/// A program that has the error functions of a libcrypto and nothing else of it.
#[test]
fn a_libcrypto_that_lacks_a_function_is_refused_by_its_name() -> Result<()> {
    let site = Site::start(akv_emulator::Persona::Vault)?;
    let program = engine::compile(&site, "engine_incomplete", &["-ldl", "-rdynamic"])?;
    let said = Task::new(&program).arg(modules::engine()?).ok()?.text();
    assert_eq!(said.lines().next(), Some("bind_engine: 0"), "{said}");
    assert!(said.contains("no function CRYPTO_get_ex_new_index"), "{said}");
    Ok(())
}
