//! Keys in a vault as libcrypto's keys.
//!
//! Each carries the engine's methods and, attached to it, the key that the methods use. Keys of
//! others have neither, so nothing changes for them.

use crate::error::{Error, Result};
use crate::host::Host;
use crate::libcrypto::Owned;
use crate::libcrypto::constants::{RSA_FLAG_EXTERNAL, nid};
use crate::libcrypto::types::{BigNum, EcKey, Engine, ExtraData, Pkey, PkeyContext, Rsa};
use akv_core::blocking::Key;
use akv_core::{Curve, EcPublicKey, PublicKey, RsaPublicKey};
use ossl_abi::guard;
use std::ffi::{c_int, c_long, c_void};
use std::ptr;
use std::sync::Arc;

/// The vault's key behind an RSA key.
///
/// # Safety
/// `rsa` is null or a key of this libcrypto.
pub(crate) unsafe fn of_rsa(host: &Host, rsa: *const Rsa) -> Result<Arc<Key>> {
    if rsa.is_null() {
        return Err(Error::null("key"));
    }
    // SAFETY: vouched for by the caller; what is attached there is ours.
    unsafe { guard::clone_arc((host.RSA_get_ex_data)(rsa, host.indices.rsa)) }
        .ok_or_else(|| Error::internal("an RSA key with the engine's method but without its key"))
}

/// The vault's key behind an EC key.
///
/// # Safety
/// `key` is null or a key of this libcrypto.
pub(crate) unsafe fn of_ec(host: &Host, key: *const EcKey) -> Result<Arc<Key>> {
    if key.is_null() {
        return Err(Error::null("key"));
    }
    // SAFETY: vouched for by the caller; what is attached there is ours.
    unsafe { guard::clone_arc((host.EC_KEY_get_ex_data)(key, host.indices.ec_key)) }
        .ok_or_else(|| Error::internal("an EC key with the engine's method but without its key"))
}

/// The vault's key behind the RSA key of an operation; `None` when it is another's.
///
/// # Safety
/// The context is an operation of this libcrypto with RSA keys.
pub(crate) unsafe fn of_operation(host: &Host, context: *mut PkeyContext) -> Option<Arc<Key>> {
    // SAFETY: vouched for by the caller.
    unsafe {
        let pkey = (host.EVP_PKEY_CTX_get0_pkey)(context);
        if pkey.is_null() {
            return None;
        }
        let rsa = (host.EVP_PKEY_get0_RSA)(pkey);
        if rsa.is_null() {
            return None;
        }
        guard::clone_arc((host.RSA_get_ex_data)(rsa, host.indices.rsa))
    }
}

/// A key that signs and decrypts in the vault.
///
/// # Safety
/// The engine is the one that is asked for the key, and is initialised.
pub(crate) unsafe fn private(
    host: &Host,
    engine: *mut Engine,
    key: Arc<Key>,
) -> Result<Owned<Pkey>> {
    let pkey = new_pkey(host)?;
    // SAFETY: as the caller vouched; the key is new.
    unsafe { fill_private(host, engine, pkey.as_ptr(), key) }?;
    Ok(pkey)
}

/// Turns a key object, of whatever type it was, into a key that signs and decrypts in the vault.
///
/// # Safety
/// As for [`private`], and nobody else uses the object yet.
pub(crate) unsafe fn fill_private(
    host: &Host,
    engine: *mut Engine,
    pkey: *mut Pkey,
    key: Arc<Key>,
) -> Result<()> {
    // SAFETY: libcrypto's functions with what they take. A key takes the pointer that is attached
    // to it when the function says 1, and gives it up in `release`.
    unsafe {
        match key.public_key() {
            PublicKey::Rsa(public) => {
                let rsa = new_rsa(host, public)?;
                let attached = Arc::into_raw(Arc::clone(&key)).cast_mut().cast();
                if (host.RSA_set_ex_data)(rsa.as_ptr(), host.indices.rsa, attached) != 1 {
                    guard::free_arc::<Key>(attached);
                    return Err(Error::libcrypto("RSA_set_ex_data"));
                }
                if (host.RSA_set_method)(rsa.as_ptr(), host.rsa.0) != 1 {
                    return Err(Error::libcrypto("RSA_set_method"));
                }
                (host.RSA_set_flags)(rsa.as_ptr(), RSA_FLAG_EXTERNAL);
                if (host.EVP_PKEY_set1_RSA)(pkey, rsa.as_ptr()) != 1 {
                    return Err(Error::libcrypto("EVP_PKEY_set1_RSA"));
                }
            }
            PublicKey::Ec(public) => {
                let ec = new_ec(host, public)?;
                let attached = Arc::into_raw(Arc::clone(&key)).cast_mut().cast();
                if (host.EC_KEY_set_ex_data)(ec.as_ptr(), host.indices.ec_key, attached) != 1 {
                    guard::free_arc::<Key>(attached);
                    return Err(Error::libcrypto("EC_KEY_set_ex_data"));
                }
                if (host.EC_KEY_set_method)(ec.as_ptr(), host.ec.key) != 1 {
                    return Err(Error::libcrypto("EC_KEY_set_method"));
                }
                if (host.EVP_PKEY_set1_EC_KEY)(pkey, ec.as_ptr()) != 1 {
                    return Err(Error::libcrypto("EVP_PKEY_set1_EC_KEY"));
                }
            }
        }
        // From now on operations with this key take the engine's methods, and the engine stays.
        if (host.EVP_PKEY_set1_engine)(pkey, engine) != 1 {
            return Err(Error::libcrypto("EVP_PKEY_set1_engine"));
        }
    }
    Ok(())
}

