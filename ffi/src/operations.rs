//! Operations with keys. Algorithms use the JOSE names (RFC 7518).

use std::{ffi::c_char, str::FromStr};

use akv_core::{
    KeyWrapAlgorithm,
    blocking::{self, AnyKey},
    ecdsa,
};

use crate::{
    Key,
    buffer::{Room, bytes, object, text},
    last_error::{Failed, call},
};

/// The arguments of most operations.
struct Operation<'a> {
    key: &'a Key,
    algorithm: &'a str,
    data: &'a [u8],
    room: Room<'a>,
}

impl<'a> Operation<'a> {
    /// # Safety
    /// `key` is null or an open key; `algorithm` is null or a C string; `data` is null or points to
    /// `data_len` bytes; `out` is null or has room for `*len` bytes; `len` is null or points to a
    /// length; all for `'a`.
    unsafe fn new(
        key: *const Key,
        algorithm: *const c_char,
        (data, data_len): (*const u8, usize),
        (out, len): (*mut u8, *mut usize),
    ) -> Result<Self, Failed> {
        // SAFETY: guaranteed by the caller.
        unsafe {
            Ok(Self {
                key: object(key)?,
                algorithm: text(algorithm)?,
                data: bytes(data, data_len)?,
                room: Room::new(out, len)?,
            })
        }
    }

    /// Runs an operation of a key pair if the buffer has room for the longest result.
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

/// Signs a digest in the vault, with algorithms such as `RS256`, `PS384` or `ES256`. ECDSA
/// signatures are r and s concatenated, as in JOSE; `akv_ecdsa_der` converts them to DER.
///
/// # Safety
/// `key` is null or an open key; `algorithm` is null or a C string; `digest` is null or points to
/// `digest_len` bytes; `out` is null or has room for `*len` bytes; `len` is null or points to a
/// length.
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
        // SAFETY: guaranteed by the caller.
        let operation =
            unsafe { Operation::new(key, algorithm, (digest, digest_len), (out, len)) }?;
        operation.with_pair(blocking::Key::sign)
    })
}

/// Hashes a message locally with the digest of the algorithm and signs the digest in the vault.
/// Otherwise like `akv_sign`.
///
/// # Safety
/// As for `akv_sign`.
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
        // SAFETY: guaranteed by the caller.
        let operation =
            unsafe { Operation::new(key, algorithm, (message, message_len), (out, len)) }?;
        operation.with_pair(blocking::Key::sign_message)
    })
}

/// Verifies a signature over a digest with the public half. Returns `AKV_CODE_SIGNATURE` if it is
/// invalid. No request is sent.
///
/// # Safety
/// `key` is null or an open key; `algorithm` is null or a C string; `digest` and `signature` are
/// null or point to as many bytes as their lengths state.
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
        // SAFETY: guaranteed by the caller.
        let (key, algorithm) = unsafe { (object(key)?.pair()?, text(algorithm)?.parse()?) };
        // SAFETY: the same.
        let (digest, signature) =
            unsafe { (bytes(digest, digest_len)?, bytes(signature, signature_len)?) };
        Ok(key.verify(algorithm, digest, signature)?)
    })
}

/// Converts an ECDSA signature of `akv_sign` to DER (RFC 3279 section 2.2.3), as used by X.509, TLS
/// and CMS.
///
/// # Safety
/// `signature` is null or points to `signature_len` bytes; `out` is null or has room for `*len`
/// bytes; `len` is null or points to a length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_ecdsa_der(
    signature: *const u8,
    signature_len: usize,
    out: *mut u8,
    len: *mut usize,
) -> i32 {
    call("akv_ecdsa_der", || {
        // SAFETY: guaranteed by the caller.
        let (raw, room) = unsafe { (bytes(signature, signature_len)?, Room::new(out, len)?) };
        room.put(&ecdsa::raw_to_der(raw)?)
    })
}

/// Encrypts with the public half of an RSA key: `RSA-OAEP-256`, `RSA-OAEP` or `RSA1_5`. No request
/// is sent.
///
/// # Safety
/// `key` is null or an open key; `algorithm` is null or a C string; `data` is null or points to
/// `data_len` bytes; `out` is null or has room for `*len` bytes; `len` is null or points to a
/// length.
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
        // SAFETY: guaranteed by the caller.
        let operation = unsafe { Operation::new(key, algorithm, (data, data_len), (out, len)) }?;
        operation.with_pair(blocking::Key::encrypt)
    })
}

/// Decrypts in the vault with an RSA key. The algorithms are those of `akv_encrypt`.
///
/// # Safety
/// As for `akv_encrypt`.
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
        // SAFETY: guaranteed by the caller.
        let operation = unsafe { Operation::new(key, algorithm, (data, data_len), (out, len)) }?;
        operation.with_pair(blocking::Key::decrypt)
    })
}

/// Wraps a key in the vault. With an RSA key the algorithms are those of `akv_encrypt`; with a
/// symmetric key of a Managed HSM they are `A128KW`, `A192KW` and `A256KW` (RFC 3394), which must
/// match the key's size.
///
/// # Safety
/// As for `akv_encrypt`.
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
        // SAFETY: guaranteed by the caller.
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

/// Unwraps in the vault what `akv_wrap` returned.
///
/// # Safety
/// As for `akv_encrypt`.
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
        // SAFETY: guaranteed by the caller.
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
