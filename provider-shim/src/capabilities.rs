//! The capabilities that libssl queries (provider-base(7), "CAPABILITIES").
//!
//! Up to 3.4, libssl takes the groups of a key exchange only from the provider whose key management
//! it fetches for them. If a property query prefers our provider, that is ours, and without the
//! groups listed here no elliptic curves would be available. We therefore report the groups of the
//! providers that generate these keys for us (see [`crate::foreign`]). If our provider is not
//! preferred, libssl ignores them. Later releases accept a group from any provider and would see
//! each group twice.

use std::cell::Cell;
use std::ffi::{CStr, c_int};
use std::sync::Arc;

use ossl_abi::params::Params;
use ossl_abi::{entry, names};

use crate::provider::Provider;

const GROUPS: &CStr = c"TLS-GROUP";

thread_local! {
    /// This thread is querying other providers, one of which may be another instance of ours.
    static ASKING: Cell<bool> = const { Cell::new(false) };
}

/// Whether we would be asked to generate the keys of a group.
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
            callback.filter(|_| wanted && provider.reports_groups() && !ASKING.get())
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
