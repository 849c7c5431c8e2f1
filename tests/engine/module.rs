//! The module as a file: what it links and exports.

use akv_tests::{Glibc, Site, Task, elf, engine, modules};
use anyhow::Result;

#[test]
fn it_links_no_openssl_and_stays_loaded() -> Result<()> {
    elf::stays_loaded_without_openssl(&modules::engine()?)
}

#[test]
fn it_exports_the_two_entry_points_only() -> Result<()> {
    let mut exported = elf::exports(&modules::engine()?)?;
    exported.sort();
    assert_eq!(exported, ["bind_engine", "v_check"]);
    Ok(())
}

#[test]
fn it_needs_no_newer_c_library_than_there_is() -> Result<()> {
    let (needed, here) = (Glibc::needed_by(&modules::engine()?)?, Glibc::of_this_machine()?);
    assert!(needed <= here, "it needs glibc {needed}, this machine has {here}");
    Ok(())
}

/// A program with only the error functions of a libcrypto.
#[test]
fn a_libcrypto_that_lacks_a_function_is_refused_by_its_name() -> Result<()> {
    let site = Site::start(akv_emulator::Persona::Vault)?;
    let program = engine::compile(&site, "engine/incomplete", &["-ldl", "-rdynamic"])?;
    let said = Task::new(&program).arg(modules::engine()?).ok()?.text();
    assert_eq!(said.lines().next(), Some("bind_engine: 0"), "{said}");
    assert!(said.contains("no function CRYPTO_get_ex_new_index"), "{said}");
    Ok(())
}
