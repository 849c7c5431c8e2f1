//! State for each libcrypto in the process.
//!
//! libcrypto calls a method's functions with an object of its own and no pointer of ours, and only
//! its own functions can read the data attached to that object. A process may contain several
//! libcryptos that all load this one module. Each of these functions therefore exists once for each
//! slot in the table here, and the slot identifies its libcrypto.

use std::ffi::{CStr, c_int, c_void};
use std::ops::Deref;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use ossl_abi::guard::{ErrorQueue, Slotted};
use ossl_abi::library::Library;

use crate::error::{Error, Result};
use crate::libcrypto::constants::extra;
use crate::libcrypto::types::{ExtraDupFn, ExtraFreeFn};
use crate::libcrypto::{ErrorFunctions, Errors, KeyFunctions, Missing};
use crate::{ec, key, rsa};

/// The maximum number of libcryptos in one process.
pub const SLOTS: usize = 4;

static SLOT_TABLE: [AtomicPtr<Libcrypto>; SLOTS] =
    [const { AtomicPtr::new(ptr::null_mut()) }; SLOTS];

/// One libcrypto. It is never freed, because libcrypto keeps pointers to its methods and strings.
pub struct Libcrypto {
    /// The base address, which identifies it.
    base: usize,
    /// Its index in tables built by [`per_slot!`](crate::per_slot).
    pub slot: usize,
    /// Its error queue.
    pub errors: &'static Errors,
    functions: KeyFunctions,
    pub(crate) indices: Indices,
    pub(crate) rsa: rsa::Method,
    pub(crate) ec: ec::Method,
}

/// The ex_data indices for the vault's keys in libcrypto's objects.
pub(crate) struct Indices {
    pub(crate) rsa: c_int,
    pub(crate) ec_key: c_int,
}

/// A libcrypto that cannot be used.
pub struct Unusable {
    /// Its error queue, if usable.
    pub errors: Option<&'static Errors>,
    /// The reason.
    pub error: Error,
}

// SAFETY: libcrypto's functions may be called from any thread, and the methods do not change once
// they are created.
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
        // SAFETY: a libcrypto in a slot is never freed.
        unsafe { SLOT_TABLE.get(slot)?.load(Ordering::Acquire).as_ref() }
    }

    /// The libcrypto that contains this address. It is looked up on first use. `name` is the
    /// library name that it shows with our errors.
    ///
    /// # Errors
    /// It lacks functions, or there are too many libcryptos.
    ///
    /// # Safety
    /// The address is inside a libcrypto.
    pub unsafe fn of(
        address: *const c_void,
        name: &'static CStr,
    ) -> Result<&'static Self, Unusable> {
        let unusable = |errors, error| Unusable { errors, error };
        let Some(library) = Library::of(address) else {
            return Err(unusable(None, Error::unsupported("no library contains the address")));
        };
        let known = || {
            let mut all = (0..SLOTS).filter_map(Self::at);
            all.find(|one| one.base == library.base())
        };
        if let Some(known) = known() {
            return Ok(known);
        }
        // SAFETY: the caller guarantees a libcrypto, and its errors live as long as it does.
        let errors: &'static Errors = unsafe {
            let functions = ErrorFunctions::find(&library)
                .map_err(|missing| unusable(None, missing_function(missing)))?;
            Box::leak(Box::new(Errors::register(functions, name)))
        };
        loop {
            // SAFETY: as above.
            let made = unsafe { Self::make(&library, errors, name) };
            let made = Box::into_raw(Box::new(made.map_err(|e| unusable(Some(errors), e))?));
            // SAFETY: it was just created, with a slot that was free at the time.
            let slot = &SLOT_TABLE[unsafe { (*made).slot }];
            let free = ptr::null_mut();
            match slot.compare_exchange(free, made, Ordering::AcqRel, Ordering::Acquire) {
                // SAFETY: it is never freed from now on.
                Ok(_) => return Ok(unsafe { &*made }),
                // Another thread was faster, with this libcrypto or another one. libcrypto may
                // already have pointers to the methods, so nothing is freed.
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
        // SAFETY: guaranteed by the caller.
        let functions = unsafe { KeyFunctions::find(library) }.map_err(missing_function)?;
        let slot = (0..SLOTS).find(|slot| Self::at(*slot).is_none()).ok_or_else(|| {
            Error::unsupported(format!("more than {SLOTS} libcryptos in one process"))
        })?;
        // SAFETY: these are libcrypto's functions. The callbacks have the right prototypes and stay
        // mapped, since the module is never unloaded.
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

fn missing_function(Missing(name): Missing) -> Error {
    Error::unsupported(format!("this libcrypto has no function {}", name.to_string_lossy()))
}

impl Indices {
    /// # Safety
    /// The functions are libcrypto's.
    unsafe fn new(functions: &KeyFunctions) -> Result<Self> {
        // SAFETY: guaranteed by the caller; the callbacks stay mapped.
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

/// Reserves an ex_data index in objects of a class.
///
/// # Errors
/// libcrypto could not allocate one.
///
/// # Safety
/// The functions are libcrypto's. The callbacks stay mapped and match the data to attach.
pub unsafe fn extra_index(
    functions: &KeyFunctions,
    class: c_int,
    dup: Option<ExtraDupFn>,
    free: Option<ExtraFreeFn>,
) -> Result<c_int> {
    // SAFETY: guaranteed by the caller.
    let index =
        unsafe { (functions.CRYPTO_get_ex_new_index)(class, 0, ptr::null_mut(), None, dup, free) };
    if index < 0 { Err(Error::libcrypto("CRYPTO_get_ex_new_index")) } else { Ok(index) }
}

/// Builds a table with one entry for each slot from a function that is generic over its slot.
#[macro_export]
macro_rules! per_slot {
    ($function:ident) => {
        [$function::<0>, $function::<1>, $function::<2>, $function::<3>]
    };
}
pub use per_slot;
