//! The algorithms for the property query `fips=yes`. The administrator declares with `fips = yes`
//! that the keys are in a validated HSM.
//!
//! Signing, decryption and wrapping are done by the HSM. Verification, encryption and hashing would
//! be done locally, outside a validated module. They are therefore done by another provider of the
//! host: its FIPS provider, if the host uses `fips=yes` by default.

use std::ffi::CStr;

use ossl_abi::Host;

use crate::digest::{Digest, Hasher};
use crate::error::{Error, Result};

/// The property of algorithms in validated modules.
pub(crate) const PROPERTY: &CStr = c"fips=yes";

/// Starts a digest with the host's FIPS provider. If the host has none, it does not require
/// validated modules, and the digest is computed here.
///
/// # Errors
/// The host's FIPS provider does not support this digest.
pub(crate) fn hasher(host: &Host, digest: Digest) -> Result<Hasher> {
    if let Some(begun) = host.digest(digest.name(), PROPERTY) {
        return Ok(Hasher::Host(begun));
    }
    if host.digest(Digest::Sha256.name(), PROPERTY).is_none() {
        return Ok(digest.hasher());
    }
    Err(Error::unsupported(format!(
        "with fips = yes the host's FIPS provider computes the digest, and it does not support {}",
        digest.display()
    )))
}
