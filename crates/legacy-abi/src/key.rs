//! The structures, with the vault's keys attached to them.
//!
//! Each has our method and, as ex_data, the key that the method uses. Keys from elsewhere have
//! neither and do not change.

use std::ffi::{c_int, c_long, c_void};
use std::ptr;
use std::sync::Arc;

use akv_core::blocking::Key;
use akv_core::{Curve, EcPublicKey, RsaPublicKey};
use ossl_abi::guard;

use crate::error::{Error, Result};
use crate::host::Libcrypto;
use crate::libcrypto::Owned;
use crate::libcrypto::constants::{RSA_FLAG_EXTERNAL, nid};
use crate::libcrypto::types::{BigNum, EcKey, ExtraData, Rsa};

/// The vault key attached to an RSA key.
///
/// # Errors
/// No key is attached.
///
/// # Safety
/// `rsa` is null or a key of this libcrypto.
pub unsafe fn of_rsa(host: &Libcrypto, rsa: *const Rsa) -> Result<Arc<Key>> {
    if rsa.is_null() {
        return Err(Error::null("key"));
    }
    // SAFETY: guaranteed by the caller; the data under this index is ours.
    unsafe { guard::clone_arc((host.RSA_get_ex_data)(rsa, host.indices.rsa)) }
        .ok_or_else(|| Error::internal("no vault key is attached to this RSA key"))
}

/// The vault key attached to an EC key.
///
/// # Errors
/// No key is attached.
///
/// # Safety
/// `key` is null or a key of this libcrypto.
pub unsafe fn of_ec(host: &Libcrypto, key: *const EcKey) -> Result<Arc<Key>> {
    if key.is_null() {
        return Err(Error::null("key"));
    }
    // SAFETY: guaranteed by the caller; the data under this index is ours.
    unsafe { guard::clone_arc((host.EC_KEY_get_ex_data)(key, host.indices.ec_key)) }
        .ok_or_else(|| Error::internal("no vault key is attached to this EC key"))
}

/// Makes an RSA key, which holds the public half, sign and decrypt in the vault.
///
/// # Errors
/// libcrypto is out of memory. The vault key may then be attached already, which is harmless.
///
/// # Safety
/// `rsa` is a key of this libcrypto that nothing else uses yet.
pub unsafe fn attach_rsa(host: &Libcrypto, rsa: *mut Rsa, key: Arc<Key>) -> Result<()> {
    // SAFETY: libcrypto's functions with valid arguments. If the function returns 1, the RSA key
    // owns the reference; `release` drops it.
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

/// Makes an EC key, which holds the public half, sign in the vault.
///
/// # Errors
/// As for [`attach_rsa`].
///
/// # Safety
/// `ec` is a key of this libcrypto that nothing else uses yet.
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

/// Sets a placeholder private exponent, because some programs check for one before they use a key.
///
/// The placeholder is zero, which is never a valid exponent, and comes without the primes:
/// libcrypto refuses to write or check such a key.
///
/// # Errors
/// libcrypto is out of memory.
///
/// # Safety
/// As for [`attach_rsa`].
pub unsafe fn mark_rsa_private(host: &Libcrypto, rsa: *mut Rsa) -> Result<()> {
    let mark = number(host, &[])?;
    // SAFETY: libcrypto's function. If it returns 1, the key owns the number.
    unsafe {
        if (host.RSA_set0_key)(rsa, ptr::null_mut(), ptr::null_mut(), mark.as_ptr()) != 1 {
            return Err(Error::libcrypto("RSA_set0_key"));
        }
    }
    let _taken = mark.into_raw();
    Ok(())
}

/// Sets a placeholder private key in an EC key. The number is longer than the curve's order, so
/// libcrypto refuses to write or check such a key.
///
/// # Errors
/// libcrypto is out of memory.
///
/// # Safety
/// As for [`attach_rsa`].
pub unsafe fn mark_ec_private(
    host: &Libcrypto,
    ec: *mut EcKey,
    public: &EcPublicKey,
) -> Result<()> {
    // A point has one byte and two coordinates; the order is at most as long as a coordinate.
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
/// libcrypto is out of memory.
pub fn new_rsa(host: &Libcrypto, public: &RsaPublicKey) -> Result<Owned<Rsa>> {
    let (n, e) = (number(host, public.modulus())?, number(host, public.exponent())?);
    // SAFETY: libcrypto's functions. If the call returns 1, the key owns both numbers.
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
/// libcrypto is out of memory or does not support the curve.
pub fn new_ec(host: &Libcrypto, public: &EcPublicKey) -> Result<Owned<EcKey>> {
    let curve = match public.curve() {
        Curve::P256 => nid::P256,
        Curve::P256K => nid::SECP256K1,
        Curve::P384 => nid::P384,
        Curve::P521 => nid::P521,
    };
    let point = public.point();
    // SAFETY: libcrypto's functions with valid arguments.
    unsafe {
        let new = (host.EC_KEY_new_by_curve_name)(curve);
        let key = Owned::new(new, host.EC_KEY_free, "EC_KEY_new_by_curve_name")?;
        if (host.EC_KEY_oct2key)(key.as_ptr(), point.as_ptr(), point.len(), ptr::null_mut()) != 1 {
            return Err(Error::libcrypto("EC_KEY_oct2key"));
        }
        Ok(key)
    }
}

/// Converts a big-endian number.
pub(crate) fn number(host: &Libcrypto, bytes: &[u8]) -> Result<Owned<BigNum>> {
    let len =
        c_int::try_from(bytes.len()).map_err(|_| Error::internal("the number is too long"))?;
    // SAFETY: libcrypto's functions, and the slice has this length.
    unsafe {
        let new = (host.BN_bin2bn)(bytes.as_ptr(), len, ptr::null_mut());
        Owned::new(new, host.BN_free, "BN_bin2bn")
    }
}

/// Drops the reference of a key that is freed.
pub(crate) unsafe extern "C" fn release(
    _parent: *mut c_void,
    attached: *mut c_void,
    _data: *mut ExtraData,
    _index: c_int,
    _argument_number: c_long,
    _argument: *mut c_void,
) {
    // SAFETY: libcrypto passes null or the attached pointer, whose reference belongs to this key.
    unsafe { guard::free_arc::<Key>(attached) };
}

/// Takes a reference for the copy of a key.
pub(crate) unsafe extern "C" fn share(
    _to: *mut ExtraData,
    _from: *const ExtraData,
    attached: *mut *mut c_void,
    _index: c_int,
    _argument_number: c_long,
    _argument: *mut c_void,
) -> c_int {
    // SAFETY: libcrypto passes a place with null or the attached pointer, and the original key
    // keeps its reference. The pointer stays the same.
    guard::catch_panic("ex_data dup", 0, || unsafe {
        if let Some(attached) = attached.as_ref()
            && let Some(key) = guard::clone_arc::<Key>(*attached)
        {
            std::mem::forget(key);
        }
        1
    })
}
