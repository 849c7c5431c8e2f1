//! Keys: opening them, and what is known of them without a request.

use crate::{
    Client,
    buffer::{Room, bytes, hand_over, object, text},
    last_error::{Failed, call},
};
use akv_core::{
    Error, ErrorKind, KeyFile,
    blocking::{self, AnyKey},
};
use std::ffi::{CString, c_char};

/// A key in a vault, of one version.
pub struct Key {
    pub(crate) key: AnyKey,
    reference: CString,
}

impl Key {
    fn new(key: AnyKey) -> Result<Self, Failed> {
        let reference = CString::new(key.pinned_reference().to_string());
        let reference = reference.map_err(|_| internal("a reference with a NUL in it"))?;
        Ok(Self { key, reference })
    }

    /// The key pair.
    ///
    /// # Errors
    /// It is a symmetric key.
    pub(crate) fn pair(&self) -> Result<&blocking::Key, Failed> {
        match &self.key {
            AnyKey::Asymmetric(key) => Ok(key),
            AnyKey::Symmetric(_) => Err(Error::new(
                ErrorKind::Unsupported,
                format!("{} is a symmetric key", self.key.reference()),
            )
            .into()),
        }
    }
}

fn internal(what: &str) -> Failed {
    Error::new(ErrorKind::Internal, what).into()
}

/// Opens a key by its reference, such as `vault:myVault:myKey` or `managedHsm:myHsm:myKey`. Without
/// a version the newest one is taken, and kept. Free it with `akv_key_free`.
///
/// # Safety
/// `client` is null or from `akv_client_new`, `reference` null or a C string, `key` null or room for
/// a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_key_open(
    client: *const Client,
    reference: *const c_char,
    key: *mut *mut Key,
) -> i32 {
    call("akv_key_open", || {
        // SAFETY: vouched for by the caller.
        let (client, reference) = unsafe { (object(client)?, text(reference)?) };
        let open = || Key::new(client.0.any_key(&client.0.reference(reference)?)?);
        // SAFETY: the same.
        unsafe { hand_over(key, open) }
    })
}

/// Opens a key by a key file, the text between `BEGIN AKV PRIVATE KEY` and its end, or the PKCS#8
/// form of it. No request is made when the file has the version and the public key, as written ones
/// have.
///
/// # Safety
/// `client` is null or from `akv_client_new`, `pem` null or `len` bytes, `key` null or room for a
/// pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_key_open_file(
    client: *const Client,
    pem: *const u8,
    len: usize,
    key: *mut *mut Key,
) -> i32 {
    call("akv_key_open_file", || {
        // SAFETY: vouched for by the caller.
        let (client, pem) = unsafe { (object(client)?, bytes(pem, len)?) };
        let open = || {
            let file = KeyFile::from_pem(pem)?.ok_or_else(|| {
                Error::new(ErrorKind::KeyFile, "there is no key file in the text")
            })?;
            Key::new(client.0.any_key_from_file(&file)?)
        };
        // SAFETY: the same.
        unsafe { hand_over(key, open) }
    })
}

/// Frees a key.
///
/// # Safety
/// `key` is null or from one of the functions that open keys, and nobody uses it any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_key_free(key: *mut Key) {
    // SAFETY: vouched for by the caller.
    unsafe { c_abi::free_box::<Key>(key.cast()) }
}

/// The reference with the version that the key is pinned to; null for a null key. It lives as long
/// as the key.
///
/// # Safety
/// `key` is null or an open key.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_key_reference(key: *const Key) -> *const c_char {
    // SAFETY: vouched for by the caller.
    unsafe { key.as_ref() }.map_or(std::ptr::null(), |key| key.reference.as_ptr())
}

/// The public half as a SubjectPublicKeyInfo in DER (RFC 5280 section 4.1). No request is made.
///
/// # Safety
/// `key` is null or an open key; `out` null or room for `*len` bytes; `len` null or a length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_key_public_key(key: *const Key, out: *mut u8, len: *mut usize) -> i32 {
    call("akv_key_public_key", || {
        // SAFETY: vouched for by the caller.
        let (key, room) = unsafe { (object(key)?, Room::new(out, len)?) };
        room.put(&key.pair()?.public_key().to_spki_der())
    })
}

/// The key file: PEM text, without a NUL at its end, that holds no secret and names this version.
///
/// # Safety
/// `key` is null or an open key; `out` null or room for `*len` bytes; `len` null or a length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_key_file(key: *const Key, out: *mut u8, len: *mut usize) -> i32 {
    call("akv_key_file", || {
        // SAFETY: vouched for by the caller.
        let (key, room) = unsafe { (object(key)?, Room::new(out, len)?) };
        room.put(key.key.key_file().to_pem().as_bytes())
    })
}
