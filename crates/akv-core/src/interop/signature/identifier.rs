//! The X.509 names of the service's algorithms.

use der::{Any, asn1::ObjectIdentifier};
use pkcs1::RsaPssParams;
use sha2::{Sha256, Sha384, Sha512};
use spki::AlgorithmIdentifierOwned;

use crate::SignatureAlgorithm;

/// The `AlgorithmIdentifier` of signatures: RFC 4055 for RSA, whose parameters are NULL for PKCS#1
/// v1.5 and explicit for PSS; RFC 5758 for ECDSA, which has no parameters.
///
/// # Errors
/// [`SignatureAlgorithm::RsNull`] has no identifier: its `DigestInfo` names the hash.
pub(crate) fn algorithm_identifier(
    algorithm: SignatureAlgorithm,
) -> spki::Result<AlgorithmIdentifierOwned> {
    let pkcs1 = |oid| Ok(AlgorithmIdentifierOwned { oid, parameters: Some(Any::null()) });
    let pss = |parameters: RsaPssParams<_>| {
        let parameters = Some(Any::encode_from(&parameters)?);
        Ok(AlgorithmIdentifierOwned { oid: RSASSA_PSS, parameters })
    };
    let ecdsa = |oid| Ok(AlgorithmIdentifierOwned { oid, parameters: None });
    match algorithm {
        SignatureAlgorithm::Rs256 => pkcs1(SHA256_WITH_RSA),
        SignatureAlgorithm::Rs384 => pkcs1(SHA384_WITH_RSA),
        SignatureAlgorithm::Rs512 => pkcs1(SHA512_WITH_RSA),
        SignatureAlgorithm::Ps256 => pss(RsaPssParams::new::<Sha256>(32)),
        SignatureAlgorithm::Ps384 => pss(RsaPssParams::new::<Sha384>(48)),
        SignatureAlgorithm::Ps512 => pss(RsaPssParams::new::<Sha512>(64)),
        SignatureAlgorithm::Es256 | SignatureAlgorithm::Es256K => ecdsa(ECDSA_WITH_SHA256),
        SignatureAlgorithm::Es384 => ecdsa(ECDSA_WITH_SHA384),
        SignatureAlgorithm::Es512 => ecdsa(ECDSA_WITH_SHA512),
        SignatureAlgorithm::RsNull => Err(spki::Error::AlgorithmParametersMissing),
    }
}

const SHA256_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const SHA384_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12");
const SHA512_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13");
const RSASSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_WITH_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const ECDSA_WITH_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4");
