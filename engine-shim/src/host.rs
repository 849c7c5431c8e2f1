//! What the engine keeps for each libcrypto of the process.
//!
//! libcrypto calls most functions of an engine with an object of its own and nothing of ours, and
//! what is attached to that object only libcrypto's functions can find. A process may hold several
//! libcryptos, all of which get this one module. So every such function exists once for each slot
//! here, and knows its libcrypto by that.

use crate::error::{Error, Result};
use crate::libcrypto::constants::{OPERATION_SIGN_1_1, OPERATION_SIGN_3, extra};
use crate::libcrypto::types::CommandDefinition;
use crate::libcrypto::{ErrorFunctions, Errors, Functions, Missing};
use crate::{controls, ec, key, key_file, rsa, rsa_operation};
use ossl_abi::guard;
use ossl_abi::library::Library;
use std::ffi::{c_int, c_void};
use std::ops::Deref;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// How many libcryptos one process may load the engine with.
pub(crate) const SLOTS: usize = 4;

static HOSTS: [AtomicPtr<Host>; SLOTS] = [const { AtomicPtr::new(ptr::null_mut()) }; SLOTS];

/// One libcrypto. It lives until the process ends, as methods and texts that libcrypto has pointers
/// to do.
pub(crate) struct Host {
    /// By which it is known again.
    static_state: usize,
    pub(crate) slot: usize,
    functions: Functions,
    pub(crate) errors: &'static Errors,
    pub(crate) indices: Indices,
    pub(crate) rsa: rsa::Method,
    pub(crate) rsa_operation: rsa_operation::Method,
    pub(crate) ec: ec::Methods,
    /// The number of the key file's object identifier.
    pub(crate) key_file: c_int,
    pub(crate) commands: &'static [CommandDefinition],
}

/// Where the engine's data is attached to libcrypto's objects.
pub(crate) struct Indices {
    pub(crate) engine: c_int,
    pub(crate) rsa: c_int,
    pub(crate) ec_key: c_int,
}

// SAFETY: libcrypto's functions may be called from any thread; the methods are not changed once
// they are made.
unsafe impl Send for Host {}
// SAFETY: as above.
unsafe impl Sync for Host {}

impl Deref for Host {
    type Target = Functions;

    fn deref(&self) -> &Functions {
        &self.functions
    }
}

impl Host {
    /// The libcrypto of a slot.
    pub(crate) fn at(slot: usize) -> Option<&'static Self> {
        // SAFETY: a host that is in a slot is never freed.
        unsafe { HOSTS.get(slot)?.load(Ordering::Acquire).as_ref() }
    }

    /// The libcrypto with this address in it, looked up when it is seen for the first time. `None`
    /// when it cannot be; its error queue says why, if it has one.
    ///
    /// # Safety
    /// The address is in a libcrypto.
    pub(crate) unsafe fn of(static_state: *const c_void) -> Option<&'static Self> {
        let known = || {
            let mut hosts = (0..SLOTS).filter_map(Self::at);
            hosts.find(|host| host.static_state == static_state as usize)
        };
        if let Some(host) = known() {
            return Some(host);
        }
        let library = Library::of(static_state)?;
        // SAFETY: it is a libcrypto, as the caller vouched; its errors live as long as it does.
        let errors: &'static Errors = unsafe {
            let functions = ErrorFunctions::find(&library).ok()?;
            Box::leak(Box::new(Errors::register(functions)))
        };
        // SAFETY: as above.
        let look = || unsafe { Self::make(static_state as usize, &library, errors) };
        let made = guard::run("bind_engine", errors, || look().map(Box::new));
        let made: *mut Self = made.cast();
        if made.is_null() {
            return None;
        }
        // SAFETY: the host was just made, with a slot that was free then.
        let slot = &HOSTS[unsafe { (*made).slot }];
        match slot.compare_exchange(ptr::null_mut(), made, Ordering::AcqRel, Ordering::Acquire) {
            // SAFETY: as in `at`.
            Ok(_) => unsafe { made.as_ref() },
            // Another thread was faster, with the same libcrypto or with another one.
            // SAFETY: vouched for by the caller.
            Err(_) => unsafe { Self::of(static_state) },
        }
    }

    /// # Safety
    /// As for [`Self::of`]; the library is that libcrypto.
    unsafe fn make(
        static_state: usize,
        library: &Library,
        errors: &'static Errors,
    ) -> Result<Self> {
        // SAFETY: vouched for by the caller.
        let functions = unsafe { Functions::find(library) }.map_err(|Missing(name)| {
            let name = name.to_string_lossy();
            Error::unsupported(format!(
                "this libcrypto has no function {name}: e_akv needs OpenSSL 1.1.1 or 3.x with engines"
            ))
        })?;
        let slot = (0..SLOTS).find(|slot| Self::at(*slot).is_none()).ok_or_else(|| {
            Error::unsupported(format!("more than {SLOTS} libcryptos in one process"))
        })?;
        // SAFETY: these are libcrypto's functions; the callbacks have the prototypes that are
        // wanted and stay mapped, since the module is never unloaded.
        unsafe {
            Ok(Self {
                static_state,
                slot,
                errors,
                indices: Indices::new(&functions)?,
                rsa: rsa::Method::new(&functions, slot)?,
                rsa_operation: rsa_operation::Method::new(&functions, slot)?,
                ec: ec::Methods::new(&functions, slot)?,
                key_file: key_file::register(&functions)?,
                commands: controls::definitions(),
                functions,
            })
        }
    }

    /// The number of an operation that signs.
    pub(crate) fn operation_sign(&self) -> c_int {
        if self.errors.is_version_3() { OPERATION_SIGN_3 } else { OPERATION_SIGN_1_1 }
    }
}

impl Indices {
    /// # Safety
    /// The functions are libcrypto's.
    unsafe fn new(functions: &Functions) -> Result<Self> {
        let new = |class, dup, free| {
            // SAFETY: libcrypto's function; the callbacks stay mapped.
            let index = unsafe {
                (functions.CRYPTO_get_ex_new_index)(class, 0, ptr::null_mut(), None, dup, free)
            };
            if index < 0 { Err(Error::libcrypto("CRYPTO_get_ex_new_index")) } else { Ok(index) }
        };
        Ok(Self {
            engine: new(extra::ENGINE, None, None)?,
            rsa: new(extra::RSA, Some(key::share), Some(key::release))?,
            ec_key: new(extra::EC_KEY, Some(key::share), Some(key::release))?,
        })
    }
}

/// A table with one entry for each slot, made from a function that is generic over its slot.
macro_rules! per_slot {
    ($function:ident) => {
        [$function::<0>, $function::<1>, $function::<2>, $function::<3>]
    };
}
pub(crate) use per_slot;
