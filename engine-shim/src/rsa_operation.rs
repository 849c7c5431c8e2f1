//! `EVP_PKEY_METHOD` for RSA: operations for which [`legacy_abi::rsa`] is not enough.
//!
//! For PSS and OAEP, libcrypto pads the data itself and requires raw RSA of the key, which no vault
//! offers. Vault keys therefore use this method, which sends PSS signing and OAEP decryption to the
//! vault. All other operations, and all operations with other keys, use libcrypto's own method.

use std::ffi::{c_int, c_uchar, c_void};
use std::ptr;
use std::sync::Arc;

use akv_core::blocking::Key;
use akv_core::{
    DigestAlgorithm, EncryptionAlgorithm, OaepParameters, PssParameters, PssSalt,
    SignatureAlgorithm,
};
use legacy_abi::libcrypto::constants::{control, nid, padding, salt};
use legacy_abi::libcrypto::types::{
    Digest, PkeyContext, PkeyControlFn, PkeyControlTextFn, PkeyInitFn, PkeyMethod, PkeyOperationFn,
};
use legacy_abi::libcrypto::{EngineFunctions, duplicate_method};
use legacy_abi::{Error, Result, job, rsa};
use ossl_abi::guard::{self, Return, deep};
use ossl_abi::{Output, entry};

use crate::host::{Host, SLOTS, per_slot};
use crate::key;

/// Digests by libcrypto's NIDs.
const DIGESTS: [(c_int, DigestAlgorithm); 13] = [
    (nid::MD5, DigestAlgorithm::Md5),
    (nid::MD5_SHA1, DigestAlgorithm::Md5Sha1),
    (nid::SHA1, DigestAlgorithm::Sha1),
    (nid::SHA224, DigestAlgorithm::Sha224),
    (nid::SHA256, DigestAlgorithm::Sha256),
    (nid::SHA384, DigestAlgorithm::Sha384),
    (nid::SHA512, DigestAlgorithm::Sha512),
    (nid::SHA512_224, DigestAlgorithm::Sha512_224),
    (nid::SHA512_256, DigestAlgorithm::Sha512_256),
    (nid::SHA3_224, DigestAlgorithm::Sha3_224),
    (nid::SHA3_256, DigestAlgorithm::Sha3_256),
    (nid::SHA3_384, DigestAlgorithm::Sha3_384),
    (nid::SHA3_512, DigestAlgorithm::Sha3_512),
];

/// Our method for one libcrypto, and the functions of libcrypto's own method.
pub(crate) struct Method {
    pub(crate) ours: *const PkeyMethod,
    sign: PkeyOperationFn,
    decrypt: PkeyOperationFn,
    control: PkeyControlFn,
}

impl Method {
    /// # Safety
    /// The functions are libcrypto's, and the slot is that of their host.
    pub(crate) unsafe fn new(functions: &EngineFunctions, slot: usize) -> Result<Self> {
        const SIGN: [PkeyOperationFn; SLOTS] = per_slot!(sign);
        const DECRYPT: [PkeyOperationFn; SLOTS] = per_slot!(decrypt);
        const CONTROL: [PkeyControlFn; SLOTS] = per_slot!(answer);
        let mut sign_init: Option<PkeyInitFn> = None;
        let mut decrypt_init: Option<PkeyInitFn> = None;
        let mut control_text: Option<PkeyControlTextFn> = None;
        let (mut sign, mut decrypt, mut control) = (None, None, None);
        // SAFETY: libcrypto's functions with valid arguments; neither method is ever freed.
        unsafe {
            let (own, ours) = duplicate_method(functions, nid::RSA)?;
            (functions.EVP_PKEY_meth_get_sign)(own, &mut sign_init, &mut sign);
            (functions.EVP_PKEY_meth_get_decrypt)(own, &mut decrypt_init, &mut decrypt);
            (functions.EVP_PKEY_meth_get_ctrl)(own, &mut control, &mut control_text);
            (functions.EVP_PKEY_meth_set_sign)(ours, sign_init, Some(SIGN[slot]));
            (functions.EVP_PKEY_meth_set_decrypt)(ours, decrypt_init, Some(DECRYPT[slot]));
            (functions.EVP_PKEY_meth_set_ctrl)(ours, Some(CONTROL[slot]), control_text);
            match (sign, decrypt, control) {
                (Some(sign), Some(decrypt), Some(control)) => {
                    Ok(Self { ours, sign, decrypt, control })
                }
                _ => Err(Error::unsupported(
                    "RSA with this libcrypto, whose method for RSA keys is incomplete",
                )),
            }
        }
    }
}

