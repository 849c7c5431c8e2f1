//! What hosts find under the property `fips=yes` when the administrator has set `fips = yes`, which
//! declares that the keys are in a validated HSM.
//!
//! The HSM does the work of signing, decryption and wrapping. Verifying, encryption and the hashing of
//! messages would happen here, in no validated module, so another provider of the host is asked for
//! them: its FIPS provider, where it asks for `fips=yes` by default.

use crate::digest::{Digest, Hasher};
use crate::error::{Error, Result};
use ossl_abi::Host;
use std::ffi::CStr;

/// What algorithms of validated modules have.
pub(crate) const PROPERTY: &CStr = c"fips=yes";

/// Has the host's FIPS provider hash. A host that has none asks for no validated modules.
///
/// # Errors
/// The host's FIPS provider does not compute this digest.
pub(crate) fn hasher(host: &Host, digest: Digest) -> Result<Hasher> {
    if let Some(begun) = host.digest(digest.name(), PROPERTY) {
        return Ok(Hasher::Host(begun));
    }
    if host.digest(Digest::Sha256.name(), PROPERTY).is_none() {
        return Ok(digest.hasher());
    }
    Err(Error::unsupported(format!(
        "with fips = yes the host's FIPS provider computes the digest, and it does not have {}",
        digest.display()
    )))
}
