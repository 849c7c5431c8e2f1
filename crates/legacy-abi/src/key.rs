//! The structures, and the vault's keys attached to them.
//!
//! Each carries our method and, attached to it, the key that the method uses. Keys of others have
//! neither, so nothing changes for them.

use crate::error::{Error, Result};
use crate::host::Libcrypto;
use crate::libcrypto::Owned;
use crate::libcrypto::constants::{RSA_FLAG_EXTERNAL, nid};
use crate::libcrypto::types::{BigNum, EcKey, ExtraData, Rsa};
use akv_core::blocking::Key;
use akv_core::{Curve, EcPublicKey, RsaPublicKey};
use ossl_abi::guard;
use std::ffi::{c_int, c_long, c_void};
use std::ptr;
use std::sync::Arc;

/// The vault's key behind an RSA key.
///
/// # Errors
/// There is none.
///
/// # Safety
/// `rsa` is null or a key of this libcrypto.
pub unsafe fn of_rsa(host: &Libcrypto, rsa: *const Rsa) -> Result<Arc<Key>> {
    if rsa.is_null() {
        return Err(Error::null("key"));
    }
    // SAFETY: vouched for by the caller; what is attached there is ours.
    unsafe { guard::clone_arc((host.RSA_get_ex_data)(rsa, host.indices.rsa)) }
        .ok_or_else(|| Error::internal("an RSA key with our method but without the vault's key"))
}

/// The vault's key behind an EC key.
///
/// # Errors
/// There is none.
///
/// # Safety
/// `key` is null or a key of this libcrypto.
pub unsafe fn of_ec(host: &Libcrypto, key: *const EcKey) -> Result<Arc<Key>> {
    if key.is_null() {
        return Err(Error::null("key"));
    }
    // SAFETY: vouched for by the caller; what is attached there is ours.
    unsafe { guard::clone_arc((host.EC_KEY_get_ex_data)(key, host.indices.ec_key)) }
        .ok_or_else(|| Error::internal("an EC key with our method but without the vault's key"))
}

/// Has an RSA key, which holds the public half, sign and decrypt in the vault.
///
/// # Errors
/// libcrypto has no memory left. The key may carry the vault's key then, which does no harm.
///
/// # Safety
/// `rsa` is a key of this libcrypto that nobody else uses yet.
pub unsafe fn attach_rsa(host: &Libcrypto, rsa: *mut Rsa, key: Arc<Key>) -> Result<()> {
    // SAFETY: libcrypto's functions with what they take. The key takes the pointer that is attached
    // to it when the function says 1, and gives it up in `release`.
    unsafe {
        let attached = Arc::into_raw(key).cast_mut().cast();
        if (host.RSA_set_ex_data)(rsa, host.indices.rsa, attached) != 1 {
            guard::free_arc::<Key>(attached);
            return Err(Error::libcrypto("RSA_set_ex_data"));
        }
        if (host.RSA_set_method)(rsa, host.rsa.0) != 1 {
            return Err(Error::libcrypto("RSA_set_method"));
        }
        (host.RSA_set_flags)(rsa, RSA_FLAG_EXTERNAL);
    }
    Ok(())
}

/// Has an EC key, which holds the public half, sign in the vault.
///
/// # Errors
/// As for [`attach_rsa`].
///
/// # Safety
/// `ec` is a key of this libcrypto that nobody else uses yet.
pub unsafe fn attach_ec(host: &Libcrypto, ec: *mut EcKey, key: Arc<Key>) -> Result<()> {
    // SAFETY: as in `attach_rsa`.
    unsafe {
        let attached = Arc::into_raw(key).cast_mut().cast();
        if (host.EC_KEY_set_ex_data)(ec, host.indices.ec_key, attached) != 1 {
            guard::free_arc::<Key>(attached);
            return Err(Error::libcrypto("EC_KEY_set_ex_data"));
        }
        if (host.EC_KEY_set_method)(ec, host.ec.0) != 1 {
            return Err(Error::libcrypto("EC_KEY_set_method"));
        }
    }
    Ok(())
}

/// Puts something where programs look for the private half before they believe that there is one.
///
/// It is zero, which is nobody's private exponent, and stands alone: without the primes libcrypto
/// refuses to write or to check such a key.
///
/// # Errors
/// libcrypto has no memory left.
///
/// # Safety
/// As for [`attach_rsa`].
pub unsafe fn mark_rsa_private(host: &Libcrypto, rsa: *mut Rsa) -> Result<()> {
    let mark = number(host, &[])?;
    // SAFETY: libcrypto's function; the key takes the number when it says 1.
    unsafe {
        if (host.RSA_set0_key)(rsa, ptr::null_mut(), ptr::null_mut(), mark.as_ptr()) != 1 {
            return Err(Error::libcrypto("RSA_set0_key"));
        }
    }
    let _taken = mark.into_raw();
    Ok(())
}

/// The same for an EC key. The number is longer than any of the curve's, so libcrypto refuses to
/// write or to check such a key.
///
/// # Errors
/// libcrypto has no memory left.
///
/// # Safety
/// As for [`attach_rsa`].
pub unsafe fn mark_ec_private(
    host: &Libcrypto,
    ec: *mut EcKey,
    public: &EcPublicKey,
) -> Result<()> {
    // A point is a byte and two coordinates; an order is at most as long as one of them.
    let mut too_long = vec![0; public.point().len() / 2 + 1];
    too_long[0] = 1;
    let mark = number(host, &too_long)?;
    // SAFETY: libcrypto's function, which copies the number.
    if unsafe { (host.EC_KEY_set_private_key)(ec, mark.as_ptr()) } != 1 {
        return Err(Error::libcrypto("EC_KEY_set_private_key"));
    }
    Ok(())
}

/// A new RSA key with the public half.
///
/// # Errors
/// libcrypto has no memory left.
pub fn new_rsa(host: &Libcrypto, public: &RsaPublicKey) -> Result<Owned<Rsa>> {
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

/// A new EC key with the public half.
///
/// # Errors
/// libcrypto has no memory left, or does not know the curve.
pub fn new_ec(host: &Libcrypto, public: &EcPublicKey) -> Result<Owned<EcKey>> {
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
pub(crate) fn number(host: &Libcrypto, bytes: &[u8]) -> Result<Owned<BigNum>> {
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
    // SAFETY: libcrypto passes null or what was attached, of which nobody has more than this key.
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
    // SAFETY: libcrypto passes a place with null or with what was attached; the key that is copied
    // keeps its count. The pointer stays the same.
    guard::alone("ex_data dup", 0, || unsafe {
        if let Some(attached) = attached.as_ref()
            && let Some(key) = guard::clone_arc::<Key>(*attached)
        {
            std::mem::forget(key);
        }
        1
    })
}
