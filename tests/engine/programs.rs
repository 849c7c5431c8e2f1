//! C programs: libcrypto's documented behaviour, loading and unloading, threads and forks.

use std::time::Duration;

use akv_emulator::{Curve, Persona};
use akv_tests::{
    Installation, Site, Task,
    engine::{certificate, compile, growth, is_1_1_1, plain, program},
    modules,
};
use anyhow::Result;

#[test]
fn libcrypto_functions_behave_as_documented() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let certificate_of_rsa = certificate(&site, &site.rsa(2048)?, "own")?;
    let other = certificate(&site, &site.rsa(3072)?, "other")?;
    for curve in [Curve::P256, Curve::P384, Curve::P521, Curve::P256K] {
        program(&site, "engine/keys")?
            // Decryption without padding.
            .env("AKV_RSA_KEY_EXCHANGE", "yes")
            .args([site.rsa(2048)?, site.ec(curve)?, certificate_of_rsa.clone(), other.clone()])
            .ok()?;
    }
    Ok(())
}

#[test]
fn getters_of_keys_match_those_of_openssls_own_keys() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let curves = [Curve::P256, Curve::P384, Curve::P521, Curve::P256K];
    let ec = curves.map(|curve| site.ec(curve)).into_iter().collect::<Result<Vec<_>>>()?;
    for key in [site.rsa(2048)?, site.rsa(4096)?].into_iter().chain(ec) {
        let asked: u32 = program(&site, "engine/getters")?.arg(&key).ok()?.text().trim().parse()?;
        assert!(asked >= 12, "{key}: {asked}");
    }
    Ok(())
}

#[test]
fn memory_does_not_grow_over_key_loads() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    for key in [site.ec(Curve::P256)?, site.rsa(2048)?] {
        let growth = growth(&site, &key, "1", "300")?;
        // 270 leaked keys would take more.
        assert!(growth < 1024, "{key}: memory grew by {growth} KiB");
    }
    Ok(())
}

#[test]
fn memory_does_not_grow_over_loads_of_the_module() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let growth = growth(&site, &site.ec(Curve::P256)?, "40", "2")?;
    // A leaked client takes some hundred KiB, and there were 36 more.
    assert!(growth < 4096, "memory grew by {growth} KiB");
    Ok(())
}

#[test]
fn fork_children_sign_while_threads_of_their_parent_do() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    for key in [site.ec(Curve::P256)?, site.rsa(2048)?] {
        program(&site, "engine/fork")?
            .args([key.as_str(), "8"])
            .limit(Duration::from_secs(300))
            .ok()?;
    }
    Ok(())
}

#[test]
fn control_commands_beside_loads_are_in_force() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.ec(Curve::P256)?;
    let said = program(&site, "engine/commands")?.args([key.as_str(), "20"]).ok()?;
    assert_eq!(said.stderr, "");
    Ok(())
}

#[test]
fn fork_child_that_may_start_no_threads_signs() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    for key in [site.ec(Curve::P256)?, site.rsa(2048)?] {
        let said = program(&site, "engine/no_threads")?.arg(key).ok()?;
        assert_eq!(said.stderr, "");
    }
    Ok(())
}

/// The shared libcrypto of the selected OpenSSL.
fn libcrypto() -> Result<String> {
    let name = if is_1_1_1()? { "libcrypto.so.1.1" } else { "libcrypto.so.3" };
    let folder = Installation::selected().prefix().map(|prefix| prefix.join("lib"));
    Ok(folder.map_or_else(|| name.to_owned(), |folder| folder.join(name).display().to_string()))
}

/// Python opens libcrypto this way, and a program may have two of them.
#[test]
fn libcrypto_copies_in_a_process_have_an_engine_each() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let mut libcryptos = vec![libcrypto()?];
    if is_1_1_1()? {
        // The same file can be loaded only once.
        libcryptos.push("libcrypto.so.3".into());
    }
    for key in [site.ec(Curve::P256)?, site.rsa(2048)?] {
        let mut task = Task::new(compile(&site, "engine/local", &["-ldl"])?)
            .env("OPENSSL_CONF", plain(&site)?.config())
            .arg(modules::engine()?)
            .arg(key);
        for (name, value) in site.settings() {
            task = task.env(format!("AKV_{}", name.to_uppercase().replace('-', "_")), value);
        }
        let said = task.args(&libcryptos).ok()?.text();
        assert_eq!(said.trim(), libcryptos.len().to_string());
    }
    Ok(())
}

#[test]
fn static_libcrypto_is_refused_cleanly() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let program = compile(&site, "engine/cycle", &["-l:libcrypto.a", "-ldl"])?;
    let output = Task::new(program)
        .env("OPENSSL_CONF", plain(&site)?.config())
        .arg(modules::engine()?)
        .args(["vault:testvault:k", "1", "1"])
        .run()?;
    assert_eq!(output.status.code(), Some(1), "{}", output.describe());
    assert!(output.stderr.contains("dynamic_load:init failed"), "{}", output.describe());
    Ok(())
}
