//! Operations with keys. Algorithms have the names of JOSE (RFC 7518).

use crate::{
    Key,
    buffer::{Room, bytes, object, text},
    last_error::{Failed, call},
};
use akv_core::{
    KeyWrapAlgorithm,
    blocking::{self, AnyKey},
    ecdsa,
};
use std::{ffi::c_char, str::FromStr};

/// What most operations take.
struct Operation<'a> {
    key: &'a Key,
    algorithm: &'a str,
    data: &'a [u8],
    room: Room<'a>,
}

impl<'a> Operation<'a> {
    /// # Safety
    /// `key` is null or an open key; `algorithm` null or a C string; `data` null or `data_len` bytes;
    /// `out` null or room for `*len` bytes; `len` null or a length; all for `'a`.
    unsafe fn new(
        key: *const Key,
        algorithm: *const c_char,
        (data, data_len): (*const u8, usize),
        (out, len): (*mut u8, *mut usize),
    ) -> Result<Self, Failed> {
        // SAFETY: vouched for by the caller.
        unsafe {
            Ok(Self {
                key: object(key)?,
                algorithm: text(algorithm)?,
                data: bytes(data, data_len)?,
                room: Room::new(out, len)?,
            })
        }
    }

    /// Runs an operation of a key pair, when there is room for its longest result.
    fn with_pair<A, R>(
        self,
        run: impl FnOnce(&blocking::Key, A, &[u8]) -> akv_core::Result<R>,
    ) -> Result<(), Failed>
    where
        A: FromStr<Err = akv_core::Error>,
        R: AsRef<[u8]>,
    {
        let (key, algorithm) = (self.key.pair()?, self.algorithm.parse()?);
        // A plaintext is never longer than a signature.
        let Some(room) = self.room.for_up_to(key.public_key().signature_len())? else {
            return Ok(());
        };
        room.put(run(key, algorithm, self.data)?.as_ref())
    }
}

/// Signs a digest in the vault, with `RS256`, `PS384`, `ES256` and the like. ECDSA signatures are the
/// two numbers one after the other, as JOSE has them; `akv_ecdsa_der` turns them into DER.
///
/// # Safety
/// `key` is null or an open key; `algorithm` null or a C string; `digest` null or `digest_len` bytes;
/// `out` null or room for `*len` bytes; `len` null or a length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_sign(
    key: *const Key,
    algorithm: *const c_char,
    digest: *const u8,
    digest_len: usize,
    out: *mut u8,
    len: *mut usize,
) -> i32 {
    call("akv_sign", || {
        // SAFETY: vouched for by the caller.
        let operation =
            unsafe { Operation::new(key, algorithm, (digest, digest_len), (out, len)) }?;
        operation.with_pair(blocking::Key::sign)
    })
}

/// Hashes a message, here, with the algorithm's own digest, and signs that in the vault; otherwise as
/// `akv_sign`.
///
/// # Safety
/// As `akv_sign`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_sign_message(
    key: *const Key,
    algorithm: *const c_char,
    message: *const u8,
    message_len: usize,
    out: *mut u8,
    len: *mut usize,
) -> i32 {
    call("akv_sign_message", || {
        // SAFETY: vouched for by the caller.
        let operation =
            unsafe { Operation::new(key, algorithm, (message, message_len), (out, len)) }?;
        operation.with_pair(blocking::Key::sign_message)
    })
}

/// Checks a signature over a digest with the public half; `AKV_CODE_SIGNATURE` when it does not
/// verify. No request is made.
///
/// # Safety
/// `key` is null or an open key; `algorithm` null or a C string; `digest` and `signature` null or as
/// many bytes as their lengths say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_verify(
    key: *const Key,
    algorithm: *const c_char,
    digest: *const u8,
    digest_len: usize,
    signature: *const u8,
    signature_len: usize,
) -> i32 {
    call("akv_verify", || {
        // SAFETY: vouched for by the caller.
        let (key, algorithm) = unsafe { (object(key)?.pair()?, text(algorithm)?.parse()?) };
        // SAFETY: the same.
        let (digest, signature) =
            unsafe { (bytes(digest, digest_len)?, bytes(signature, signature_len)?) };
        Ok(key.verify(algorithm, digest, signature)?)
    })
}

