//! Key files for programs that accept only PKCS#8: PKCS#8 with the key file inside.
//!
//! 1.1.1 decodes PKCS#8 by its algorithm. For unknown algorithms it queries the engines that are
//! set as default. `PEM_read_bio_PrivateKey` therefore returns a vault key once a configuration
//! file has loaded the engine with `default_algorithms = ALL`.

use std::ffi::{CString, c_int};
use std::ptr;
use std::sync::Arc;

use akv_core::KeyFile;
use akv_core::blocking::{Key, Pending};
use legacy_abi::libcrypto::constants::nid;
use legacy_abi::libcrypto::types::{Engine, Pkey, PkeyAsn1Method, PrivateDecodeFn, PrivateKeyInfo};
use legacy_abi::libcrypto::{EngineFunctions, Owned};
use legacy_abi::{Error, Result, job};
use ossl_abi::entry;
use ossl_abi::entry::NullPointer;
use ossl_abi::guard::{self, deep};

use crate::engine::State;
use crate::host::{Host, SLOTS, per_slot};
use crate::key;

/// Returns this libcrypto's NID of the key file's object identifier, and creates it if necessary.
///
/// # Safety
/// The functions are libcrypto's.
pub(crate) unsafe fn register(functions: &EngineFunctions) -> Result<c_int> {
    let oid = CString::new(KeyFile::PKCS8_OID)
        .map_err(|_| Error::internal("the object identifier contains a NUL"))?;
    // SAFETY: libcrypto's functions, which copy the strings. For an unknown identifier in numeric
    // form, the first returns `NID_undef` without an error.
    unsafe {
        let known = (functions.OBJ_txt2nid)(oid.as_ptr());
        if known != nid::UNDEFINED {
            return Ok(known);
        }
        let (short, long) = (c"akvKeyFile", c"Azure Key Vault key file");
        match (functions.OBJ_create)(oid.as_ptr(), short.as_ptr(), long.as_ptr()) {
            nid::UNDEFINED => Err(Error::libcrypto("OBJ_create")),
            created => Ok(created),
        }
    }
}

/// Creates the method that reads key files. The engine frees it.
///
/// # Errors
/// libcrypto is out of memory.
pub(crate) fn method(host: &Host) -> Result<Owned<PkeyAsn1Method>> {
    const DECODE: [PrivateDecodeFn; SLOTS] = per_slot!(decode);
    let (label, info) = (c"AKV", c"Azure Key Vault key file");
    // SAFETY: libcrypto's functions with valid arguments; the strings are copied.
    unsafe {
        let new = (host.EVP_PKEY_asn1_new)(host.key_file, 0, label.as_ptr(), info.as_ptr());
        let method = Owned::new(new, host.EVP_PKEY_asn1_free, "EVP_PKEY_asn1_new")?;
        let decode = Some(DECODE[host.slot]);
        (host.EVP_PKEY_asn1_set_private)(method.as_ptr(), decode, None, None);
        Ok(method)
    }
}

/// The engine that libcrypto selected for key files, with a functional reference.
struct Chosen {
    host: &'static Host,
    engine: *mut Engine,
}

impl Drop for Chosen {
    fn drop(&mut self) {
        // SAFETY: libcrypto's function; the reference is ours.
        unsafe { (self.host.ENGINE_finish)(self.engine) };
    }
}

entry! {
    fn decode<const SLOT: usize>(
        "key file",
        host in Host::at(SLOT),
        pkey: *mut Pkey,
        info: *const PrivateKeyInfo,
    ) -> Result<()>, waits {
        // SAFETY: libcrypto passes the PKCS#8 to read from.
        let (chosen, loading) = deep(|| unsafe { start(host, info) })?;
        let key = job::wait::<_, Error>(loading)?;
        deep(move || {
            let chosen = chosen;
            // SAFETY: libcrypto passes a key under construction. The engine is initialised.
            unsafe { key::fill_private(host, chosen.engine, pkey, Arc::new(key)) }
        })
    }
}

/// Starts loading the key of a file.
///
/// # Safety
/// `info` is PKCS#8 of this libcrypto.
unsafe fn start(
    host: &'static Host,
    info: *const PrivateKeyInfo,
) -> Result<(Chosen, Pending<Key>)> {
    let (mut content, mut len) = (ptr::null(), 0);
    let (nothing, algorithm) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: libcrypto's functions with valid arguments. The content is valid while `info` is.
    unsafe {
        let got = (host.PKCS8_pkey_get0)(nothing, &mut content, &mut len, algorithm, info);
        let len = usize::try_from(len).unwrap_or_default();
        let content = guard::bytes(content, len).filter(|_| got == 1);
        let file = KeyFile::from_der(content.ok_or(NullPointer("content"))?)?;

        let engine = (host.ENGINE_get_pkey_asn1_meth_engine)(host.key_file);
        if engine.is_null() {
            return Err(Error::internal("the engine for key files has been unloaded"));
        }
        let chosen = Chosen { host, engine };
        let loading = State::of(host, chosen.engine)?.client()?.start_key_from_file(&file)?;
        Ok((chosen, loading))
    }
}