/// A key with the public half only, which is libcrypto's business alone.
pub(crate) fn public(host: &Host, key: &PublicKey) -> Result<Owned<Pkey>> {
    let pkey = new_pkey(host)?;
    // SAFETY: libcrypto's functions with what they take.
    let set = unsafe {
        match key {
            PublicKey::Rsa(public) => {
                (host.EVP_PKEY_set1_RSA)(pkey.as_ptr(), new_rsa(host, public)?.as_ptr())
            }
            PublicKey::Ec(public) => {
                (host.EVP_PKEY_set1_EC_KEY)(pkey.as_ptr(), new_ec(host, public)?.as_ptr())
            }
        }
    };
    if set == 1 { Ok(pkey) } else { Err(Error::libcrypto("EVP_PKEY_set1_RSA")) }
}

fn new_pkey(host: &Host) -> Result<Owned<Pkey>> {
    // SAFETY: libcrypto's functions, which belong together.
    unsafe { Owned::new((host.EVP_PKEY_new)(), host.EVP_PKEY_free, "EVP_PKEY_new") }
}

fn new_rsa(host: &Host, public: &RsaPublicKey) -> Result<Owned<Rsa>> {
    let (n, e) = (number(host, public.modulus())?, number(host, public.exponent())?);
    // SAFETY: libcrypto's functions; the key takes the two numbers when it says 1.
    unsafe {
        let rsa = Owned::new((host.RSA_new)(), host.RSA_free, "RSA_new")?;
        if (host.RSA_set0_key)(rsa.as_ptr(), n.as_ptr(), e.as_ptr(), ptr::null_mut()) != 1 {
            return Err(Error::libcrypto("RSA_set0_key"));
        }
        let _taken = (n.into_raw(), e.into_raw());
        Ok(rsa)
    }
}

fn new_ec(host: &Host, public: &EcPublicKey) -> Result<Owned<EcKey>> {
    let curve = match public.curve() {
        Curve::P256 => nid::P256,
        Curve::P256K => nid::SECP256K1,
        Curve::P384 => nid::P384,
        Curve::P521 => nid::P521,
    };
    let point = public.point();
    // SAFETY: libcrypto's functions with what they take.
    unsafe {
        let new = (host.EC_KEY_new_by_curve_name)(curve);
        let key = Owned::new(new, host.EC_KEY_free, "EC_KEY_new_by_curve_name")?;
        if (host.EC_KEY_oct2key)(key.as_ptr(), point.as_ptr(), point.len(), ptr::null_mut()) != 1 {
            return Err(Error::libcrypto("EC_KEY_oct2key"));
        }
        Ok(key)
    }
}

/// A big-endian number.
pub(crate) fn number(host: &Host, bytes: &[u8]) -> Result<Owned<BigNum>> {
    let len = c_int::try_from(bytes.len()).map_err(|_| Error::internal("a long number"))?;
    // SAFETY: libcrypto's functions; the bytes are as many as is said.
    unsafe {
        let new = (host.BN_bin2bn)(bytes.as_ptr(), len, ptr::null_mut());
        Owned::new(new, host.BN_free, "BN_bin2bn")
    }
}

/// Gives up the count that a freed key held.
pub(crate) unsafe extern "C" fn release(
    _parent: *mut c_void,
    attached: *mut c_void,
    _data: *mut ExtraData,
    _index: c_int,
    _argument_number: c_long,
    _argument: *mut c_void,
) {
    // SAFETY: libcrypto passes null or what `fill_private` attached, of which nobody has more than
    // this key.
    unsafe { guard::free_arc::<Key>(attached) };
}

/// A copy of a key holds a count of its own.
pub(crate) unsafe extern "C" fn share(
    _to: *mut ExtraData,
    _from: *const ExtraData,
    attached: *mut *mut c_void,
    _index: c_int,
    _argument_number: c_long,
    _argument: *mut c_void,
) -> c_int {
    // SAFETY: libcrypto passes a place with null or with what `fill_private` attached; the key that
    // is copied keeps its count. The pointer stays the same.
    guard::alone("ex_data dup", 0, || unsafe {
        if let Some(attached) = attached.as_ref()
            && let Some(key) = guard::clone_arc::<Key>(*attached)
        {
            std::mem::forget(key);
        }
        1
    })
}
