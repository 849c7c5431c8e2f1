//! `EVP_PKEY_METHOD` of RSA: what libcrypto cannot do with [`legacy_abi::rsa`] alone.
//!
//! For PSS and OAEP libcrypto pads by itself and asks the key for raw RSA, which no vault does. So
//! keys in a vault carry this method: signing with PSS and decrypting with OAEP go to the vault as
//! what they are. Everything else, and everything with other keys, is libcrypto's own method's.

use crate::host::{Host, SLOTS, per_slot};
use crate::key;
use akv_core::blocking::Key;
use akv_core::{
    DigestAlgorithm, EncryptionAlgorithm, OaepParameters, PssParameters, PssSalt,
    SignatureAlgorithm,
};
use legacy_abi::libcrypto::constants::{control, nid, padding, salt};
use legacy_abi::libcrypto::types::{
    Digest, PkeyContext, PkeyControlFn, PkeyControlTextFn, PkeyInitFn, PkeyMethod, PkeyOperationFn,
};
use legacy_abi::libcrypto::{EngineFunctions, copy_of_own};
use legacy_abi::{Error, Result, rsa};
use ossl_abi::guard::{self, Return};
use ossl_abi::{Output, entry};
use std::ffi::{c_int, c_uchar, c_void};
use std::ptr;
use std::sync::Arc;

/// Digests by libcrypto's numbers.
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

/// The method of one libcrypto, and what it falls back to.
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
        // SAFETY: libcrypto's functions with what they take; its own method and ours live on.
        unsafe {
            let (own, ours) = copy_of_own(functions, nid::RSA)?;
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
                _ => Err(Error::unsupported("this libcrypto does nothing with RSA keys")),
            }
        }
    }
}

/// What is to be done with an operation.
enum Route {
    /// It was ours, and is done.
    Done,
    /// libcrypto's own method is to do it.
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
        // SAFETY: libcrypto passes an operation that goes on, and room and data of these sizes.
        unsafe {
            let Some(operation) = Operation::with_vault_key(host, context, padding::PSS) else {
                return Ok(Route::Own);
            };
            let size = *siglen.as_ref().ok_or_else(|| Error::null("place for the length"))?;
            let out = Output::new(sig, siglen, size);
            let tbs = guard::bytes(tbs, tbslen).ok_or_else(|| Error::null("digest"))?;
            let out = out.ok_or_else(|| Error::null("place for the length"))?;
            out.produce(rsa::modulus_len(&operation.key)?, || -> Result<_> {
                Ok(operation.key.sign(operation.pss()?, tbs)?)
            })?;
            Ok(Route::Done)
        }
    };
    guard::uncancelled(|| match guard::run("EVP_PKEY_sign", host.errors, body) {
        Some(Route::Done) => 1,
        // SAFETY: what libcrypto passed is passed on.
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
        // SAFETY: libcrypto passes an operation that goes on, and room and data of these sizes.
        unsafe {
            let Some(operation) = Operation::with_vault_key(host, context, padding::OAEP) else {
                return Ok(Route::Own);
            };
            let size = *outlen.as_ref().ok_or_else(|| Error::null("place for the length"))?;
            let out = Output::new(out, outlen, size);
            let data = guard::bytes(data, len).ok_or_else(|| Error::null("ciphertext"))?;
            let out = out.ok_or_else(|| Error::null("place for the length"))?;
            out.produce(rsa::modulus_len(&operation.key)?, || {
                rsa::decrypt(&operation.key, operation.oaep()?, data)
            })?;
            Ok(Route::Done)
        }
    };
    guard::uncancelled(|| match guard::run("EVP_PKEY_decrypt", host.errors, body) {
        Some(Route::Done) => 1,
        // SAFETY: what libcrypto passed is passed on.
        Some(Route::Own) => unsafe {
            (host.rsa_operation.decrypt)(context, out, outlen, data, len)
        },
        None => 0,
    })
}

entry! {
    /// libcrypto's answers, but for one: "auto" of a signer means the longest salt, and ours is as
    /// long as the digest. Whoever writes the parameters of a signature asks here.
    fn answer<const SLOT: usize>(
        "EVP_PKEY_CTX_ctrl",
        host in Host::at(SLOT),
        context: *mut PkeyContext,
        command: c_int,
        number: c_int,
        pointer: *mut c_void,
    ) -> c_int, or 0 {
        // SAFETY: what libcrypto passed is passed on.
        let result = unsafe { (host.rsa_operation.control)(context, command, number, pointer) };
        if result <= 0 || command != control::GET_PSS_SALT {
            return result;
        }
        // SAFETY: the operation goes on, and its answer to this question is a number.
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

/// An operation with a key in a vault.
struct Operation {
    host: &'static Host,
    context: *mut PkeyContext,
    key: Arc<Key>,
}

impl Operation {
    /// `None` when the key is another one, or the padding.
    ///
    /// # Safety
    /// The context is one of this libcrypto and stays as it is.
    unsafe fn with_vault_key(
        host: &'static Host,
        context: *mut PkeyContext,
        padding: c_int,
    ) -> Option<Self> {
        // SAFETY: vouched for by the caller.
        let key = unsafe { key::of_operation(host, context) }?;
        let operation = Self { host, context, key };
        (operation.number(control::GET_RSA_PADDING)? == padding).then_some(operation)
    }

    fn ask(&self, command: c_int, answer: *mut c_void) -> Option<c_int> {
        // SAFETY: the context goes on; each question below comes with what its answer needs.
        let result = unsafe { (self.host.rsa_operation.control)(self.context, command, 0, answer) };
        (result >= 0).then_some(result)
    }

    fn number(&self, command: c_int) -> Option<c_int> {
        let mut number: c_int = 0;
        self.ask(command, (&raw mut number).cast()).map(|_| number)
    }

    /// The digest that a question is about.
    fn digest(&self, command: c_int) -> Result<DigestAlgorithm> {
        let mut digest: *const Digest = ptr::null();
        let answer = self.ask(command, (&raw mut digest).cast());
        if answer.is_none() || digest.is_null() {
            return Err(Error::unsupported("the vault needs a digest here; set digest:sha256"));
        }
        // SAFETY: the answer is a digest of libcrypto.
        let nid = unsafe { (self.host.EVP_MD_get_type)(digest) };
        let known = DIGESTS.iter().find(|(known, _)| *known == nid);
        known.map(|(_, digest)| *digest).ok_or_else(|| {
            Error::unsupported("the vault does not know this digest; use SHA-1, SHA-2 or SHA-3")
        })
    }

    fn pss(&self) -> Result<SignatureAlgorithm> {
        let salt = match self.number(control::GET_PSS_SALT) {
            Some(salt::DIGEST) => PssSalt::Digest,
            Some(salt::AUTO) => PssSalt::Auto,
            Some(salt::AUTO_DIGEST_MAX) => PssSalt::AutoDigestMax,
            Some(len) => usize::try_from(len).map_or(PssSalt::Max, PssSalt::Len),
            None => return Err(Error::internal("PSS without a salt")),
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
        let len = len.ok_or_else(|| Error::internal("OAEP without an answer about its label"))?;
        let parameters = OaepParameters {
            digest: self.digest(control::GET_OAEP_DIGEST)?,
            mgf1: self.digest(control::GET_MGF1_DIGEST)?,
            // SAFETY: the answer is the operation's label, which stays while the operation does.
            label: unsafe { guard::bytes(label, len) }.unwrap_or_default(),
        };
        Ok(parameters.algorithm()?)
    }
}
