//! The host: the libcrypto that loaded the provider, called through its upcalls.

mod bio;
mod digest;
mod errors;
mod fetch;
mod legacy;
mod libcrypto;
mod pkcs8;
mod pkey;
mod providers;

pub use self::bio::{Bio, BioError};
pub use self::digest::HostDigest;
pub use self::legacy::Structure;
pub use self::pkey::{Check, Generate, HostKey, HostKeys, KeyGenerator};

use std::ffi::{CStr, c_char, c_int, c_long, c_uint, c_void};
use std::ptr;

use self::fetch::Fetchers;
use self::libcrypto::libcrypto_functions;
use crate::functions::{bio as bio_id, core};
use crate::types::{CoreBio, CoreContext, CoreHandle, DataType, Dispatch, Param, VaList};

type GetParamsFn = unsafe extern "C" fn(*const CoreHandle, *mut Param) -> c_int;
type HandleFn = unsafe extern "C" fn(*const CoreHandle) -> c_int;

/// The upcalls of one libcrypto for one load of the provider.
///
/// They are not kept in statics: a process may contain several libcryptos, and one libcrypto may
/// load a provider into several library contexts.
#[derive(Clone, Copy)]
pub struct Host {
    handle: *const CoreHandle,
    get_params: Option<GetParamsFn>,
    get_context: Option<unsafe extern "C" fn(*const CoreHandle) -> *mut CoreContext>,
    new_error: Option<unsafe extern "C" fn(*const CoreHandle)>,
    set_error_debug:
        Option<unsafe extern "C" fn(*const CoreHandle, *const c_char, c_int, *const c_char)>,
    vset_error: Option<unsafe extern "C" fn(*const CoreHandle, u32, *const c_char, *mut VaList)>,
    set_error_mark: Option<HandleFn>,
    clear_last_error_mark: Option<HandleFn>,
    pop_error_to_mark: Option<HandleFn>,
    bio_read: Option<unsafe extern "C" fn(*mut CoreBio, *mut c_void, usize, *mut usize) -> c_int>,
    bio_write:
        Option<unsafe extern "C" fn(*mut CoreBio, *const c_void, usize, *mut usize) -> c_int>,
    bio_gets: Option<unsafe extern "C" fn(*mut CoreBio, *mut c_char, c_int) -> c_int>,
    bio_ctrl: Option<unsafe extern "C" fn(*mut CoreBio, c_int, c_long, *mut c_void) -> c_int>,
    fetchers: Fetchers,
}

// SAFETY: the core's functions may be called from any thread, and the handle is only passed on.
unsafe impl Send for Host {}
// SAFETY: as above.
unsafe impl Sync for Host {}

impl Host {
    /// The host that calls `OSSL_provider_init` with these arguments.
    ///
    /// # Safety
    /// `upcalls` is null or the core's table; it and `handle` stay valid until the provider is
    /// torn down.
    pub unsafe fn new(handle: *const CoreHandle, upcalls: *const Dispatch) -> Self {
        macro_rules! find {
            ($id:expr) => {
                // SAFETY: the table is the core's, whose functions have their ids' prototypes.
                unsafe { $id.find(upcalls) }
            };
        }
        let get_params: Option<GetParamsFn> = find!(core::GET_PARAMS);
        Self {
            handle,
            get_params,
            get_context: find!(core::GET_LIBCTX),
            new_error: find!(core::NEW_ERROR),
            set_error_debug: find!(core::SET_ERROR_DEBUG),
            vset_error: find!(core::VSET_ERROR),
            set_error_mark: find!(core::SET_ERROR_MARK),
            clear_last_error_mark: find!(core::CLEAR_LAST_ERROR_MARK),
            pop_error_to_mark: find!(core::POP_ERROR_TO_MARK),
            bio_read: find!(bio_id::READ_EX),
            bio_write: find!(bio_id::WRITE_EX),
            bio_gets: find!(bio_id::GETS),
            bio_ctrl: find!(bio_id::CTRL),
            fetchers: get_params.map_or_else(Fetchers::default, |upcall| {
                Fetchers::in_library_of(upcall as *const c_void)
            }),
        }
    }

    /// The values of the provider's section in `openssl.cnf` and of the core's own parameters
    /// ([`CORE_VERSION`](crate::names::CORE_VERSION)), in the order of `names`.
    ///
    /// In values that are not UTF-8, invalid bytes are replaced.
    pub fn settings(&self, names: &[&CStr]) -> Vec<Option<String>> {
        let mut values: Vec<*const c_char> = vec![ptr::null(); names.len()];
        let slots = values.as_mut_ptr();
        let mut params: Vec<Param> = names
            .iter()
            .enumerate()
            .map(|(index, name)| Param {
                key: name.as_ptr(),
                data_type: DataType::Utf8Ptr as c_uint,
                // In bounds: there is one slot for each name.
                data: slots.wrapping_add(index).cast(),
                data_size: 0,
                return_size: Param::UNMODIFIED,
            })
            .collect();
        params.push(Param::END);
        let asked = match self.get_params {
            // SAFETY: the array ends with a null key, and each parameter has room for a pointer.
            Some(get_params) => unsafe { get_params(self.handle, params.as_mut_ptr()) },
            None => 0,
        };
        if asked != 1 {
            return vec![None; names.len()];
        }
        values
            .into_iter()
            .map(|value| {
                // SAFETY: the core returns null or a C string that it keeps.
                (!value.is_null()).then(|| unsafe { CStr::from_ptr(value) })
            })
            .map(|value| value.map(|text| text.to_string_lossy().into_owned()))
            .collect()
    }

    /// A BIO of the host.
    ///
    /// # Safety
    /// `bio` is null or a BIO that the core passed to the current call.
    pub unsafe fn bio(&self, bio: *mut CoreBio) -> Option<Bio<'_>> {
        Bio::new(self, bio)
    }
}
