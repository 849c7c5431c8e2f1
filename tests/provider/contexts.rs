//! The ways in which hosts load the provider into their library contexts.

use akv_emulator::{Curve, Persona};
use akv_tests::{Site, Task, cc, modules};
use anyhow::Result;

/// Runs the C program for RSA and EC keys. The settings are in the environment, and in a
/// configuration if there is one.
fn run(mode: &str, configured: bool) -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let program = cc::compile("provider/contexts", site.folder())?;
    let module = modules::provider()?.display().to_string();
    let config = if configured { "openssl.cnf" } else { "nothing.cnf" };
    std::fs::write(site.path("nothing.cnf"), "")?;
    for key in [site.rsa(2048)?, site.ec(Curve::P256)?] {
        let mut task = Task::new(&program).env("OPENSSL_CONF", site.path(config));
        for (name, value) in site.settings() {
            let variable = format!("AKV_{}", name.replace('-', "_").to_uppercase());
            task = task.env(variable, value);
        }
        let output = task.args([mode, &module, &key]).ok()?;
        assert_eq!(output.text().trim(), "fine", "{}", output.describe());
    }
    Ok(())
}

#[test]
fn two_contexts_have_a_provider_each() -> Result<()> {
    run("two", true)
}

#[test]
fn the_provider_is_loaded_by_its_path_and_again() -> Result<()> {
    run("by-path", false)
}

#[test]
fn one_context_has_the_provider_twice() -> Result<()> {
    run("twice", true)
}

#[test]
fn threads_are_the_first_to_use_a_context() -> Result<()> {
    run("threads", true)
}

#[test]
fn keys_work_where_there_is_no_other_provider() -> Result<()> {
    run("alone", false)
}

#[test]
fn a_child_context_has_the_key() -> Result<()> {
    run("child", true)
}

#[test]
fn a_child_context_makes_keys_of_its_own() -> Result<()> {
    run("child-own-first", true)
}

#[test]
fn fips_query_finds_no_key_of_a_vault() -> Result<()> {
    run("fips", true)
}

#[test]
fn self_test_fails_with_an_invalid_setting() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let program = cc::compile("provider/contexts", site.folder())?;
    let task = Task::new(&program).env("OPENSSL_CONF", site.path("openssl.cnf"));
    let output = task.env("AKV_TIMEOUT", "soon").args(["wrong", "-", &site.rsa(2048)?]).ok()?;
    assert_eq!(output.text().trim(), "fine", "{}", output.describe());
    Ok(())
}
