//! Verification with RustCrypto, which neither the library nor the emulator uses for signing or
//! verifying.

use akv_core::{PublicKey, SignatureAlgorithm};
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use rsa::{Pkcs1v15Sign, pkcs8::DecodePublicKey, pss};
use sha2::Sha256;

/// The public key of one key version.
pub(crate) enum Verifier {
    Rsa(Box<rsa::PublicKey>),
    P256(p256::ecdsa::VerifyingKey),
}

impl Verifier {
    pub(crate) fn new(key: &PublicKey) -> Self {
        let spki = key.to_spki_der();
        match key {
            PublicKey::Rsa(_) => {
                Self::Rsa(Box::new(rsa::PublicKey::from_public_key_der(&spki).expect("an RSA key")))
            }
            _ => Self::P256(
                p256::ecdsa::VerifyingKey::from_public_key_der(&spki).expect("a P-256 key"),
            ),
        }
    }

    /// Whether this is the signature of this SHA-256 digest.
    pub(crate) fn verifies(
        &self,
        algorithm: SignatureAlgorithm,
        digest: &[u8],
        signature: &[u8],
    ) -> bool {
        match (self, algorithm) {
            (Self::Rsa(key), SignatureAlgorithm::Rs256) => {
                key.verify(Pkcs1v15Sign::new::<Sha256>(), digest, signature).is_ok()
            }
            (Self::Rsa(key), SignatureAlgorithm::Ps256) => {
                key.verify(pss::Pss::<Sha256>::new(), digest, signature).is_ok()
            }
            (Self::P256(key), SignatureAlgorithm::Es256) => {
                p256::ecdsa::Signature::from_slice(signature)
                    .is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok())
            }
            _ => false,
        }
    }
}
