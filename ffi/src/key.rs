//! Keys: opening them, and reading their properties without a request.

use std::ffi::{CString, c_char};

use akv_core::{
    Error, ErrorKind, KeyFile,
    blocking::{self, AnyKey},
};

use crate::{
    Client,
    buffer::{Room, bytes, hand_over, object, text},
    last_error::{Failed, call},
};

/// A vault key, pinned to one version.
pub struct Key {
    pub(crate) key: AnyKey,
    reference: CString,
}

impl Key {
    fn new(key: AnyKey) -> Result<Self, Failed> {
        let reference = CString::new(key.pinned_reference().to_string());
        let reference = reference.map_err(|_| internal("the reference contains a NUL"))?;
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
/// a version, the reference is resolved to the newest version and pinned to it. Free the key with
/// `akv_key_free`.
///
/// # Safety
/// `client` is null or from `akv_client_new`; `reference` is null or a C string; `key` is null or
/// points to room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_key_open(
    client: *const Client,
    reference: *const c_char,
    key: *mut *mut Key,
) -> i32 {
    call("akv_key_open", || {
        // SAFETY: guaranteed by the caller.
        let (client, reference) = unsafe { (object(client)?, text(reference)?) };
        let open = || Key::new(client.0.any_key(&client.0.reference(reference)?)?);
        // SAFETY: the same.
        unsafe { hand_over(key, open) }
    })
}

/// Opens a key by a key file: PEM with the label `AKV PRIVATE KEY`, or its PKCS#8 form. No request
/// is sent if the file contains the version and the public key, as generated key files do.
///
/// # Safety
/// `client` is null or from `akv_client_new`; `pem` is null or points to `len` bytes; `key` is null
/// or points to room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_key_open_file(
    client: *const Client,
    pem: *const u8,
    len: usize,
    key: *mut *mut Key,
) -> i32 {
    call("akv_key_open_file", || {
        // SAFETY: guaranteed by the caller.
        let (client, pem) = unsafe { (object(client)?, bytes(pem, len)?) };
        let open = || {
            let file = KeyFile::from_pem(pem)?
                .ok_or_else(|| Error::new(ErrorKind::KeyFile, "the PEM contains no key file"))?;
            Key::new(client.0.any_key_from_file(&file)?)
        };
        // SAFETY: the same.
        unsafe { hand_over(key, open) }
    })
}

/// Frees a key.
///
/// # Safety
/// `key` is null or from one of the functions that open keys, and is not used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_key_free(key: *mut Key) {
    // SAFETY: guaranteed by the caller.
    unsafe { c_abi::free_box::<Key>(key.cast()) }
}

/// The key's reference with the pinned version; null if `key` is null. It is valid as long as the
/// key.
///
/// # Safety
/// `key` is null or an open key.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_key_reference(key: *const Key) -> *const c_char {
    // SAFETY: guaranteed by the caller.
    unsafe { key.as_ref() }.map_or(std::ptr::null(), |key| key.reference.as_ptr())
}

/// Writes the public half as a DER-encoded SubjectPublicKeyInfo (RFC 5280 section 4.1). No request
/// is sent.
///
/// # Safety
/// `key` is null or an open key; `out` is null or has room for `*len` bytes; `len` is null or
/// points to a length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_key_public_key(key: *const Key, out: *mut u8, len: *mut usize) -> i32 {
    call("akv_key_public_key", || {
        // SAFETY: guaranteed by the caller.
        let (key, room) = unsafe { (object(key)?, Room::new(out, len)?) };
        room.put(&key.pair()?.public_key().to_spki_der())
    })
}

/// Writes the key file: PEM text without a terminating NUL. It contains no secret and names the
/// pinned version.
///
/// # Safety
/// `key` is null or an open key; `out` is null or has room for `*len` bytes; `len` is null or
/// points to a length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_key_file(key: *const Key, out: *mut u8, len: *mut usize) -> i32 {
    call("akv_key_file", || {
        // SAFETY: guaranteed by the caller.
        let (key, room) = unsafe { (object(key)?, Room::new(out, len)?) };
        room.put(key.key.key_file().to_pem().as_bytes())
    })
}
