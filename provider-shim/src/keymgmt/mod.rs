//! Key management for RSA and EC keys.
//!
//! An object contains a vault key, a public key, an EC group, or a key that another provider
//! generated for us. libcrypto treats a vault key as a private key: `has(PRIVATE)` is true, but no
//! private part can be exported.

mod attributes;
mod generate;
mod import;
mod lists;

use std::ffi::{CStr, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::ptr;
use std::sync::Arc;

use ossl_abi::entry;
use ossl_abi::functions::{keymgmt as id, operation};
use ossl_abi::guard::Return;
use ossl_abi::names;
use ossl_abi::types::{Algorithm, Dispatch, Param};

use crate::error::{Error, Result};
use crate::handover::{Referred, referred};
use crate::key::{KeyObject, Material, public_parts};
use crate::key_type::{self, KeyType};
use crate::provider::Provider;
use crate::selection::Selection;
use crate::{legacy, new_key};

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

/// The differences between the two key types.
trait Kind {
    const TYPE: KeyType;
    /// Names of the operations' algorithms.
    const SIGNATURE: &'static CStr;
    const ASYM_CIPHER: Option<&'static CStr>;
    const KEY_EXCHANGE: Option<&'static CStr>;
    const ATTRIBUTES: &'static [Param];
    const SETTABLE: &'static [Param];
    /// The parameters for import and export.
    const PUBLIC: &'static [Param];
    /// The parameters for key generation.
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

entry! {
    fn new<K: Kind>("keymgmt new", provider: &Arc<Provider>) -> Result<Arc<KeyObject>> {
        Ok(Arc::new(KeyObject::empty(Arc::clone(provider), K::TYPE)))
    }
}

entry! {
    fn load<K: Kind>("keymgmt load", reference: Reference) -> *mut c_void, or (ptr::null_mut()) {
        match reference.and_then(referred) {
            Some(Referred::Pair(key)) if key.kind() == K::TYPE => key.into_raw(),
            _ => ptr::null_mut(),
        }
    }
}

entry! {
    fn free(key: Arc<KeyObject>);
}

entry! {
    /// A duplicate of a vault key or of a public key is another reference, since these never
    /// change. Any other duplicate is a new object.
    fn dup(
        "keymgmt dup",
        key: const &Arc<KeyObject>,
        selection: Selection as c_int,
    ) -> Result<Arc<KeyObject>> {
        if let Some(foreign) = key.foreign() {
            return key.part_of(foreign, selection);
        }
        let whole = selection.private() || key.vault_key().is_none() && selection.public();
        if whole && key.public_key().is_some() {
            return Ok(Arc::clone(key));
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
    }
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

entry! {
    fn has("keymgmt has", key: &KeyObject, selection: Selection as c_int) -> c_int, or 0 {
        holds(key, selection).into()
    }
}

entry! {
    /// Public keys were checked when they were read. Each signature is checked against the public
    /// half, which shows that it matches the vault's private half.
    fn validate(
        "keymgmt validate",
        key: &KeyObject,
        selection: Selection as c_int,
        _type: c_int,
    ) -> c_int, or 0 {
        let sound = key.foreign().is_none_or(|foreign| foreign.check(selection));
        (holds(key, selection) && sound).into()
    }
}

entry! {
    /// Private keys are compared by their public halves.
    fn matches(
        "keymgmt match",
        first: &KeyObject,
        second: Option<&KeyObject>,
        selection: Selection as c_int,
    ) -> c_int, or 0 {
        second.is_some_and(|second| same(first, second, selection)).into()
    }
}

fn same(first: &KeyObject, second: &KeyObject, selection: Selection) -> bool {
    if let (Some(first), Some(second)) = (first.foreign(), second.foreign()) {
        return first.matches(second, selection);
    }
    let keys = match (first.public_key(), second.public_key()) {
        _ if !selection.key_pair() => true,
        (Some(first), Some(second)) => first == second,
        _ => false,
    };
    let groups = !selection.domain() || first.curve() == second.curve();
    first.kind() == second.kind() && keys && groups
}

entry! {
    fn get_params("keymgmt get_params", key: &KeyObject, answers: Answers) -> Result<()> {
        match key.foreign() {
            Some(foreign) => foreign.answer(answers),
            None => attributes::answer(key, answers),
        }
    }
}

extern "C" fn gettable_params<K: Kind>(_provctx: *mut c_void) -> *const Param {
    K::ATTRIBUTES.as_ptr()
}

entry! {
    /// Parameters that do not apply to vault keys are ignored.
    fn set_params("keymgmt set_params", key: &Arc<KeyObject>, params: Params) -> Result<()> {
        if let Some(foreign) = key.foreign() {
            return foreign.set(params);
        }
        match params.get(names::ENCODED_PUBLIC_KEY).filter(|_| key.kind() == KeyType::Ec) {
            Some(point) => key.set_public(point.octets()?),
            None => Ok(()),
        }
    }
}

extern "C" fn settable_params<K: Kind>(_provctx: *mut c_void) -> *const Param {
    K::SETTABLE.as_ptr()
}

entry! {
    /// Most private keys are refused silently: libcrypto offers every key to every provider and
    /// continues with the next.
    fn import(
        "keymgmt import",
        key: &Arc<KeyObject>,
        selection: Selection as c_int,
        params: Params,
    ) -> Result<()> {
        let material = import::import(key.provider(), key.kind(), selection, params)?;
        if key.fill(material) { Ok(()) } else { Err(Error::Silent) }
    }
}

entry! {
    /// The private part of a vault key is refused silently, for the same reason; see also
    /// [`legacy`].
    fn export(
        "keymgmt export",
        key: &KeyObject,
        selection: Selection as c_int,
        callback: Option<Callback>,
    ) -> Result<bool> {
        let callback = callback.ok_or(Error::Silent)?;
        legacy::record_importer(callback);
        if let Some(foreign) = key.foreign() {
            return Ok(foreign.export(selection, callback));
        }
        if selection.private()
            && let Some(vault_key) = key.vault_key()
            && legacy::is_importer(key, callback)
        {
            // SAFETY: it is libcrypto's importer, as just checked.
            return unsafe { legacy::export(key, vault_key, callback) };
        }
        Ok(callback.call(public_parts(key, selection)?.params()))
    }
}

extern "C" fn exchanged_types<K: Kind>(selection: c_int) -> *const Param {
    let selection = Selection::from(selection);
    if selection.key_pair() || selection.domain() { K::PUBLIC.as_ptr() } else { ptr::null() }
}

extern "C" fn exchanged_types_ex<K: Kind>(_provctx: *mut c_void, selection: c_int) -> *const Param {
    exchanged_types::<K>(selection)
}

extern "C" fn query_operation_name<K: Kind>(operation: c_int) -> *const c_char {
    let name = match operation {
        operation::SIGNATURE => Some(K::SIGNATURE),
        operation::ASYM_CIPHER => K::ASYM_CIPHER,
        operation::KEYEXCH => K::KEY_EXCHANGE,
        _ => None,
    };
    name.map_or(ptr::null(), CStr::as_ptr)
}