/// How an operation continues.
enum Route {
    /// It was for a vault key and is done.
    Done,
    /// It is left to libcrypto's own method.
    Own,
}

impl Return for Route {
    type Raw = Option<Self>;
    const FAILED: Option<Self> = None;
    fn into_raw(self) -> Option<Self> {
        Some(self)
    }
}

unsafe extern "C" fn sign<const SLOT: usize>(
    context: *mut PkeyContext,
    sig: *mut c_uchar,
    siglen: *mut usize,
    tbs: *const c_uchar,
    tbslen: usize,
) -> c_int {
    let Some(host) = Host::at(SLOT) else { return 0 };
    let body = || -> Result<Route> {
        // SAFETY: libcrypto passes a live operation, and buffers of these sizes.
        unsafe {
            let Some(operation) = Operation::with_vault_key(host, context, padding::PSS) else {
                return Ok(Route::Own);
            };
            let size = *siglen.as_ref().ok_or_else(|| Error::null("place for the length"))?;
            let out = Output::new(sig, siglen, size);
            let tbs = guard::bytes(tbs, tbslen).ok_or_else(|| Error::null("digest"))?;
            let out = out.ok_or_else(|| Error::null("place for the length"))?;
            out.produce(rsa::modulus_len(&operation.key)?, || {
                let start =
                    || -> Result<_> { Ok(operation.key.start_sign(operation.pss()?, tbs)?) };
                job::wait::<_, Error>(deep(start)?)
            })?;
            Ok(Route::Done)
        }
    };
    guard::uncancelled(|| match guard::run_waiting("EVP_PKEY_sign", host.errors, body) {
        Some(Route::Done) => 1,
        // SAFETY: passes on libcrypto's arguments.
        Some(Route::Own) => unsafe { (host.rsa_operation.sign)(context, sig, siglen, tbs, tbslen) },
        None => 0,
    })
}

unsafe extern "C" fn decrypt<const SLOT: usize>(
    context: *mut PkeyContext,
    out: *mut c_uchar,
    outlen: *mut usize,
    data: *const c_uchar,
    len: usize,
) -> c_int {
    let Some(host) = Host::at(SLOT) else { return 0 };
    let body = || -> Result<Route> {
        // SAFETY: libcrypto passes a live operation, and buffers of these sizes.
        unsafe {
            let Some(operation) = Operation::with_vault_key(host, context, padding::OAEP) else {
                return Ok(Route::Own);
            };
            let size = *outlen.as_ref().ok_or_else(|| Error::null("place for the length"))?;
            let out = Output::new(out, outlen, size);
            let data = guard::bytes(data, len).ok_or_else(|| Error::null("ciphertext"))?;
            let out = out.ok_or_else(|| Error::null("place for the length"))?;
            out.produce(rsa::modulus_len(&operation.key)?, || {
                let start = || rsa::start_decrypt_with(&operation.key, operation.oaep()?, data);
                job::wait::<_, Error>(deep(start)?)
            })?;
            Ok(Route::Done)
        }
    };
    guard::uncancelled(|| match guard::run_waiting("EVP_PKEY_decrypt", host.errors, body) {
        Some(Route::Done) => 1,
        // SAFETY: passes on libcrypto's arguments.
        Some(Route::Own) => unsafe {
            (host.rsa_operation.decrypt)(context, out, outlen, data, len)
        },
        None => 0,
    })
}

