//! Vault keys as legacy structures, for programs that call `EVP_PKEY_get0_RSA` or
//! `EVP_PKEY_get0_EC_KEY`.
//!
//! To create the structure, libcrypto exports the key, including the private half, to an importer
//! of its own. Exports of the private half to other providers are refused, so that libcrypto
//! performs operations with our provider. Its own importer receives the public half, and the
//! structure that it creates receives methods that sign and decrypt in the vault.

use std::cell::Cell;
use std::ffi::CStr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use akv_core::PublicKey;
use akv_core::blocking::Key;
use legacy_abi::{Libcrypto, key as structure};
use ossl_abi::entry::CoreCallback;
use ossl_abi::host::Structure;

use crate::error::{Error, Result};
use crate::importers::{NONE, UNKNOWN};
use crate::key::{KeyObject, public_parts};
use crate::key_type::KeyType;
use crate::selection::Selection;

/// The library name that libcrypto shows with errors of the structures' functions. These may
/// outlive the provider, whose name is shown with all other errors.
const NAME: &CStr = c"akv_provider";

/// Our own key management, regardless of the host's default properties.
const OURS: &CStr = c"provider=akv_provider,-fips";

thread_local! {
    /// Set while this thread waits for the address of libcrypto's importer.
    static WAITING: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Called for every export, which may be the one that this thread waits for.
pub(crate) fn record_importer(callback: CoreCallback<'_>) {
    if WAITING.get().is_some() {
        WAITING.set(Some(callback.function() as usize));
    }
}

/// Whether this is libcrypto's importer for the structure of this key type.
pub(crate) fn is_importer(key: &KeyObject, callback: CoreCallback<'_>) -> bool {
    let known = key.provider().importers().of(key.kind());
    let mut importer = known.load(Ordering::Relaxed);
    if importer == UNKNOWN {
        importer = find(key).unwrap_or(NONE);
        known.store(importer, Ordering::Relaxed);
    }
    importer == callback.function() as usize
}

/// Finds the importer: makes libcrypto create the structure of a temporary key with the same public
/// half.
fn find(key: &KeyObject) -> Option<usize> {
    libcrypto(key).ok()?;
    let parts = public_parts(key, Selection::PUBLIC_PARTS).ok()?;
    let kind = match key.kind() {
        KeyType::Rsa => Structure::Rsa,
        KeyType::Ec => Structure::EcKey,
    };
    let mut importer = UNKNOWN;
    let selection = Selection::PUBLIC_PARTS.bits();
    key.provider().host().ask_for_structure(kind, OURS, selection, &parts, |ask| {
        WAITING.set(Some(UNKNOWN));
        ask();
        importer = WAITING.take().unwrap_or(UNKNOWN);
    });
    (importer != UNKNOWN).then_some(importer)
}

fn libcrypto(key: &KeyObject) -> Result<&'static Libcrypto> {
    let address = key.provider().host().address().ok_or(Error::Silent)?;
    // SAFETY: it is the address of a function of the host's libcrypto.
    unsafe { Libcrypto::of(address, NAME) }.map_err(|unusable| unusable.error.into())
}

/// Exports the public half to libcrypto's importer, and attaches the vault's methods to the
/// structure that it creates.
///
/// # Safety
/// [`is_importer`] returned true for the callback.
pub(crate) unsafe fn export(
    object: &KeyObject,
    key: &Key,
    callback: CoreCallback<'_>,
) -> Result<bool> {
    let libcrypto = libcrypto(object)?;
    let parts = public_parts(object, Selection::PUBLIC_PARTS)?;
    if !callback.call(parts.params()) {
        return Ok(false);
    }
    let shared = Arc::new(key.clone());
    // SAFETY: libcrypto passes its importer a context whose key the importer has just filled. It is
    // a key of this libcrypto that nothing else uses yet.
    unsafe {
        let pkey = (libcrypto.EVP_PKEY_CTX_get0_pkey)(callback.argument().cast());
        match key.public_key() {
            PublicKey::Rsa(_) => {
                let rsa = (libcrypto.EVP_PKEY_get0_RSA)(pkey);
                structure::attach_rsa(libcrypto, rsa, shared)?;
                // If libcrypto might use the number instead of the method, it must not be set.
                if libcrypto.errors.honours_methods() {
                    structure::mark_rsa_private(libcrypto, rsa)?;
                }
            }
            PublicKey::Ec(public) => {
                let ec = (libcrypto.EVP_PKEY_get0_EC_KEY)(pkey);
                structure::attach_ec(libcrypto, ec, shared)?;
                structure::mark_ec_private(libcrypto, ec, public)?;
            }
            _ => return Ok(false),
        }
    }
    Ok(true)
}
