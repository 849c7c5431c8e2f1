//! Key management of RSA and EC keys.
//!
//! An object holds a key in a vault, a public key, an EC group, or a key that another provider made
//! for us. Libcrypto takes a vault key for a private key: `has(PRIVATE)` is true, but nothing private
//! can be exported.

mod attributes;
mod generate;
mod import;
mod lists;

use crate::error::{Error, Result};
use crate::handover::{Referred, referred};
use crate::key::{KeyObject, Material, public_parts};
use crate::key_type::{self, KeyType};
use crate::provider::Provider;
use crate::selection::Selection;
use crate::{legacy, new_key};
use ossl_abi::functions::{keymgmt as id, operation};
use ossl_abi::guard;
use ossl_abi::names;
use ossl_abi::params::{Answers, Params};
use ossl_abi::types::{Algorithm, Callback, Dispatch, Param};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::ptr;
use std::sync::Arc;

pub(crate) const RSA: Algorithm = Algorithm::new(
    c"RSA:rsaEncryption:1.2.840.113549.1.1.1",
    c"provider=akv_provider",
    &table::<Rsa>(),
    c"RSA keys in Azure Key Vault and Managed HSM",
);

pub(crate) const EC: Algorithm = Algorithm::new(
    c"EC:id-ecPublicKey:1.2.840.10045.2.1",
    c"provider=akv_provider",
    &table::<Ec>(),
    c"EC keys in Azure Key Vault and Managed HSM",
);

/// What differs between the two types of keys.
trait Kind {
    const TYPE: KeyType;
    /// Names of the operations' algorithms.
    const SIGNATURE: &'static CStr;
    const ASYM_CIPHER: Option<&'static CStr>;
    const KEY_EXCHANGE: Option<&'static CStr>;
    const ATTRIBUTES: &'static [Param];
    const SETTABLE: &'static [Param];
    /// What is imported and exported.
    const PUBLIC: &'static [Param];
    /// What can be said of a key that is to be made.
    const NEW_KEY: &'static [Param];
}

struct Rsa(PhantomData<()>);

impl Kind for Rsa {
    const TYPE: KeyType = KeyType::Rsa;
    const SIGNATURE: &'static CStr = key_type::RSA;
    const ASYM_CIPHER: Option<&'static CStr> = Some(key_type::RSA);
    const KEY_EXCHANGE: Option<&'static CStr> = None;
    const ATTRIBUTES: &'static [Param] = lists::RSA_ATTRIBUTES;
    const SETTABLE: &'static [Param] = lists::RSA_SETTABLE;
    const PUBLIC: &'static [Param] = lists::RSA_PUBLIC;
    const NEW_KEY: &'static [Param] = new_key::RSA_PARAMETERS;
}

struct Ec(PhantomData<()>);

impl Kind for Ec {
    const TYPE: KeyType = KeyType::Ec;
    const SIGNATURE: &'static CStr = key_type::ECDSA;
    const ASYM_CIPHER: Option<&'static CStr> = None;
    const KEY_EXCHANGE: Option<&'static CStr> = Some(c"ECDH");
    const ATTRIBUTES: &'static [Param] = lists::EC_ATTRIBUTES;
    const SETTABLE: &'static [Param] = lists::EC_SETTABLE;
    const PUBLIC: &'static [Param] = lists::EC_PUBLIC;
    const NEW_KEY: &'static [Param] = new_key::EC_PARAMETERS;
}

const fn table<K: Kind>() -> [Dispatch; 25] {
    [
        id::NEW.entry(new::<K>),
        id::LOAD.entry(load::<K>),
        id::FREE.entry(free),
        id::DUP.entry(dup),
        id::HAS.entry(has),
        id::VALIDATE.entry(validate),
        id::MATCH.entry(matches),
        id::GET_PARAMS.entry(get_params),
        id::GETTABLE_PARAMS.entry(gettable_params::<K>),
        id::SET_PARAMS.entry(set_params),
        id::SETTABLE_PARAMS.entry(settable_params::<K>),
        id::IMPORT.entry(import),
        id::IMPORT_TYPES.entry(exchanged_types::<K>),
        id::IMPORT_TYPES_EX.entry(exchanged_types_ex::<K>),
        id::EXPORT.entry(export),
        id::EXPORT_TYPES.entry(exchanged_types::<K>),
        id::EXPORT_TYPES_EX.entry(exchanged_types_ex::<K>),
        id::GEN_INIT.entry(generate::init::<K>),
        id::GEN_SET_TEMPLATE.entry(generate::set_template),
        id::GEN_SET_PARAMS.entry(generate::set_params),
        id::GEN_SETTABLE_PARAMS.entry(generate::settable_params::<K>),
        id::GEN.entry(generate::generate),
        id::GEN_CLEANUP.entry(generate::cleanup),
        id::QUERY_OPERATION_NAME.entry(query_operation_name::<K>),
        Dispatch::END,
    ]
}

