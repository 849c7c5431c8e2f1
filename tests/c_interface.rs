//! libakv in C programs: its exports, every function, the example, and memcheck.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use akv_emulator::{Curve, Fault, NewKey, Operation, Persona};
use akv_tests::{Site, Task, elf, lengths::Case, modules, residue};
use anyhow::{Context as _, Result};

/// A Managed HSM, and the arguments of `capi.c`: the HSM, a key pair, an RSA and an AES key.
fn scene() -> Result<(Site, Vec<String>)> {
    let site = Site::start(Persona::ManagedHsm)?;
    site.vault().create_key(NewKey::oct("aes", 256).hsm(true))?;
    let keys = [site.reference(""), site.ec(Curve::P256)?, site.rsa(2048)?, site.reference("aes")];
    Ok((site, keys.into()))
}

/// Compiles a C program using only the output of `cargo xtask build`.
fn compile(source: &Path, folder: &Path) -> Result<PathBuf> {
    let (name, modules) = (source.file_stem().context("a name")?, modules::folder()?);
    let program = folder.join(name);
    Task::new("cc")
        .args(["-std=c11", "-D_GNU_SOURCE", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-pthread"])
        .arg("-I")
        .arg(modules)
        .arg("-o")
        .arg(&program)
        .arg(source)
        .arg("-L")
        .arg(modules)
        .arg("-lakv")
        .arg(format!("-Wl,-rpath,{}", modules.display()))
        .ok()?;
    Ok(program)
}

fn with_settings(task: Task, site: &Site) -> Task {
    site.settings().into_iter().fold(task, |task, (name, value)| {
        task.env(format!("AKV_{}", name.to_uppercase().replace('-', "_")), value)
    })
}

fn program(site: &Site) -> Result<PathBuf> {
    compile(&modules::workspace().join("tests/c/capi.c"), site.folder())
}

/// The bytes after this name in a line of the program's output.
fn printed(text: &str, name: &str) -> Result<Vec<u8>> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)).context("a line")?.trim();
    let pairs = line.as_bytes().chunks(2).map(|pair| Ok(str::from_utf8(pair)?));
    pairs.map(|pair: Result<_>| Ok(u8::from_str_radix(pair?, 16)?)).collect()
}

#[test]
fn it_exports_its_functions_under_a_version_and_links_no_openssl() -> Result<()> {
    let library = modules::folder()?.join("libakv.so");
    elf::stays_loaded_without_openssl(&library)?;
    let mut exported = elf::exports(&library)?;
    exported.sort();
    let map = fs::read_to_string(modules::workspace().join("ffi/libakv.map"))?;
    let names = map.lines().filter_map(|line| line.trim().strip_suffix(';'));
    let mut wanted: Vec<_> =
        names.filter(|n| n.starts_with("akv_")).map(|name| format!("{name}@@AKV_1")).collect();
    wanted.push("AKV_1".to_owned());
    wanted.sort();
    assert_eq!(exported, wanted);
    let dynamic = Task::new("readelf").args(["-d", "-W"]).arg(&library).ok()?.text();
    assert!(dynamic.contains("soname: [libakv.so.1]"), "{dynamic}");
    Ok(())
}

#[test]
fn every_function_does_its_work_and_openssl_agrees() -> Result<()> {
    let (site, keys) = scene()?;
    let output = with_settings(Task::new(program(&site)?).args(&keys), &site).ok()?;
    assert_eq!(output.stderr, "");
    let text = output.text();
    assert!(text.contains("key aes") && text.contains("key ec-p-256"), "{text}");
    fs::write(site.path("public.der"), printed(&text, "public ")?)?;
    let mut digest = [0; 32];
    digest[..3].copy_from_slice(&[1, 2, 3]);
    fs::write(site.path("digest"), digest)?;
    fs::write(site.path("signature"), printed(&text, "signature ")?)?;
    site.plain().ok(
        "pkeyutl -verify -pubin -keyform DER -inkey public.der -in digest -sigfile signature",
    )?;
    fs::write(site.path("message"), [1, 2, 3])?;
    fs::write(site.path("message.sig"), printed(&text, "message ")?)?;
    site.plain().ok("pkey -pubin -inform DER -in public.der -out public.pem")?;
    site.plain().ok("dgst -sha256 -verify public.pem -signature message.sig message")?;
    Ok(())
}

