//! State that the engine keeps for each libcrypto in the process, in addition to that for keys.
//!
//! As with keys, libcrypto calls most of an engine's functions with no pointer of ours, so each
//! function exists once for each slot.

use std::ffi::{c_int, c_void};
use std::ops::Deref;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use legacy_abi::host::{Unusable, extra_index};
use legacy_abi::libcrypto::constants::{OPERATION_SIGN_1_1, OPERATION_SIGN_3, extra, nid};
use legacy_abi::libcrypto::types::PkeyMethod;
use legacy_abi::libcrypto::{EngineFunctions, Errors, Missing, duplicate_method};
use legacy_abi::{Error, Libcrypto, Result};
use ossl_abi::guard::{self, ErrorQueue, Slotted};
use ossl_abi::job::Jobs;
use ossl_abi::library::Library;

use crate::{controls, key_file, rsa_operation};

pub(crate) use legacy_abi::host::{SLOTS, per_slot};

static HOSTS: [AtomicPtr<Host>; SLOTS] = [const { AtomicPtr::new(ptr::null_mut()) }; SLOTS];

/// One libcrypto. It is never freed, because libcrypto keeps pointers to its methods.
pub(crate) struct Host {
    /// The state for keys.
    pub(crate) keys: &'static Libcrypto,
    pub(crate) slot: usize,
    functions: EngineFunctions,
    pub(crate) errors: &'static Errors,
    pub(crate) jobs: Option<Jobs>,
    pub(crate) indices: Indices,
    pub(crate) rsa_operation: rsa_operation::Method,
    /// An unchanged copy of libcrypto's own method for EC keys: a key belongs to its engine only if
    /// the engine has a method for its type.
    pub(crate) ec_operation: *const PkeyMethod,
    /// The NID of the key file's object identifier.
    pub(crate) key_file: c_int,
    pub(crate) commands: controls::Definitions,
}

/// The ex_data index for the engine's data in libcrypto's objects.
pub(crate) struct Indices {
    pub(crate) engine: c_int,
}

// SAFETY: libcrypto's functions may be called from any thread, and the methods do not change once
// they are created.
unsafe impl Send for Host {}
// SAFETY: as above.
unsafe impl Sync for Host {}

impl Deref for Host {
    type Target = EngineFunctions;

    fn deref(&self) -> &EngineFunctions {
        &self.functions
    }
}

impl Slotted for Host {
    fn errors(&self) -> &impl ErrorQueue {
        self.errors
    }
}

impl Host {
    /// The libcrypto of a slot.
    pub(crate) fn at(slot: usize) -> Option<&'static Self> {
        // SAFETY: a host in a slot is never freed.
        unsafe { HOSTS.get(slot)?.load(Ordering::Acquire).as_ref() }
    }

    /// The libcrypto that contains this address. It is looked up on first use. `None` if it cannot
    /// be used; the reason is in its error queue, if it has one.
    ///
    /// # Safety
    /// The address is inside a libcrypto.
    pub(crate) unsafe fn of(static_state: *const c_void) -> Option<&'static Self> {
        // SAFETY: guaranteed by the caller.
        let keys = match unsafe { Libcrypto::of(static_state, crate::engine::ID) } {
            Ok(keys) => keys,
            Err(Unusable { errors, error }) => {
                if let Some(errors) = errors {
                    guard::run("bind_engine", errors, || -> Result<()> { Err(error) });
                }
                return None;
            }
        };
        if let Some(host) = Self::at(keys.slot) {
            return Some(host);
        }
        let library = Library::of(static_state)?;
        // SAFETY: the caller guarantees a libcrypto.
        let look = || unsafe { Self::make(keys, &library) };
        let made = guard::run("bind_engine", keys.errors, || look().map(Box::new));
        let made: *mut Self = made.cast();
        if made.is_null() {
            return None;
        }
        // If another thread was faster, its result is used. Nothing is freed: libcrypto may already
        // have pointers to it.
        let free = ptr::null_mut();
        let _first =
            HOSTS[keys.slot].compare_exchange(free, made, Ordering::AcqRel, Ordering::Acquire);
        Self::at(keys.slot)
    }

    /// # Safety
    /// The library is a libcrypto, and `keys` belongs to it.
    unsafe fn make(keys: &'static Libcrypto, library: &Library) -> Result<Self> {
        // SAFETY: guaranteed by the caller.
        let functions = unsafe { EngineFunctions::find(library) }.map_err(|Missing(name)| {
            let name = name.to_string_lossy();
            Error::unsupported(format!(
                "this libcrypto has no function {name}: e_akv needs OpenSSL 1.1.1 or 3.x with engines"
            ))
        })?;
        // SAFETY: these are libcrypto's functions. The callbacks have the right prototypes and stay
        // mapped, since the module is never unloaded.
        unsafe {
            Ok(Self {
                keys,
                slot: keys.slot,
                errors: keys.errors,
                jobs: Jobs::of(library),
                indices: Indices { engine: extra_index(keys, extra::ENGINE, None, None)? },
                rsa_operation: rsa_operation::Method::new(&functions, keys.slot)?,
                ec_operation: duplicate_method(&functions, nid::EC)?.1,
                key_file: key_file::register(&functions)?,
                commands: controls::Definitions::new(),
                functions,
            })
        }
    }

    /// The number of the sign operation (`EVP_PKEY_OP_SIGN`).
    pub(crate) fn operation_sign(&self) -> c_int {
        if self.errors.is_version_3() { OPERATION_SIGN_3 } else { OPERATION_SIGN_1_1 }
    }
}