/// Turns an ECDSA signature of `akv_sign` into DER (RFC 3279 section 2.2.3), as X.509, TLS and CMS
/// have it.
///
/// # Safety
/// `signature` is null or `signature_len` bytes; `out` null or room for `*len` bytes; `len` null or a
/// length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_ecdsa_der(
    signature: *const u8,
    signature_len: usize,
    out: *mut u8,
    len: *mut usize,
) -> i32 {
    call("akv_ecdsa_der", || {
        // SAFETY: vouched for by the caller.
        let (raw, room) = unsafe { (bytes(signature, signature_len)?, Room::new(out, len)?) };
        room.put(&ecdsa::raw_to_der(raw)?)
    })
}

/// Encrypts with the public half of an RSA key: `RSA-OAEP-256`, `RSA-OAEP`, `RSA1_5`. No request is
/// made.
///
/// # Safety
/// `key` is null or an open key; `algorithm` null or a C string; `data` null or `data_len` bytes; `out`
/// null or room for `*len` bytes; `len` null or a length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_encrypt(
    key: *const Key,
    algorithm: *const c_char,
    data: *const u8,
    data_len: usize,
    out: *mut u8,
    len: *mut usize,
) -> i32 {
    call("akv_encrypt", || {
        // SAFETY: vouched for by the caller.
        let operation = unsafe { Operation::new(key, algorithm, (data, data_len), (out, len)) }?;
        operation.with_pair(blocking::Key::encrypt)
    })
}

/// Decrypts in the vault with an RSA key, by the algorithms of `akv_encrypt`.
///
/// # Safety
/// As `akv_encrypt`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_decrypt(
    key: *const Key,
    algorithm: *const c_char,
    data: *const u8,
    data_len: usize,
    out: *mut u8,
    len: *mut usize,
) -> i32 {
    call("akv_decrypt", || {
        // SAFETY: vouched for by the caller.
        let operation = unsafe { Operation::new(key, algorithm, (data, data_len), (out, len)) }?;
        operation.with_pair(blocking::Key::decrypt)
    })
}

/// Wraps a key in the vault: with an RSA key by the algorithms of `akv_encrypt`, with a symmetric
/// key of a Managed HSM by `A128KW`, `A192KW` or `A256KW` (RFC 3394), whichever is its size.
///
/// # Safety
/// As `akv_encrypt`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_wrap(
    key: *const Key,
    algorithm: *const c_char,
    data: *const u8,
    data_len: usize,
    out: *mut u8,
    len: *mut usize,
) -> i32 {
    call("akv_wrap", || {
        // SAFETY: vouched for by the caller.
        let operation = unsafe { Operation::new(key, algorithm, (data, data_len), (out, len)) }?;
        let AnyKey::Symmetric(key) = &operation.key.key else {
            return operation.with_pair(blocking::Key::wrap_key);
        };
        let algorithm: KeyWrapAlgorithm = operation.algorithm.parse()?;
        let longest = KeyWrapAlgorithm::wrapped_len(operation.data.len())?;
        let Some(room) = operation.room.for_up_to(longest)? else { return Ok(()) };
        room.put(&key.wrap_key(algorithm, operation.data)?)
    })
}

/// Unwraps in the vault what `akv_wrap` gave.
///
/// # Safety
/// As `akv_encrypt`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_unwrap(
    key: *const Key,
    algorithm: *const c_char,
    data: *const u8,
    data_len: usize,
    out: *mut u8,
    len: *mut usize,
) -> i32 {
    call("akv_unwrap", || {
        // SAFETY: vouched for by the caller.
        let operation = unsafe { Operation::new(key, algorithm, (data, data_len), (out, len)) }?;
        let AnyKey::Symmetric(key) = &operation.key.key else {
            return operation.with_pair(blocking::Key::unwrap_key);
        };
        let algorithm: KeyWrapAlgorithm = operation.algorithm.parse()?;
        let longest = KeyWrapAlgorithm::unwrapped_len(operation.data.len())?;
        let Some(room) = operation.room.for_up_to(longest)? else { return Ok(()) };
        room.put(&key.unwrap_key(algorithm, operation.data)?)
    })
}
