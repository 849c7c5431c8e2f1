//! Gives precedence to other providers.
//!
//! Our algorithms have the usual names, since libcrypto and libssl select by them. libcrypto stores
//! the implementations of an algorithm in the order of registration, and returns the first when no
//! property query is given. Ours work only with vault keys: if they came first, the host could no
//! longer generate an EC key, not even for a TLS handshake. The order is that of the configuration,
//! or alphabetical once libcrypto has sorted its providers.
//!
//! Before we return our algorithms of an operation, we therefore make libcrypto register those of
//! all other providers. In a program that links libcrypto statically and exports no symbols, this
//! is not possible, and the configuration has to load the default provider first.

use std::cell::Cell;
use std::ffi::{CStr, c_int};

use ossl_abi::Host;
use ossl_abi::functions::operation;

thread_local! {
    /// Set while this thread makes a host query all its providers. Several instances of ours may be
    /// loaded, so it does not matter which of them does.
    static ASKING: Cell<bool> = const { Cell::new(false) };
}

/// The property query for other providers.
pub(crate) const OTHERS: &CStr = c"provider!=akv_provider";
/// The empty property query.
const ANY: &CStr = c"";

/// Makes the host register other providers' algorithms first. Returns `false` during such a query:
/// then we must report no algorithms yet.
///
/// This is repeated each time, because libcrypto drops its cache when a provider is loaded or
/// unloaded.
pub(crate) fn yield_to_others(host: &Host, operation: c_int) -> bool {
    let algorithm = match operation {
        operation::KEYMGMT => c"EC",
        operation::SIGNATURE => c"ECDSA",
        operation::ASYM_CIPHER => c"RSA",
        _ => return true,
    };
    if ASKING.get() {
        return false;
    }
    if operation != operation::KEYMGMT {
        // Key managements are fetched for every operation. libcrypto 3.0 drops a fetched one when
        // it registers another for the same type, so ours must be registered before.
        host.fetch_and_free(operation::KEYMGMT, c"EC", OTHERS);
    }
    ASKING.set(true);
    host.fetch_and_free(operation, algorithm, OTHERS);
    if operation == operation::KEYMGMT {
        // libcrypto caches fetched algorithms by type and query. A fetch without a query returns
        // the first cached one, and the current query may be one for ours.
        host.fetch_and_free(operation, c"EC", ANY);
        host.fetch_and_free(operation, c"RSA", ANY);
    }
    ASKING.set(false);
    true
}
