//! The algorithms of each operation.

use std::ffi::c_int;

use ossl_abi::Algorithm;
use ossl_abi::functions::operation;

use super::declared;
use crate::provider::Provider;
use crate::{asym_cipher, decoder, encoder, keymgmt, signature, store, symmetric};

static KEYMGMT: &[Algorithm] =
    &[keymgmt::RSA, keymgmt::EC, symmetric::keymgmt::ALGORITHM, Algorithm::END];

static ASYM_CIPHER: &[Algorithm] =
    &[asym_cipher::ALGORITHM, symmetric::asym_cipher::ALGORITHM, Algorithm::END];

/// The algorithms of an operation, depending on the host's version and the setting `fips`.
pub(super) fn of(provider: &Provider, operation: c_int) -> &'static [Algorithm] {
    let algorithms = usual(provider, operation);
    if provider.fips() && !algorithms.is_empty() { declared::of(algorithms) } else { algorithms }
}

fn usual(provider: &Provider, operation: c_int) -> &'static [Algorithm] {
    match operation {
        operation::KEYMGMT => KEYMGMT,
        operation::SIGNATURE => signature::algorithms(provider.has_composites()),
        operation::ASYM_CIPHER => ASYM_CIPHER,
        operation::ENCODER => encoder::ALGORITHMS,
        operation::DECODER => decoder::ALGORITHMS,
        operation::STORE => store::ALGORITHMS,
        operation::SKEYMGMT if provider.has_opaque_keys() => symmetric::skeymgmt::ALGORITHMS,
        operation::CIPHER if provider.has_opaque_keys() => symmetric::cipher::ALGORITHMS,
        _ => &[],
    }
}

/// All lists.
pub(super) fn all() -> [&'static [Algorithm]; 9] {
    [
        KEYMGMT,
        signature::algorithms(false),
        signature::algorithms(true),
        ASYM_CIPHER,
        encoder::ALGORITHMS,
        decoder::ALGORITHMS,
        store::ALGORITHMS,
        symmetric::skeymgmt::ALGORITHMS,
        symmetric::cipher::ALGORITHMS,
    ]
}
