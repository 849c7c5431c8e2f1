//! Local verification of signatures over digests.

use aws_lc_rs::{
    digest::{Algorithm as DigestAlgorithm, Digest, SHA256, SHA384, SHA512},
    signature::{
        RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
        RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
        RsaParameters, UnparsedPublicKey,
    },
};

use super::{PublicKey, RsaPublicKey};
use crate::{Error, ErrorKind, Result, SignatureAlgorithm};

impl PublicKey {
    /// Verifies a signature in JOSE format (r‖s for ECDSA) over a digest. Sends no request.
    ///
    /// ```
    /// use akv_core::{Curve, EcPublicKey, PublicKey, SignatureAlgorithm::Es256};
    /// use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL};
    /// use sha2::{Digest, Sha256};
    ///
    /// # let x = BASE64URL.decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU")?;
    /// # let y = BASE64URL.decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")?;
    /// // The token of RFC 7515 appendix A.3.
    /// let token = "eyJhbGciOiJFUzI1NiJ9.\
    ///     eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt\
    ///     cGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
    ///     DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    /// let (signed, signature) = token.rsplit_once('.').ok_or("no token")?;
    /// let key = PublicKey::Ec(EcPublicKey::new(Curve::P256, &x, &y)?);
    /// key.verify_digest(Es256, &Sha256::digest(signed), &BASE64URL.decode(signature)?)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The signature does not verify ([`ErrorKind::Signature`]), or the algorithm does not fit the
    /// key or the digest. [`SignatureAlgorithm::RsNull`] compares the padded `DigestInfo`.
    pub fn verify_digest(
        &self,
        algorithm: SignatureAlgorithm,
        digest: &[u8],
        signature: &[u8],
    ) -> Result<()> {
        algorithm.check(self, digest)?;
        match self {
            Self::Ec(key) => {
                let curve = key.curve();
                let digest = import(digest)?;
                UnparsedPublicKey::new(curve.ecdsa(), key.point())
                    .verify_digest(&digest, signature)
                    .map_err(|_| wrong(algorithm))
            }
            Self::Rsa(key) => match parameters(algorithm) {
                Some(parameters) => {
                    let digest = import(digest)?;
                    UnparsedPublicKey::new(parameters, key.to_pkcs1_der())
                        .verify_digest(&digest, signature)
                        .map_err(|_| wrong(algorithm))
                }
                None => verify_unprefixed(key, digest, signature),
            },
        }
    }
}

fn parameters(algorithm: SignatureAlgorithm) -> Option<&'static RsaParameters> {
    Some(match algorithm {
        SignatureAlgorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
        SignatureAlgorithm::Rs384 => &RSA_PKCS1_2048_8192_SHA384,
        SignatureAlgorithm::Rs512 => &RSA_PKCS1_2048_8192_SHA512,
        SignatureAlgorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
        SignatureAlgorithm::Ps384 => &RSA_PSS_2048_8192_SHA384,
        SignatureAlgorithm::Ps512 => &RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}

/// Imports a digest into AWS-LC. The length determines the hash: the service's algorithms have one
/// hash per length, and ECDSA uses only the bytes.
fn import(digest: &[u8]) -> Result<Digest> {
    let algorithm: &'static DigestAlgorithm = match digest.len() {
        32 => &SHA256,
        48 => &SHA384,
        _ => &SHA512,
    };
    Digest::import_less_safe(digest, algorithm)
        .map_err(|_| Error::new(ErrorKind::Argument, "the digest must have 32, 48 or 64 bytes"))
}

/// Verifies PKCS#1 v1.5 around the caller's own `DigestInfo`, which AWS-LC's Rust interface does
/// not offer.
fn verify_unprefixed(key: &RsaPublicKey, digest_info: &[u8], signature: &[u8]) -> Result<()> {
    let n = rsa::BoxedUint::from_be_slice_vartime(key.modulus());
    let e = rsa::BoxedUint::from_be_slice_vartime(key.exponent());
    rsa::PublicKey::new(n, e)
        .and_then(|key| key.verify(rsa::Pkcs1v15Sign::new_unprefixed(), digest_info, signature))
        .map_err(|_| wrong(SignatureAlgorithm::RsNull))
}

fn wrong(algorithm: SignatureAlgorithm) -> Error {
    Error::new(
        ErrorKind::Signature,
        format!("the {algorithm} signature does not verify with the key's public half"),
    )
}
