//! The module, loaded by a hostile host without libcrypto, with mutated input. libFuzzer does the
//! long run, with the same cases: `tests/fuzz/README.md`.

mod cases;
mod host;
#[path = "../../../crates/akv-core/src/fuzzing/mutate.rs"]
mod mutate;

use std::{ffi::CString, os::unix::ffi::OsStrExt as _, path::Path, time::Instant};

use akv_emulator::{NewKey, Persona};
use akv_tests::{Site, modules};
use anyhow::Result;

/// Number of inputs for each entry point.
const INPUTS: usize = 20_000;

/// Number of inputs if many of them cause a request.
const REQUESTS: usize = 2_000;

fn load(module: &Path, settings: Vec<(CString, CString)>) -> Result<host::Provider> {
    let path = CString::new(module.as_os_str().as_bytes())?;
    // SAFETY: the module is the one under test; it stays loaded.
    let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    assert!(!handle.is_null(), "{} cannot be loaded", module.display());
    // SAFETY: the handle is not null.
    let entry = unsafe { libc::dlsym(handle, c"OSSL_provider_init".as_ptr()) };
    assert!(!entry.is_null(), "no entry point");
    // SAFETY: that is the prototype of a function of this name.
    let init = unsafe { std::mem::transmute::<*mut libc::c_void, host::Init>(entry) };
    // SAFETY: as above.
    Ok(unsafe { host::Provider::load(init, settings) })
}

#[test]
fn abi_hostile_input_is_refused_and_touches_nothing_else() -> Result<()> {
    let provider = load(&modules::provider()?, Vec::new())?;
    let corpus = modules::workspace().join("tests/fuzz/corpus/provider");
    let mut mutator = mutate::Mutator::new(&corpus, 7);
    let taken = mutator.corpus().iter().filter(|example| cases::run(&provider, example)).count();
    // Not a decryption with a public key, and not a file and two symmetric keys that need the
    // network.
    assert_eq!(taken, mutator.corpus().len() - 4, "the examples mean something");
    for (number, (name, _)) in cases::ENTRIES.iter().enumerate() {
        let started = Instant::now();
        for _ in 0..INPUTS {
            cases::run_entry(&provider, number, &mutator.input());
        }
        println!("{name}: {INPUTS} inputs in {:?}", started.elapsed());
    }
    Ok(())
}

/// The same with symmetric keys of a Managed HSM that responds.
#[test]
fn abi_hostile_input_with_keys_that_work_touches_nothing_else() -> Result<()> {
    let site = Site::start(Persona::ManagedHsm)?;
    site.vault().create_key(NewKey::oct("aes", 256))?;
    let text = |text: &str| CString::new(text).expect("no NUL in it");
    let settings = site.settings();
    let settings = settings.iter().map(|(name, value)| (text(name), text(value))).collect();
    let mut provider = load(&modules::provider()?, settings)?;
    cases::find_keys(&mut provider, &text(&site.reference("aes")));
    let corpus = modules::workspace().join("tests/fuzz/corpus/provider");
    let mut mutator = mutate::Mutator::new(&corpus, 11);
    for (number, (name, _)) in cases::ENTRIES.iter().enumerate() {
        if !["opaque keys", "opaque ciphers", "key wrap"].contains(name) {
            continue;
        }
        let (started, before) = (Instant::now(), site.vault().stats().requests);
        let inputs = (0..REQUESTS).map(|_| mutator.input());
        let taken = inputs.filter(|input| cases::run_entry(&provider, number, input)).count();
        let requests = site.vault().stats().requests - before;
        println!("{name}: {taken} taken, {requests} requests in {:?}", started.elapsed());
        assert!(taken > 0 && requests > 0, "{name}: the keys are used");
    }
    Ok(())
}
