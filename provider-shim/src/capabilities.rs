//! What libssl wants to know of a provider (provider-base(7), "CAPABILITIES").
//!
//! Up to 3.4 libssl takes the groups of a key exchange only from the provider whose key management it
//! finds for them. That are we where a property query prefers us, and then there would be no groups
//! of elliptic curves at all, were it not for the ones of the providers that make the keys for us
//! (see [`crate::foreign`]). Where we are not preferred, libssl drops what we say here. Later
//! releases take a group from whomever, and would have each of these twice.

use crate::provider::Provider;
use ossl_abi::params::Params;
use ossl_abi::{entry, names};
use std::cell::Cell;
use std::ffi::{CStr, c_int};
use std::sync::Arc;

const GROUPS: &CStr = c"TLS-GROUP";

thread_local! {
    /// This thread is asking others, among whom there may be another of us.
    static ASKING: Cell<bool> = const { Cell::new(false) };
}

/// A group whose keys we would be asked to make.
fn is_ours(group: Params<'_>) -> bool {
    let algorithm = group.get(names::TLS_GROUP_ALG).and_then(|value| value.utf8().ok());
    algorithm.is_some_and(|name| name.eq_ignore_ascii_case("EC"))
}

entry! {
    pub(crate) fn get(
        "capabilities",
        provider: &Arc<Provider>,
        capability: Option<Text>,
        callback: Option<Callback>,
    ) -> c_int, or 1 {
        let wanted = capability.is_some_and(|name| GROUPS.to_str() == Ok(name));
        let Some(callback) =
            callback.filter(|_| wanted && provider.passes_groups_on() && !ASKING.get())
        else {
            return 1;
        };
        ASKING.set(true);
        let own = Arc::as_ptr(provider).cast();
        let done = provider.host().capabilities_of_others(GROUPS, own, is_ours, callback);
        ASKING.set(false);
        done.into()
    }
}
