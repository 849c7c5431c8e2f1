//! Symmetric keys as `EVP_SKEY` (since OpenSSL 3.5): loaded by their reference, or generated in the
//! HSM. Key bytes are neither imported nor exported.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;
use std::sync::Arc;

use akv_core::blocking::SymmetricKey;
use ossl_abi::entry;
use ossl_abi::functions::skeymgmt as id;
use ossl_abi::names;
use ossl_abi::params::Params;
use ossl_abi::types::{Algorithm, DataType, Dispatch, Param};

use crate::error::{Error, Result};
use crate::handover::{Referred, referred};
use crate::key::{AKV_AES, SymmetricObject};
use crate::new_key::{Description, SYMMETRIC_PARAMETERS, refuse_existing};
use crate::provider::Provider;

/// The reference of an existing key: `openssl enc -skeyopt akv-key:managedHsm:NAME:KEY`.
const KEY: &CStr = c"akv-key";

pub(crate) static ALGORITHMS: &[Algorithm] = &[
    Algorithm::new(AKV_AES, c"provider=akv_provider", TABLE, c"AES keys in Azure Managed HSM"),
    Algorithm::END,
];

static TABLE: &[Dispatch] = &[
    id::FREE.entry(free),
    id::IMPORT.entry(import),
    id::EXPORT.entry(export),
    id::GENERATE.entry(generate),
    id::GET_KEY_ID.entry(get_key_id),
    id::IMP_SETTABLE_PARAMS.entry(imp_settable_params),
    id::GEN_SETTABLE_PARAMS.entry(gen_settable_params),
    Dispatch::END,
];

entry! {
    fn free(key: Arc<SymmetricObject>);
}

fn found(provider: &Provider, params: Params<'_>) -> Result<SymmetricKey> {
    let Some(key) = params.get(KEY) else {
        return Err(Error::argument(
            "akv_provider does not accept key bytes; name a key in an HSM with \
             akv-key:managedHsm:NAME:KEY",
        ));
    };
    let client = provider.client()?;
    Ok(client.symmetric_key(&client.reference(key.utf8()?)?)?)
}

entry! {
    fn import(
        "skeymgmt import",
        provider: &Arc<Provider>,
        _selection: c_int,
        params: Params,
    ) -> Result<Arc<SymmetricObject>> {
        // A reference from our own store.
        if let Some(reference) = params.get(names::OBJECT_REFERENCE) {
            return match referred(reference.octets()?) {
                Some(Referred::Symmetric(key)) => Ok(key),
                _ => Err(Error::Silent),
            };
        }
        let key = found(provider, params)?;
        Ok(Arc::new(SymmetricObject::new(Arc::clone(provider), key)))
    }
}

entry! {
    fn export(
        "skeymgmt export",
        key: &SymmetricObject,
        _selection: c_int,
        _callback: Option<Callback>,
    ) -> Result<()> {
        Err(Error::unsupported(format!(
            "{} never leaves the HSM; use it with akv_provider's ciphers AKV-AES-…",
            key.key().reference()
        )))
    }
}

entry! {
    fn generate(
        "skeymgmt generate",
        provider: &Arc<Provider>,
        params: Params,
    ) -> Result<Arc<SymmetricObject>> {
        let key = new_key(provider, params)?;
        Ok(Arc::new(SymmetricObject::new(Arc::clone(provider), key)))
    }
}

fn new_key(provider: &Provider, params: Params<'_>) -> Result<SymmetricKey> {
    let mut description = Description::default();
    let client = provider.client()?;
    description.set(client, params)?;
    let reference = description.reference().map_err(|_| {
        Error::argument(
            "akv_provider generates keys only in HSMs: set akv-name:managedHsm:NAME:KEY",
        )
    })?;
    let key = description.symmetric_key();
    key.check(reference.kind())?;
    if !description.new_version() {
        refuse_existing(provider, reference)?;
    }
    let vault = client.vault(&reference.vault())?;
    Ok(vault.create(reference.key_name().unwrap_or_default(), key)?)
}

entry! {
    /// The reference with the pinned version, valid while the object lives.
    fn get_key_id(
        "skeymgmt get_key_id",
        key: &SymmetricObject,
    ) -> *const c_char, or (ptr::null()) {
        key.id().as_ptr()
    }
}

extern "C" fn imp_settable_params(_provctx: *mut c_void) -> *const Param {
    static PARAMS: &[Param] = &[Param::describe(KEY, DataType::Utf8String), Param::END];
    PARAMS.as_ptr()
}

extern "C" fn gen_settable_params(_provctx: *mut c_void) -> *const Param {
    SYMMETRIC_PARAMETERS.as_ptr()
}
