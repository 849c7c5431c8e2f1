//! Vault keys as keys of the engine.

use std::sync::Arc;

use akv_core::PublicKey;
use akv_core::blocking::Key;
use legacy_abi::libcrypto::Owned;
use legacy_abi::libcrypto::types::{Engine, Pkey, PkeyContext};
use legacy_abi::{Error, Result, key};

use crate::host::Host;

/// The vault key of an operation with an RSA key; `None` for a key from elsewhere.
///
/// # Safety
/// The context is an operation of this libcrypto with an RSA key.
pub(crate) unsafe fn of_operation(host: &Host, context: *mut PkeyContext) -> Option<Arc<Key>> {
    let keys = host.keys;
    // SAFETY: guaranteed by the caller.
    unsafe {
        let pkey = (keys.EVP_PKEY_CTX_get0_pkey)(context);
        if pkey.is_null() {
            return None;
        }
        key::of_rsa(keys, (keys.EVP_PKEY_get0_RSA)(pkey)).ok()
    }
}

/// Creates a key that signs and decrypts in the vault.
///
/// # Safety
/// The key is loaded from this engine, which is initialised.
pub(crate) unsafe fn private(
    host: &Host,
    engine: *mut Engine,
    key: Arc<Key>,
) -> Result<Owned<Pkey>> {
    let pkey = new_pkey(host)?;
    // SAFETY: guaranteed by the caller; the key is new.
    unsafe { fill_private(host, engine, pkey.as_ptr(), key) }?;
    Ok(pkey)
}

/// Turns a key object of any type into a key that signs and decrypts in the vault.
///
/// # Safety
/// As for [`private`], and nothing else uses the object yet.
pub(crate) unsafe fn fill_private(
    host: &Host,
    engine: *mut Engine,
    pkey: *mut Pkey,
    key: Arc<Key>,
) -> Result<()> {
    let keys = host.keys;
    // SAFETY: libcrypto's functions with valid arguments; the structures are new.
    unsafe {
        match key.public_key() {
            PublicKey::Rsa(public) => {
                let rsa = key::new_rsa(keys, public)?;
                key::attach_rsa(keys, rsa.as_ptr(), Arc::clone(&key))?;
                if (host.EVP_PKEY_set1_RSA)(pkey, rsa.as_ptr()) != 1 {
                    return Err(Error::libcrypto("EVP_PKEY_set1_RSA"));
                }
            }
            PublicKey::Ec(public) => {
                let ec = key::new_ec(keys, public)?;
                key::attach_ec(keys, ec.as_ptr(), Arc::clone(&key))?;
                if (host.EVP_PKEY_set1_EC_KEY)(pkey, ec.as_ptr()) != 1 {
                    return Err(Error::libcrypto("EVP_PKEY_set1_EC_KEY"));
                }
            }
            _ => return Err(Error::unsupported(UNKNOWN_TYPE)),
        }
        // From here on, operations with this key use the engine's methods, and the key holds a
        // reference to the engine.
        if (host.EVP_PKEY_set1_engine)(pkey, engine) != 1 {
            return Err(Error::libcrypto("EVP_PKEY_set1_engine"));
        }
    }
    Ok(())
}

const UNKNOWN_TYPE: &str = "the engine supports RSA and EC keys only";

/// Creates a key with only the public half, handled by libcrypto alone.
pub(crate) fn public(host: &Host, key: &PublicKey) -> Result<Owned<Pkey>> {
    let (pkey, keys) = (new_pkey(host)?, host.keys);
    // SAFETY: libcrypto's functions with valid arguments.
    let set = unsafe {
        match key {
            PublicKey::Rsa(public) => {
                (host.EVP_PKEY_set1_RSA)(pkey.as_ptr(), key::new_rsa(keys, public)?.as_ptr())
            }
            PublicKey::Ec(public) => {
                (host.EVP_PKEY_set1_EC_KEY)(pkey.as_ptr(), key::new_ec(keys, public)?.as_ptr())
            }
            _ => return Err(Error::unsupported(UNKNOWN_TYPE)),
        }
    };
    if set == 1 { Ok(pkey) } else { Err(Error::libcrypto("EVP_PKEY_set1_RSA")) }
}

fn new_pkey(host: &Host) -> Result<Owned<Pkey>> {
    // SAFETY: libcrypto's functions, which match.
    unsafe { Owned::new((host.EVP_PKEY_new)(), host.EVP_PKEY_free, "EVP_PKEY_new") }
}