unsafe extern "C" fn new<K: Kind>(provctx: *mut c_void) -> *mut c_void {
    let body = |_: &Provider| -> Result<Arc<KeyObject>> {
        // SAFETY: the guard has seen that it is not null; the core passes the provider context.
        let provider = unsafe { guard::clone_arc(provctx) }.ok_or(Error::Silent)?;
        Ok(Arc::new(KeyObject::empty(provider, K::TYPE)))
    };
    // SAFETY: the core passes the provider context.
    unsafe { guard::shared("keymgmt new", provctx, body) }
}

unsafe extern "C" fn load<K: Kind>(reference: *const c_void, size: usize) -> *mut c_void {
    // SAFETY: the core passes the bytes that one of our callbacks got.
    let find = || unsafe { guard::bytes(reference.cast(), size) }.and_then(referred);
    guard::alone("keymgmt load", ptr::null_mut(), || match find() {
        Some(Referred::Pair(key)) if key.kind() == K::TYPE => Arc::into_raw(key).cast_mut().cast(),
        _ => ptr::null_mut(),
    })
}

unsafe extern "C" fn free(keydata: *mut c_void) {
    // SAFETY: the core gives back an object that one of our functions gave it.
    unsafe { guard::free_arc::<KeyObject>(keydata) };
}

/// A duplicate of a key in a vault or of a public key shares everything, since these never change; any
/// other is an object of its own.
unsafe extern "C" fn dup(keydata: *const c_void, selection: c_int) -> *mut c_void {
    let selection = Selection::from_raw(selection);
    let body = |key: &KeyObject| -> Result<Arc<KeyObject>> {
        if let Some(foreign) = key.foreign() {
            return key.part_of(foreign, selection);
        }
        let whole = selection.private() || key.vault_key().is_none() && selection.public();
        if whole && key.public_key().is_some() {
            // SAFETY: the object is one of ours, alive while the core holds it.
            return unsafe { guard::clone_arc(keydata) }.ok_or(Error::Silent);
        }
        let provider = Arc::clone(key.provider());
        let material = match (key.public_key(), key.curve()) {
            (Some(public), _) if selection.public() => Some(Material::Public(public.clone())),
            (_, Some(curve)) => Some(Material::group(curve)),
            _ => None,
        };
        Ok(Arc::new(match material {
            Some(material) => KeyObject::new(provider, key.kind(), material),
            None => KeyObject::empty(provider, key.kind()),
        }))
    };
    // SAFETY: the core passes one of our objects.
    unsafe { guard::shared("keymgmt dup", keydata, body) }
}

fn holds(key: &KeyObject, selection: Selection) -> bool {
    if let Some(foreign) = key.foreign() {
        return (!selection.private() || foreign.has_private())
            && (!selection.public() || foreign.has_public());
    }
    (!selection.private() || key.vault_key().is_some())
        && (!selection.public() || key.public_key().is_some())
        && (!selection.domain() || key.kind() == KeyType::Rsa || key.curve().is_some())
}

unsafe extern "C" fn has(keydata: *const c_void, selection: c_int) -> c_int {
    let body = |key: &KeyObject| holds(key, Selection::from_raw(selection)).into();
    // SAFETY: the core passes one of our objects.
    unsafe { guard::query("keymgmt has", keydata, 0, body) }
}

/// Public keys were checked when they were read; that a vault's private half belongs to the
/// public one is checked with each signature.
unsafe extern "C" fn validate(keydata: *const c_void, selection: c_int, _type: c_int) -> c_int {
    let selection = Selection::from_raw(selection);
    let body = |key: &KeyObject| -> c_int {
        let sound = key.foreign().is_none_or(|foreign| foreign.check(selection));
        (holds(key, selection) && sound).into()
    };
    // SAFETY: the core passes one of our objects.
    unsafe { guard::query("keymgmt validate", keydata, 0, body) }
}

/// Private keys are compared by their public halves: there is nothing else to see.
unsafe extern "C" fn matches(
    keydata1: *const c_void,
    keydata2: *const c_void,
    selection: c_int,
) -> c_int {
    let selection = Selection::from_raw(selection);
    let body = |first: &KeyObject| {
        let second = |second: &KeyObject| -> c_int {
            if let (Some(first), Some(second)) = (first.foreign(), second.foreign()) {
                return first.matches(second, selection).into();
            }
            let keys = match (first.public_key(), second.public_key()) {
                _ if !selection.key_pair() => true,
                (Some(first), Some(second)) => first == second,
                _ => false,
            };
            let groups = !selection.domain() || first.curve() == second.curve();
            (first.kind() == second.kind() && keys && groups).into()
        };
        // SAFETY: the core passes another of our objects.
        unsafe { guard::query("keymgmt match", keydata2, 0, second) }
    };
    // SAFETY: the core passes one of our objects.
    unsafe { guard::query("keymgmt match", keydata1, 0, body) }
}

