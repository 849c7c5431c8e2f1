//! Symmetric keys.

use std::ffi::{CStr, CString};
use std::sync::Arc;

use akv_core::KeyReference;
use akv_core::blocking::SymmetricKey;
use ossl_abi::Host;
use ossl_abi::guard::Object;

use crate::error::Error;
use crate::provider::Provider;

/// The key type, and the name of its algorithms.
pub(crate) const AKV_AES: &CStr = c"AKV-AES";
/// A symmetric key object for libcrypto. It never changes.
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
        // References contain no NUL.
        let id = CString::new(key.pinned_reference().to_string()).unwrap_or_default();
        Self { provider, key, id }
    }

    /// The reference with the pinned version.
    pub(crate) fn id(&self) -> &CStr {
        &self.id
    }

    pub(crate) fn key(&self) -> &SymmetricKey {
        &self.key
    }
}

/// The error for requesting the public half of a symmetric key.
pub(crate) fn no_public_half(key: &KeyReference) -> Error {
    Error::unsupported(format!("{key} is a symmetric key, which has no public half"))
}
