//! What is kept for each libcrypto of the process.
//!
//! libcrypto calls the functions of a method with an object of its own and nothing of ours, and what
//! is attached to that object only libcrypto's functions can find. A process may hold several
//! libcryptos, all of which get this one module. So every such function exists once for each slot
//! here, and knows its libcrypto by that.

use crate::error::{Error, Result};
use crate::libcrypto::constants::extra;
use crate::libcrypto::types::{ExtraDupFn, ExtraFreeFn};
use crate::libcrypto::{ErrorFunctions, Errors, KeyFunctions, Missing};
use crate::{ec, key, rsa};
use ossl_abi::guard::{ErrorQueue, Slotted};
use ossl_abi::library::Library;
use std::ffi::{CStr, c_int, c_void};
use std::ops::Deref;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// How many libcryptos of one process are told apart.
pub const SLOTS: usize = 4;

static SLOT_TABLE: [AtomicPtr<Libcrypto>; SLOTS] =
    [const { AtomicPtr::new(ptr::null_mut()) }; SLOTS];

/// One libcrypto. It lives until the process ends, as methods and texts that libcrypto has pointers
/// to do.
pub struct Libcrypto {
    /// By which it is known again.
    base: usize,
    /// Its place in tables made by [`per_slot!`](crate::per_slot).
    pub slot: usize,
    /// Its error queue.
    pub errors: &'static Errors,
    functions: KeyFunctions,
    pub(crate) indices: Indices,
    pub(crate) rsa: rsa::Method,
    pub(crate) ec: ec::Method,
}

/// Where the vault's keys are attached to libcrypto's objects.
pub(crate) struct Indices {
    pub(crate) rsa: c_int,
    pub(crate) ec_key: c_int,
}

/// A libcrypto that cannot be used.
pub struct Unusable {
    /// Its error queue, if that can be used.
    pub errors: Option<&'static Errors>,
    /// Why.
    pub error: Error,
}

// SAFETY: libcrypto's functions may be called from any thread; the methods are not changed once
// they are made.
unsafe impl Send for Libcrypto {}
// SAFETY: as above.
unsafe impl Sync for Libcrypto {}

impl Deref for Libcrypto {
    type Target = KeyFunctions;

    fn deref(&self) -> &KeyFunctions {
        &self.functions
    }
}

impl Slotted for Libcrypto {
    fn errors(&self) -> &impl ErrorQueue {
        self.errors
    }
}

impl Libcrypto {
    /// The libcrypto of a slot.
    pub fn at(slot: usize) -> Option<&'static Self> {
        // SAFETY: what is in a slot is never freed.
        unsafe { SLOT_TABLE.get(slot)?.load(Ordering::Acquire).as_ref() }
    }

    /// The libcrypto with this address in it, looked up when it is seen for the first time. `name`
    /// is what it shows our errors under.
    ///
    /// # Errors
    /// It lacks functions, or there are too many libcryptos.
    ///
    /// # Safety
    /// The address is in a libcrypto.
    pub unsafe fn of(
        address: *const c_void,
        name: &'static CStr,
    ) -> Result<&'static Self, Unusable> {
        let unusable = |errors, error| Unusable { errors, error };
        let Some(library) = Library::of(address) else {
            return Err(unusable(None, Error::unsupported("no library around the address")));
        };
        let known = || {
            let mut all = (0..SLOTS).filter_map(Self::at);
            all.find(|one| one.base == library.base())
        };
        if let Some(known) = known() {
            return Ok(known);
        }
        // SAFETY: it is a libcrypto, as the caller vouched; its errors live as long as it does.
        let errors: &'static Errors = unsafe {
            let functions = ErrorFunctions::find(&library)
                .map_err(|missing| unusable(None, lacking(missing)))?;
            Box::leak(Box::new(Errors::register(functions, name)))
        };
        loop {
            // SAFETY: as above.
            let made = unsafe { Self::make(&library, errors, name) };
            let made = Box::into_raw(Box::new(made.map_err(|e| unusable(Some(errors), e))?));
            // SAFETY: it was just made, with a slot that was free then.
            let slot = &SLOT_TABLE[unsafe { (*made).slot }];
            let free = ptr::null_mut();
            match slot.compare_exchange(free, made, Ordering::AcqRel, Ordering::Acquire) {
                // SAFETY: it is never freed from now on.
                Ok(_) => return Ok(unsafe { &*made }),
                // Another thread was faster, with the same libcrypto or with another one. The
                // methods may be known to libcrypto already, so nothing is freed.
                Err(_) => {
                    if let Some(known) = known() {
                        return Ok(known);
                    }
                }
            }
        }
    }

    /// # Safety
    /// The library is a libcrypto.
    unsafe fn make(library: &Library, errors: &'static Errors, name: &CStr) -> Result<Self> {
        // SAFETY: vouched for by the caller.
        let functions = unsafe { KeyFunctions::find(library) }.map_err(lacking)?;
        let slot = (0..SLOTS).find(|slot| Self::at(*slot).is_none()).ok_or_else(|| {
            Error::unsupported(format!("more than {SLOTS} libcryptos in one process"))
        })?;
        // SAFETY: these are libcrypto's functions; the callbacks have the prototypes that are
        // wanted and stay mapped, since the module is never unloaded.
        unsafe {
            Ok(Self {
                base: library.base(),
                slot,
                errors,
                indices: Indices::new(&functions)?,
                rsa: rsa::Method::new(&functions, name, slot)?,
                ec: ec::Method::new(&functions, slot)?,
                functions,
            })
        }
    }
}

fn lacking(Missing(name): Missing) -> Error {
    Error::unsupported(format!("this libcrypto has no function {}", name.to_string_lossy()))
}

impl Indices {
    /// # Safety
    /// The functions are libcrypto's.
    unsafe fn new(functions: &KeyFunctions) -> Result<Self> {
        // SAFETY: vouched for by the caller; the callbacks stay mapped.
        unsafe {
            Ok(Self {
                rsa: extra_index(functions, extra::RSA, Some(key::share), Some(key::release))?,
                ec_key: extra_index(
                    functions,
                    extra::EC_KEY,
                    Some(key::share),
                    Some(key::release),
                )?,
            })
        }
    }
}

/// A place for data of ours in objects of a class.
///
/// # Errors
/// libcrypto has none left.
///
/// # Safety
/// The functions are libcrypto's; the callbacks stay mapped and fit what will be attached.
pub unsafe fn extra_index(
    functions: &KeyFunctions,
    class: c_int,
    dup: Option<ExtraDupFn>,
    free: Option<ExtraFreeFn>,
) -> Result<c_int> {
    // SAFETY: vouched for by the caller.
    let index =
        unsafe { (functions.CRYPTO_get_ex_new_index)(class, 0, ptr::null_mut(), None, dup, free) };
    if index < 0 { Err(Error::libcrypto("CRYPTO_get_ex_new_index")) } else { Ok(index) }
}

/// A table with one entry for each slot, made from a function that is generic over its slot.
#[macro_export]
macro_rules! per_slot {
    ($function:ident) => {
        [$function::<0>, $function::<1>, $function::<2>, $function::<3>]
    };
}
pub use per_slot;
