//! The module, loaded by a host that is no libcrypto and means no good, with mutated input. The
//! long run is libFuzzer's, with the same cases: `tests/fuzz/README.md`.

mod cases;
mod host;
#[path = "../../crates/akv-core/src/fuzzing/mutate.rs"]
mod mutate;

use std::{ffi::CString, os::unix::ffi::OsStrExt as _, path::Path, time::Instant};

use akv_tests::modules;
use anyhow::Result;

/// Inputs that are tried with each entry point.
const INPUTS: usize = 20_000;

fn load(module: &Path) -> Result<host::Provider> {
    let path = CString::new(module.as_os_str().as_bytes())?;
    // SAFETY: the module is the one that is tested; it stays loaded.
    let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    assert!(!handle.is_null(), "{} cannot be loaded", module.display());
    // SAFETY: the handle is not null.
    let entry = unsafe { libc::dlsym(handle, c"OSSL_provider_init".as_ptr()) };
    assert!(!entry.is_null(), "no entry point");
    // SAFETY: that is the prototype of a function of this name.
    let init = unsafe { std::mem::transmute::<*mut libc::c_void, host::Init>(entry) };
    // SAFETY: as above.
    Ok(unsafe { host::Provider::load(init) })
}

#[test]
fn hostile_input_is_refused_and_touches_nothing_else() -> Result<()> {
    let provider = load(&modules::provider()?)?;
    let corpus = modules::workspace().join("tests/fuzz/corpus/provider");
    let mut mutator = mutate::Mutator::new(&corpus, 7);
    let taken = mutator.corpus().iter().filter(|example| cases::run(&provider, example)).count();
    // Not a decryption with a public key, and not a file that needs the network.
    assert_eq!(taken, mutator.corpus().len() - 2, "the examples mean something");
    for (number, (name, _)) in cases::ENTRIES.iter().enumerate() {
        let started = Instant::now();
        for _ in 0..INPUTS {
            cases::run_entry(&provider, number, &mutator.input());
        }
        println!("{name}: {INPUTS} inputs in {:?}", started.elapsed());
    }
    Ok(())
}
