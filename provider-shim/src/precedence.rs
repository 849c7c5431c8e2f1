//! Other providers come first.
//!
//! Our algorithms have the usual names, since libcrypto and libssl go by them. libcrypto keeps an
//! algorithm's implementations in the order in which it came to know them, and gives the first to
//! whoever asks for no particular one. Ours are good for keys in vaults only: were they the first,
//! the host could not make an EC key any more, not even for a TLS handshake. The order is that of
//! the configuration, or by name once libcrypto has sorted its providers.
//!
//! So before we give libcrypto our algorithms of an operation, we have it come to know those of
//! all others. Where our upcalls come from a libcrypto without symbols, in a program that links it
//! statically, the configuration has to name the default provider first.

use ossl_abi::Host;
use ossl_abi::functions::operation;
use std::cell::Cell;
use std::ffi::{CStr, c_int};

thread_local! {
    /// This thread has made a host ask all its providers. Ours may be there more than once, so it
    /// does not matter which of them did.
    static ASKING: Cell<bool> = const { Cell::new(false) };
}

/// What others have.
pub(crate) const OTHERS: &CStr = c"provider!=akv_provider";
/// What those ask for who ask for nothing in particular.
const ANYBODYS: &CStr = c"";

/// Lets others go first. `false` when it is for this that the host is asking us: then the answer
/// has to be that there is nothing yet.
///
/// This is repeated each time: libcrypto forgets what it knows when a provider comes or goes.
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
        // Key managements are fetched for every operation, and libcrypto 3.0 forgets the one that
        // it fetched when it gets to know another for the same type: ours has to be known before.
        host.visit(operation::KEYMGMT, c"EC", OTHERS);
    }
    ASKING.set(true);
    host.visit(operation, algorithm, OTHERS);
    if operation == operation::KEYMGMT {
        // libcrypto remembers by type and query what it has fetched, and who asks nobody in
        // particular gets the first that it remembers. This may be a question for ours.
        host.visit(operation, c"EC", ANYBODYS);
        host.visit(operation, c"RSA", ANYBODYS);
    }
    ASKING.set(false);
    true
}
