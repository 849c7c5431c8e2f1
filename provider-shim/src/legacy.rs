//! Keys in a vault for programs that ask for old structures (`EVP_PKEY_get0_RSA`).
//!
//! libcrypto makes the structure by having the key exported, private half included, to an importer
//! of its own. Other providers' imports are refused then, so that libcrypto leaves operations with
//! the key to us. Its own importer gets the public half, and what it has made of that gets the
//! methods which sign and decrypt in the vault.

use crate::error::{Error, Result};
use crate::importers::{NONE, UNKNOWN};
use crate::key::{KeyObject, public_parts};
use crate::key_type::KeyType;
use crate::selection::Selection;
use akv_core::PublicKey;
use akv_core::blocking::Key;
use legacy_abi::{Libcrypto, key as structure};
use ossl_abi::entry::CoreCallback;
use ossl_abi::host::Structure;
use std::cell::Cell;
use std::ffi::CStr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What libcrypto shows the errors of the structures' functions under. These may outlive the
/// provider, by whose name it shows all others.
const NAME: &CStr = c"akv_provider";

/// Our own key management, whatever the host's default properties say.
const OURS: &CStr = c"provider=akv_provider,-fips";

thread_local! {
    /// Where this thread waits for libcrypto to name its importer.
    static WAITING: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Hears of every export: one of them may be what this thread waits for.
pub(crate) fn notice(callback: CoreCallback<'_>) {
    if WAITING.get().is_some() {
        WAITING.set(Some(callback.function() as usize));
    }
}

/// Whether this is libcrypto's importer for the structure of such keys.
pub(crate) fn is_importer(key: &KeyObject, callback: CoreCallback<'_>) -> bool {
    let known = key.provider().importers().of(key.kind());
    let mut importer = known.load(Ordering::Relaxed);
    if importer == UNKNOWN {
        importer = find(key).unwrap_or(NONE);
        known.store(importer, Ordering::Relaxed);
    }
    importer == callback.function() as usize
}

/// Has libcrypto make the structure of a key of ours that nobody uses, with the same public half.
fn find(key: &KeyObject) -> Option<usize> {
    libcrypto(key).ok()?;
    let parts = public_parts(key, Selection::PUBLIC_PARTS).ok()?;
    let kind = match key.kind() {
        KeyType::Rsa => Structure::Rsa,
        KeyType::Ec => Structure::EcKey,
    };
    let mut importer = UNKNOWN;
    let selection = Selection::PUBLIC_PARTS.raw();
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

/// Gives libcrypto's importer the public half, and the structure that it makes the vault's methods.
///
/// # Safety
/// [`is_importer`] has recognized the callback.
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
    // a key of this libcrypto that nobody else knows yet.
    unsafe {
        let pkey = (libcrypto.EVP_PKEY_CTX_get0_pkey)(callback.argument().cast());
        match key.public_key() {
            PublicKey::Rsa(_) => {
                let rsa = (libcrypto.EVP_PKEY_get0_RSA)(pkey);
                structure::attach_rsa(libcrypto, rsa, shared)?;
                // Where the number would be used one day, there must be none.
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