entry! {
    /// Calls libcrypto's own function, and corrects one answer: for signing, salt length "auto"
    /// means the maximum, but ours is the digest length. Code that encodes the parameters of a
    /// signature queries it here.
    fn answer<const SLOT: usize>(
        "EVP_PKEY_CTX_ctrl",
        host in Host::at(SLOT),
        context: *mut PkeyContext,
        command: c_int,
        number: c_int,
        pointer: *mut c_void,
    ) -> c_int, or 0 {
        // SAFETY: passes on libcrypto's arguments.
        let result = unsafe { (host.rsa_operation.control)(context, command, number, pointer) };
        if result <= 0 || command != control::GET_PSS_SALT {
            return result;
        }
        // SAFETY: the operation is alive, and this command returns an `int`.
        unsafe {
            let length = pointer.cast::<c_int>();
            if (host.EVP_PKEY_CTX_get_operation)(context) == host.operation_sign()
                && key::of_operation(host, context).is_some()
                && matches!(*length, salt::AUTO | salt::AUTO_DIGEST_MAX)
            {
                *length = salt::DIGEST;
            }
        }
        result
    }
}

/// An operation with a vault key.
struct Operation {
    host: &'static Host,
    context: *mut PkeyContext,
    key: Arc<Key>,
}

impl Operation {
    /// `None` for a key from elsewhere or for another padding.
    ///
    /// # Safety
    /// The context belongs to this libcrypto and stays alive and unchanged.
    unsafe fn with_vault_key(
        host: &'static Host,
        context: *mut PkeyContext,
        padding: c_int,
    ) -> Option<Self> {
        // SAFETY: guaranteed by the caller.
        let key = unsafe { key::of_operation(host, context) }?;
        let operation = Self { host, context, key };
        (operation.number(control::GET_RSA_PADDING)? == padding).then_some(operation)
    }

    fn ask(&self, command: c_int, answer: *mut c_void) -> Option<c_int> {
        // SAFETY: the context is alive, and each command below comes with a matching pointer.
        let result = unsafe { (self.host.rsa_operation.control)(self.context, command, 0, answer) };
        (result >= 0).then_some(result)
    }

    fn number(&self, command: c_int) -> Option<c_int> {
        let mut number: c_int = 0;
        self.ask(command, (&raw mut number).cast()).map(|_| number)
    }

    /// The digest that a command returns.
    fn digest(&self, command: c_int) -> Result<DigestAlgorithm> {
        let mut digest: *const Digest = ptr::null();
        let answer = self.ask(command, (&raw mut digest).cast());
        if answer.is_none() || digest.is_null() {
            return Err(Error::unsupported(
                "no digest is set, and the vault requires one: set digest:sha256",
            ));
        }
        // SAFETY: the result is a digest of libcrypto.
        let nid = unsafe { (self.host.EVP_MD_get_type)(digest) };
        let known = DIGESTS.iter().find(|(known, _)| *known == nid);
        known.map(|(_, digest)| *digest).ok_or_else(|| {
            Error::unsupported("the vault does not support this digest; use SHA-1, SHA-2 or SHA-3")
        })
    }

    fn pss(&self) -> Result<SignatureAlgorithm> {
        let salt = match self.number(control::GET_PSS_SALT) {
            Some(salt::DIGEST) => PssSalt::Digest,
            Some(salt::AUTO) => PssSalt::Auto,
            Some(salt::AUTO_DIGEST_MAX) => PssSalt::AutoDigestMax,
            Some(len) => usize::try_from(len).map_or(PssSalt::Max, PssSalt::Len),
            None => return Err(Error::internal("libcrypto returned no PSS salt length")),
        };
        let parameters = PssParameters {
            digest: self.digest(control::GET_DIGEST)?,
            mgf1: self.digest(control::GET_MGF1_DIGEST)?,
            salt,
        };
        Ok(parameters.algorithm()?)
    }

    fn oaep(&self) -> Result<EncryptionAlgorithm> {
        let mut label: *mut c_uchar = ptr::null_mut();
        let len = self.ask(control::GET_OAEP_LABEL, (&raw mut label).cast());
        let len = len.and_then(|len| usize::try_from(len).ok());
        let len = len.ok_or_else(|| Error::internal("libcrypto returned no OAEP label"))?;
        let parameters = OaepParameters {
            digest: self.digest(control::GET_OAEP_DIGEST)?,
            mgf1: self.digest(control::GET_MGF1_DIGEST)?,
            // SAFETY: the label belongs to the operation, which is alive.
            label: unsafe { guard::bytes(label, len) }.unwrap_or_default(),
        };
        Ok(parameters.algorithm()?)
    }
}