unsafe extern "C" fn get_params(keydata: *const c_void, params: *mut Param) -> c_int {
    let body = |key: &KeyObject| -> Result<()> {
        if let Some(foreign) = key.foreign() {
            // SAFETY: the core passes a parameter array to be answered.
            return unsafe { foreign.answer(params) };
        }
        // SAFETY: as above.
        let mut answers = unsafe { Answers::from_ptr(params) };
        attributes::answer(key, &mut answers)
    };
    // SAFETY: the core passes one of our objects.
    unsafe { guard::shared("keymgmt get_params", keydata, body) }
}

unsafe extern "C" fn gettable_params<K: Kind>(_provctx: *mut c_void) -> *const Param {
    K::ATTRIBUTES.as_ptr()
}

/// What has no meaning for keys in vaults is ignored, as it is where nothing can be set.
unsafe extern "C" fn set_params(keydata: *mut c_void, params: *const Param) -> c_int {
    let body = |key: &KeyObject| -> Result<()> {
        // SAFETY: the core passes null or a parameter array.
        let params = unsafe { Params::from_ptr(params) };
        if let Some(foreign) = key.foreign() {
            return foreign.set(params);
        }
        match params.get(names::ENCODED_PUBLIC_KEY).filter(|_| key.kind() == KeyType::Ec) {
            Some(point) => key.set_public(point.octets()?),
            None => Ok(()),
        }
    };
    // SAFETY: the core passes one of our objects.
    unsafe { guard::shared("keymgmt set_params", keydata, body) }
}

unsafe extern "C" fn settable_params<K: Kind>(_provctx: *mut c_void) -> *const Param {
    K::SETTABLE.as_ptr()
}

/// Keys with private parts are mostly refused without a word: libcrypto offers every key to every
/// provider, and goes on with the next.
unsafe extern "C" fn import(keydata: *mut c_void, selection: c_int, params: *const Param) -> c_int {
    let body = |key: &KeyObject| -> Result<()> {
        // SAFETY: the core passes a parameter array.
        let params = unsafe { Params::from_ptr(params) };
        let selection = Selection::from_raw(selection);
        let material = import::import(key.provider(), key.kind(), selection, params)?;
        if key.fill(material) { Ok(()) } else { Err(Error::Silent) }
    };
    // SAFETY: the core passes one of our objects.
    unsafe { guard::shared("keymgmt import", keydata, body) }
}

/// Private parts of keys in vaults are refused without a word, for the same reason; but see
/// [`legacy`].
unsafe extern "C" fn export(
    keydata: *const c_void,
    selection: c_int,
    callback: Option<Callback>,
    arg: *mut c_void,
) -> c_int {
    let body = |key: &KeyObject| -> Result<bool> {
        let callback = callback.ok_or(Error::Silent)?;
        let selection = Selection::from_raw(selection);
        legacy::notice(callback);
        if let Some(foreign) = key.foreign() {
            // SAFETY: the callback and its argument are the core's.
            return Ok(unsafe { foreign.export(selection, callback, arg) });
        }
        if selection.private()
            && let Some(vault_key) = key.vault_key()
            && legacy::is_importer(key, callback)
        {
            // SAFETY: as above.
            return unsafe { legacy::export(key, vault_key, callback, arg) };
        }
        let array = public_parts(key, selection)?;
        // SAFETY: the callback is the core's, and the array lives until it returns.
        Ok(unsafe { callback(array.as_ptr(), arg) == 1 })
    };
    // SAFETY: the core passes one of our objects.
    unsafe { guard::shared("keymgmt export", keydata, body) }
}

unsafe extern "C" fn exchanged_types<K: Kind>(selection: c_int) -> *const Param {
    let selection = Selection::from_raw(selection);
    if selection.key_pair() || selection.domain() { K::PUBLIC.as_ptr() } else { ptr::null() }
}

unsafe extern "C" fn exchanged_types_ex<K: Kind>(
    _provctx: *mut c_void,
    selection: c_int,
) -> *const Param {
    // SAFETY: the function takes any selection.
    unsafe { exchanged_types::<K>(selection) }
}

unsafe extern "C" fn query_operation_name<K: Kind>(operation: c_int) -> *const c_char {
    let name = match operation {
        operation::SIGNATURE => Some(K::SIGNATURE),
        operation::ASYM_CIPHER => K::ASYM_CIPHER,
        operation::KEYEXCH => K::KEY_EXCHANGE,
        _ => None,
    };
    name.map_or(ptr::null(), CStr::as_ptr)
}