#[test]
fn the_example_signs_a_file() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let example = modules::workspace().join("ffi/examples/sign_file.c");
    let program = compile(&example, site.folder())?;
    fs::write(site.path("release.tar"), "all of it".repeat(5000))?;
    for (key, algorithm, hash) in
        [(site.ec(Curve::P384)?, "ES384", "sha384"), (site.rsa(2048)?, "RS256", "sha256")]
    {
        let sign = Task::new(&program).dir(site.folder());
        let sign = sign.args([key.as_str(), algorithm, "release.tar", "release.tar.sig"]);
        with_settings(sign, &site).ok()?;
        let public = site.public_key(&key)?;
        site.plain()
            .ok(&format!("dgst -{hash} -verify {public} -signature release.tar.sig release.tar"))?;
    }
    let sign = Task::new(&program).args(["vault:x", "ES256", "/dev/null", "/dev/null"]);
    let output = with_settings(sign, &site).run()?;
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stderr.contains("vault:x"), "{}", output.describe());
    Ok(())
}

/// Results fit the requested buffer, whatever the vault returns.
#[test]
fn results_fit_the_room_that_was_asked_for() -> Result<()> {
    let (site, keys) = scene()?;
    let [_, ec, rsa, aes] = keys.as_slice() else { panic!("four arguments") };
    let program = compile(&modules::workspace().join("tests/c/capi_lengths.c"), site.folder())?;
    let run = |verify: &str, arguments: &[&str]| {
        let task = Task::new(&program).args(arguments).env("AKV_VERIFY_SIGNATURES", verify);
        with_settings(task, &site)
    };
    let public = site.public_key(rsa)?;
    fs::write(site.path("plain"), [7; 32])?;
    let (oaep, wrapped) = (site.text("oaep.bin"), site.text("wrapped.bin"));
    site.plain().ok(&format!(
        "pkeyutl -encrypt -pubin -inkey {public} -in plain -out {oaep} \
         -pkeyopt rsa_padding_mode:oaep"
    ))?;
    site.openssl().ok(&format!("pkeyutl -encrypt -inkey {aes} -in plain -out {wrapped}"))?;
    for (arguments, on, lengths) in [
        (&[ec.as_str(), "sign", "ES256"][..], Operation::Sign, 64..=64),
        (&[rsa, "sign", "RS256"], Operation::Sign, 256..=256),
        (&[rsa, "decrypt", "RSA-OAEP", &oaep], Operation::Decrypt, 0..=214),
        (&[rsa, "unwrap", "RSA-OAEP", &oaep], Operation::UnwrapKey, 0..=214),
        (&[rsa, "wrap", "RSA-OAEP"], Operation::WrapKey, 256..=256),
        (&[aes, "wrap", "A256KW"], Operation::WrapKey, 40..=40),
        (&[aes, "unwrap", "A256KW", &wrapped], Operation::UnwrapKey, 32..=32),
    ] {
        for verify in ["yes", "no"] {
            // The signature has only the right length, and the numbers for ES256 are too large.
            let passes = on != Operation::Sign || (verify == "no" && *lengths.end() == 256);
            let program = || Ok(run(verify, arguments));
            Case { on, lengths: lengths.clone(), passes, program: &program }
                .check(&site)
                .with_context(|| format!("{arguments:?} {verify}"))?;
        }
    }
    Ok(())
}

#[test]
fn a_cancelled_thread_ends_after_its_operation() -> Result<()> {
    let site = Site::start(Persona::ManagedHsm)?;
    let key = site.ec(Curve::P256)?;
    let source = modules::workspace().join("tests/c/capi_cancel.c");
    let program = compile(&source, site.folder())?;
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

#[test]
fn nothing_secret_is_left_in_memory() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.rsa(2048)?;
    let (needles, ciphertext) = residue::prepare(&site, &site.plain(), &site.public_key(&key)?)?;
    let program = compile(&modules::workspace().join("tests/c/capi_residue.c"), site.folder())?;
    let task = Task::new(program).args([&needles, &key, &ciphertext]);
    residue::check(with_settings(task, &site))
}

#[test]
fn keys_that_are_not_allowed_are_refused_before_any_connection() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let (ec, rsa) = (site.ec(Curve::P256)?, site.rsa(2048)?);
    let file = site.key_file(&rsa, "refused.key")?;
    let source = modules::workspace().join("tests/c/capi_allowed.c");
    let program = compile(&source, site.folder())?;
    let arguments = [ec, rsa, site.reference(""), file];
    site.vault().reset_stats();
    with_settings(Task::new(&program).args(&arguments), &site).ok()?;
    let stats = site.vault().stats();
    assert_eq!((stats.connections, stats.requests), (0, 0), "{stats:?}");
    with_settings(Task::new(&program).args(&arguments), &site).env("OPEN_ALLOWED", "1").ok()?;
    assert!(site.vault().stats().requests > 0);
    Ok(())
}

#[test]
fn memcheck_finds_nothing() -> Result<()> {
    let (site, keys) = scene()?;
    let program = program(&site)?;
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
