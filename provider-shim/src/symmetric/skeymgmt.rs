//! Symmetric keys as `EVP_SKEY`, which OpenSSL has from 3.5 on: found by their reference, or made in
//! the HSM. The bytes of a key are neither taken nor given.

use crate::error::{Error, Result};
use crate::handover::{Referred, referred};
use crate::key::{AKV_AES, SymmetricObject};
use crate::new_key::{Description, SYMMETRIC_PARAMETERS, refuse_existing};
use crate::provider::Provider;
use akv_core::blocking::SymmetricKey;
use ossl_abi::functions::skeymgmt as id;
use ossl_abi::guard;
use ossl_abi::names;
use ossl_abi::params::Params;
use ossl_abi::types::{Algorithm, Callback, DataType, Dispatch, Param};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;
use std::sync::Arc;

/// The reference of a key that is there: `openssl enc -skeyopt akv-key:managedHsm:NAME:KEY`.
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

unsafe extern "C" fn free(keydata: *mut c_void) {
    // SAFETY: the core gives back an object that one of our functions gave it.
    unsafe { guard::free_arc::<SymmetricObject>(keydata) };
}

fn found(provider: &Provider, params: Params<'_>) -> Result<SymmetricKey> {
    let Some(key) = params.get(KEY) else {
        return Err(Error::argument(
            "akv_provider takes no bytes of a key, but the name of one in an HSM: \
             akv-key:managedHsm:NAME:KEY",
        ));
    };
    let client = provider.client()?;
    Ok(client.symmetric_key(&client.reference(key.utf8()?)?)?)
}

unsafe extern "C" fn import(
    provctx: *mut c_void,
    _selection: c_int,
    params: *const Param,
) -> *mut c_void {
    let body = |provider: &Provider| -> Result<Arc<SymmetricObject>> {
        // SAFETY: the core passes null or a parameter array.
        let params = unsafe { Params::from_ptr(params) };
        // What a store of ours gave.
        if let Some(reference) = params.get(names::OBJECT_REFERENCE) {
            return match referred(reference.octets()?) {
                Some(Referred::Symmetric(key)) => Ok(key),
                _ => Err(Error::Silent),
            };
        }
        let key = found(provider, params)?;
        // SAFETY: the guard has seen that it is not null; the core passes the provider context.
        let provider = unsafe { guard::clone_arc(provctx) }.ok_or(Error::Silent)?;
        Ok(Arc::new(SymmetricObject::new(provider, key)))
    };
    // SAFETY: the core passes the provider context.
    unsafe { guard::shared("skeymgmt import", provctx, body) }
}

unsafe extern "C" fn export(
    keydata: *const c_void,
    _selection: c_int,
    _callback: Option<Callback>,
    _arg: *mut c_void,
) -> c_int {
    let body = |object: &SymmetricObject| -> Result<()> {
        Err(Error::unsupported(format!(
            "{} never leaves the HSM; use it with the ciphers of akv_provider, AKV-AES-…",
            object.key().reference()
        )))
    };
    // SAFETY: the core passes one of our objects.
    unsafe { guard::shared("skeymgmt export", keydata, body) }
}

unsafe extern "C" fn generate(provctx: *mut c_void, params: *const Param) -> *mut c_void {
    let body = |provider: &Provider| -> Result<Arc<SymmetricObject>> {
        let mut description = Description::default();
        let client = provider.client()?;
        // SAFETY: the core passes null or a parameter array.
        description.set(client, unsafe { Params::from_ptr(params) })?;
        let reference = description.reference().map_err(|_| {
            Error::argument(
                "akv_provider makes keys in HSMs only: say where with akv-name:managedHsm:NAME:KEY",
            )
        })?;
        let key = description.symmetric_key();
        key.check(reference.kind())?;
        if !description.new_version() {
            refuse_existing(provider, reference)?;
        }
        let vault = client.vault(&reference.vault())?;
        let key = vault.create(reference.key_name().unwrap_or_default(), key)?;
        // SAFETY: the guard has seen that it is not null; the core passes the provider context.
        let provider = unsafe { guard::clone_arc(provctx) }.ok_or(Error::Silent)?;
        Ok(Arc::new(SymmetricObject::new(provider, key)))
    };
    // SAFETY: the core passes the provider context.
    unsafe { guard::shared("skeymgmt generate", provctx, body) }
}

/// The reference with its version, valid while the object lives.
unsafe extern "C" fn get_key_id(keydata: *const c_void) -> *const c_char {
    let body = |object: &SymmetricObject| object.id().as_ptr();
    // SAFETY: the core passes one of our objects.
    unsafe { guard::query("skeymgmt get_key_id", keydata, ptr::null(), body) }
}

unsafe extern "C" fn imp_settable_params(_provctx: *mut c_void) -> *const Param {
    static PARAMS: &[Param] = &[Param::describe(KEY, DataType::Utf8String), Param::END];
    PARAMS.as_ptr()
}

unsafe extern "C" fn gen_settable_params(_provctx: *mut c_void) -> *const Param {
    SYMMETRIC_PARAMETERS.as_ptr()
}
