//! The keys of a vault.

use std::ffi::{CString, c_char};

use akv_core::{Error, ErrorKind, blocking};

use crate::{
    Client,
    buffer::{hand_over, object, text},
    last_error::{Failed, call, invalid_argument},
};

/// The names of a vault's keys, requested page by page as needed. May be used by only one thread at
/// a time.
pub struct KeyList {
    items: blocking::KeyList,
    name: CString,
}

/// Starts listing the keys of a vault. `vault` is a reference without a key name: `vault:myVault:`.
/// Free the list with `akv_key_list_free`.
///
/// # Safety
/// `client` is null or from `akv_client_new`; `vault` is null or a C string; `list` is null or
/// points to room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_key_list_open(
    client: *const Client,
    vault: *const c_char,
    list: *mut *mut KeyList,
) -> i32 {
    call("akv_key_list_open", || {
        // SAFETY: guaranteed by the caller.
        let (client, vault) = unsafe { (object(client)?, text(vault)?) };
        let open = || {
            let items = client.0.vault(&client.0.reference(vault)?)?.list();
            Ok(KeyList { items, name: CString::default() })
        };
        // SAFETY: the same.
        unsafe { hand_over(list, open) }
    })
}

/// Returns the next name, or null in `*name` at the end of the list. The name is valid until the
/// next call with this list.
///
/// # Safety
/// `list` is null or from `akv_key_list_open`; `name` is null or points to room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_key_list_next(list: *mut KeyList, name: *mut *const c_char) -> i32 {
    call("akv_key_list_next", || {
        // SAFETY: guaranteed by the caller.
        let list = unsafe { list.as_mut() }
            .ok_or_else(|| invalid_argument("the pointer to the list is null"))?;
        // SAFETY: the same.
        let place = unsafe { name.as_mut() }
            .ok_or_else(|| invalid_argument("the pointer to the result is null"))?;
        *place = std::ptr::null();
        let Some(item) = list.items.next().transpose()? else { return Ok(()) };
        list.name = CString::new(item.name()).map_err(|_| {
            Failed::from(Error::new(ErrorKind::Response, "the name of a key contains a NUL"))
        })?;
        *place = list.name.as_ptr();
        Ok(())
    })
}

/// Frees a list.
///
/// # Safety
/// `list` is null or from `akv_key_list_open`, and is not used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_key_list_free(list: *mut KeyList) {
    // SAFETY: guaranteed by the caller.
    unsafe { c_abi::free_box::<KeyList>(list.cast()) }
}
