//! `EC_KEY_METHOD`: signing with elliptic-curve keys in a vault.

use std::ffi::{c_int, c_uchar};

use ossl_abi::guard::deep;
use ossl_abi::{entry, guard};

use crate::error::{Error, Result};
use crate::host::{Libcrypto, SLOTS, per_slot};
use crate::job;
use crate::key;
use crate::libcrypto::types::{
    BigNum, BigNumContext, EcComputeFn, EcKey, EcKeyMethod, EcPoint, EcSignFn, EcSignSetupFn,
    EcSignSigFn, EcdsaSig,
};
use crate::libcrypto::{KeyFunctions, Owned};

/// The `EC_KEY_METHOD` of our keys in one libcrypto.
pub(crate) struct Method(pub(crate) *const EcKeyMethod);

impl Method {
    /// # Safety
    /// The functions are libcrypto's, and the slot is that of their host.
    pub(crate) unsafe fn new(functions: &KeyFunctions, slot: usize) -> Result<Self> {
        const SETUP: [EcSignSetupFn; SLOTS] = per_slot!(sign_setup);
        const SIGN: [EcSignSigFn; SLOTS] = per_slot!(sign);
        const COMPUTE: [EcComputeFn; SLOTS] = per_slot!(compute);
        let (mut to_der, mut setup, mut sign): (Option<EcSignFn>, _, _) = (None, None, None);
        // SAFETY: libcrypto's functions with valid arguments; the methods are never freed.
        unsafe {
            let own = (functions.EC_KEY_OpenSSL)();
            let key = (functions.EC_KEY_METHOD_new)(own);
            if key.is_null() {
                return Err(Error::libcrypto("EC_KEY_METHOD_new"));
            }
            // The DER encoding stays libcrypto's own: it calls `sign` for r and s.
            (functions.EC_KEY_METHOD_get_sign)(own, &mut to_der, &mut setup, &mut sign);
            (functions.EC_KEY_METHOD_set_sign)(key, to_der, Some(SETUP[slot]), Some(SIGN[slot]));
            (functions.EC_KEY_METHOD_set_compute_key)(key, Some(COMPUTE[slot]));
            (functions.EC_KEY_METHOD_set_keygen)(key, None);
            Ok(Self(key))
        }
    }
}

entry! {
    fn sign<const SLOT: usize>(
        "ECDSA_do_sign",
        host in Libcrypto::at(SLOT),
        digest: *const c_uchar,
        len: c_int,
        kinv: *const BigNum,
        r: *const BigNum,
        key: *mut EcKey,
    ) -> Result<Owned<EcdsaSig>>, waits {
        if !kinv.is_null() || !r.is_null() {
            return Err(nonce());
        }
        let len = usize::try_from(len).map_err(|_| Error::argument("the length is negative"))?;
        let pending = deep(|| -> Result<_> {
            // SAFETY: libcrypto passes its key, and a digest of that length.
            let (key, digest) = unsafe { (key::of_ec(host, key)?, guard::bytes(digest, len)) };
            Ok(key.start_sign_ecdsa(digest.ok_or_else(|| Error::null("digest"))?)?)
        })?;
        let raw = job::wait::<_, Error>(pending)?;
        deep(|| signature(host, &raw))
    }
}

/// Converts r and s, concatenated, to libcrypto's object.
fn signature(host: &Libcrypto, raw: &[u8]) -> Result<Owned<EcdsaSig>> {
    let (r, s) = raw.split_at(raw.len() / 2);
    let (r, s) = (key::number(host, r)?, key::number(host, s)?);
    // SAFETY: libcrypto's functions. If the call returns 1, the signature owns both numbers.
    unsafe {
        let new = (host.ECDSA_SIG_new)();
        let signature = Owned::new(new, host.ECDSA_SIG_free, "ECDSA_SIG_new")?;
        if (host.ECDSA_SIG_set0)(signature.as_ptr(), r.as_ptr(), s.as_ptr()) != 1 {
            return Err(Error::libcrypto("ECDSA_SIG_set0"));
        }
        let _taken = (r.into_raw(), s.into_raw());
        Ok(signature)
    }
}

entry! {
    fn sign_setup<const SLOT: usize>(
        "ECDSA_sign_setup",
        _host in Libcrypto::at(SLOT),
        _key: *mut EcKey,
        _context: *mut BigNumContext,
        _kinv: *mut *mut BigNum,
        _r: *mut *mut BigNum,
    ) -> Result<()> {
        Err(nonce())
    }
}

fn nonce() -> Error {
    Error::unsupported("ECDSA with a nonce from the caller: the vault generates its own")
}

entry! {
    fn compute<const SLOT: usize>(
        "ECDH_compute_key",
        host in Libcrypto::at(SLOT),
        _secret: *mut *mut c_uchar,
        _len: *mut usize,
        _peer: *const EcPoint,
        key: *const EcKey,
    ) -> Result<()> {
        // SAFETY: libcrypto passes its key.
        let key = unsafe { key::of_ec(host, key) }?;
        Err(Error::unsupported(format!(
            "the vault has no key agreement (ECDH) for {}",
            key.reference()
        )))
    }
}
