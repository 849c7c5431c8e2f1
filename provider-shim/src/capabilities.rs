//! What libssl wants to know of a provider (provider-base(7), "CAPABILITIES").
//!
//! Up to 3.4 libssl takes the groups of a key exchange only from the provider whose key management it
//! finds for them. That are we where a property query prefers us, and then there would be no groups
//! of elliptic curves at all, were it not for the ones of the providers that make the keys for us
//! (see [`crate::foreign`]). Where we are not preferred, libssl drops what we say here. Later
//! releases take a group from whomever, and would have each of these twice.

use crate::provider::Provider;
use ossl_abi::guard;
use ossl_abi::names;
use ossl_abi::params::Params;
use ossl_abi::types::Callback;
use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_void};

thread_local! {
    /// This thread is asking others, among whom there may be another of us.
    static ASKING: Cell<bool> = const { Cell::new(false) };
}

/// A group whose keys we would be asked to make.
fn is_ours(group: Params<'_>) -> bool {
    let algorithm = group.get(names::TLS_GROUP_ALG).and_then(|value| value.utf8().ok());
    algorithm.is_some_and(|name| name.eq_ignore_ascii_case("EC"))
}

pub(crate) unsafe extern "C" fn get(
    provctx: *mut c_void,
    capability: *const c_char,
    callback: Option<Callback>,
    arg: *mut c_void,
) -> c_int {
    const GROUPS: &CStr = c"TLS-GROUP";
    let body = |provider: &Provider| -> c_int {
        // SAFETY: the core passes a name, or null.
        let wanted =
            unsafe { guard::text(capability) }.is_some_and(|name| GROUPS.to_str() == Ok(name));
        let Some(callback) =
            callback.filter(|_| wanted && provider.passes_groups_on() && !ASKING.get())
        else {
            return 1;
        };
        ASKING.set(true);
        // SAFETY: the callback and its argument are the core's.
        let done = unsafe {
            provider.host().capabilities_of_others(GROUPS, provctx, is_ours, callback, arg)
        };
        ASKING.set(false);
        done.into()
    };
    // SAFETY: the core passes the provider context.
    unsafe { guard::query("capabilities", provctx, 1, body) }
}
