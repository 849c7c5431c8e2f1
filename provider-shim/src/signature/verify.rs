//! Local verification of RSA signatures.
//!
//! AWS-LC verifies what the service itself can sign. RustCrypto verifies other digests and key
//! sizes. [`pss_verify`] verifies other salt lengths and MGF1 digests.

use akv_core::{PublicKey, RsaPublicKey, SignatureAlgorithm};
use rsa::Pkcs1v15Sign;

use super::pss_verify::{self, Parameters};
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::rsa_public::{apply, rustcrypto};

/// Verifies with AWS-LC; `None` if it does not support the combination.
fn by_aws_lc(
    key: &RsaPublicKey,
    algorithm: Option<SignatureAlgorithm>,
    tbs: &[u8],
    signature: &[u8],
) -> Option<Result<()>> {
    let algorithm = algorithm.filter(|_| (2048..=8192).contains(&key.bits()))?;
    let key = PublicKey::Rsa(key.clone());
    Some(key.verify_digest(algorithm, tbs, signature).map_err(|_| Error::Silent))
}

/// RSASSA-PKCS1-v1_5. Without a digest, the bare value was padded.
pub(super) fn pkcs1(
    key: &RsaPublicKey,
    digest: Option<Digest>,
    tbs: &[u8],
    signature: &[u8],
) -> Result<()> {
    let algorithm = match digest {
        Some(Digest::Sha256) => Some(SignatureAlgorithm::Rs256),
        Some(Digest::Sha384) => Some(SignatureAlgorithm::Rs384),
        Some(Digest::Sha512) => Some(SignatureAlgorithm::Rs512),
        _ => None,
    };
    if let Some(result) = by_aws_lc(key, algorithm, tbs, signature) {
        return result;
    }
    let padded = digest.map_or_else(|| tbs.to_vec(), |digest| digest.algorithm().digest_info(tbs));
    rustcrypto(key)?
        .verify(Pkcs1v15Sign::new_unprefixed(), &padded, signature)
        .map_err(|_| Error::Silent)
}

/// RSASSA-PSS.
pub(super) fn pss(
    key: &RsaPublicKey,
    parameters: Parameters,
    tbs: &[u8],
    signature: &[u8],
) -> Result<()> {
    let Parameters { digest, mgf1, salt_len } = parameters;
    let algorithm = match digest {
        _ if mgf1 != digest || salt_len != Some(digest.len()) => None,
        Digest::Sha256 => Some(SignatureAlgorithm::Ps256),
        Digest::Sha384 => Some(SignatureAlgorithm::Ps384),
        Digest::Sha512 => Some(SignatureAlgorithm::Ps512),
        _ => None,
    };
    if let Some(result) = by_aws_lc(key, algorithm, tbs, signature) {
        return result;
    }
    pss_verify::verify(key, parameters, tbs, signature)
}

/// The bare public operation, compared with data that the caller padded.
pub(super) fn unpadded(key: &RsaPublicKey, tbs: &[u8], signature: &[u8]) -> Result<()> {
    if apply(key, signature)? == tbs { Ok(()) } else { Err(Error::Silent) }
}

/// The maximum salt length (RFC 8017 section 9.1.1).
pub(super) fn max_salt_len(key: &RsaPublicKey, digest: Digest) -> Result<usize> {
    let encoded = (key.bits() - 1).div_ceil(8);
    encoded
        .checked_sub(digest.len() + 2)
        .ok_or_else(|| Error::argument(format!("the key is too small for {}", digest.display())))
}

/// Removes PKCS#1 v1.5 padding of type 1 (RFC 8017 section 9.2).
pub(super) fn recover_pkcs1(key: &RsaPublicKey, signature: &[u8]) -> Result<Vec<u8>> {
    let padded = apply(key, signature)?;
    let content = padded.strip_prefix(&[0, 1]).ok_or(Error::Silent)?;
    let filling = content.iter().take_while(|&&byte| byte == 0xff).count();
    match content.get(filling..) {
        Some([0, recovered @ ..]) if filling >= 8 => Ok(recovered.to_vec()),
        _ => Err(Error::Silent),
    }
}
