//! Symmetric (AES) keys of a Managed HSM.
//!
//! | module | what |
//! |---|---|
//! | [`keymgmt`], [`asym_cipher`] | the key as an `EVP_PKEY` that encrypts and decrypts other keys, in every release |
//! | [`skeymgmt`], [`cipher`] | the key as an opaque `EVP_SKEY` and its ciphers, from OpenSSL 3.5 on |
//!
//! The type of such keys is ours alone, so no other provider's can be mistaken for it.

pub(crate) mod asym_cipher;
pub(crate) mod cipher;
pub(crate) mod keymgmt;
pub(crate) mod skeymgmt;

use crate::error::Error;
use crate::provider::Provider;
use akv_core::KeyReference;
use akv_core::blocking::SymmetricKey;
use ossl_abi::guard::Object;
use ossl_abi::params::Values;
use ossl_abi::types::Callback;
use ossl_abi::{Host, names};
use std::cell::RefCell;
use std::ffi::{CStr, CString, c_void};
use std::sync::Arc;

/// The type of the keys, and the name of what is done with them.
pub(crate) const NAME: &CStr = c"AKV-AES";
/// The same as text.
pub(crate) const NAME_TEXT: &str = "AKV-AES";

/// A symmetric key, as libcrypto holds it. It never changes.
pub(crate) struct SymmetricObject {
    provider: Arc<Provider>,
    key: SymmetricKey,
    id: CString,
}

impl Object for SymmetricObject {
    fn host(&self) -> &Host {
        self.provider.host()
    }
}

impl SymmetricObject {
    pub(crate) fn new(provider: Arc<Provider>, key: SymmetricKey) -> Self {
        // A reference has no NUL.
        let id = CString::new(key.pinned_reference().to_string()).unwrap_or_default();
        Self { provider, key, id }
    }

    /// The reference with the version.
    pub(crate) fn id(&self) -> &CStr {
        &self.id
    }

    pub(crate) fn key(&self) -> &SymmetricKey {
        &self.key
    }
}

thread_local! {
    /// The object that this thread is handing over.
    static ON_ITS_WAY: RefCell<Option<Arc<SymmetricObject>>> = const { RefCell::new(None) };
}

/// Calls back with a reference to a key, which libcrypto hands to a function of ours before the
/// call returns.
///
/// # Safety
/// `callback` and `arg` are those that the core passed to the call that is going on.
pub(crate) unsafe fn hand_over(
    object: Arc<SymmetricObject>,
    object_type: i32,
    callback: Callback,
    arg: *mut c_void,
) -> bool {
    let description = Values::new()
        .int(names::OBJECT_TYPE, object_type)
        .utf8(names::OBJECT_DATA_TYPE, NAME_TEXT)
        .octets(names::OBJECT_REFERENCE, &reference(&object))
        .build();
    ON_ITS_WAY.set(Some(object));
    // SAFETY: vouched for by the caller; the array lives until the callback returns.
    let taken = unsafe { callback(description.as_ptr(), arg) == 1 };
    ON_ITS_WAY.set(None);
    taken
}

/// The object that is being handed over with this reference.
fn on_its_way(bytes: &[u8]) -> Option<Arc<SymmetricObject>> {
    ON_ITS_WAY.with_borrow(|object| object.clone().filter(|object| reference(object) == bytes))
}

/// The error for a public key, or a form of one, of a symmetric key.
pub(crate) fn no_public_half(key: &KeyReference) -> Error {
    Error::unsupported(format!("{key} is a symmetric key, which has no public half"))
}

/// Tells objects apart; nobody follows it.
fn reference(object: &Arc<SymmetricObject>) -> [u8; size_of::<usize>()] {
    Arc::as_ptr(object).addr().to_ne_bytes()
}
