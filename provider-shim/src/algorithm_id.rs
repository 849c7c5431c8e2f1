//! AlgorithmIdentifiers of signatures, in DER.

use der::Encode;
use der::asn1::{AnyRef, ObjectIdentifier};
use pkcs1::{RsaPssParams, TrailerField};
use spki::{AlgorithmIdentifier, AlgorithmIdentifierRef};

use crate::digest::Digest;
use crate::error::{Error, Result};

const RSASSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const MGF1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.8");

fn unnamed(scheme: &str, digest: Digest) -> Error {
    Error::unsupported(format!("{scheme} with {} has no object identifier", digest.display()))
}

fn encoding(error: der::Error) -> Error {
    Error::internal(format!("cannot encode an AlgorithmIdentifier: {error}"))
}

/// RSASSA-PKCS1-v1_5: the parameters are NULL (RFC 4055 section 5).
pub(crate) fn rsa_pkcs1(digest: Digest) -> Result<Vec<u8>> {
    let oid = digest.rsa_oid().ok_or_else(|| unnamed("RSA PKCS#1 v1.5", digest))?;
    AlgorithmIdentifierRef { oid, parameters: Some(AnyRef::NULL) }.to_der().map_err(encoding)
}

/// RSASSA-PSS with all its parameters (RFC 4055 section 3.1).
pub(crate) fn rsa_pss(digest: Digest, mgf1: Digest, salt_len: usize) -> Result<Vec<u8>> {
    let hash = |digest: Digest| -> Result<AlgorithmIdentifierRef<'static>> {
        let oid = digest.oid().ok_or_else(|| unnamed("RSA PSS", digest))?;
        Ok(AlgorithmIdentifierRef { oid, parameters: Some(AnyRef::NULL) })
    };
    let salt_len =
        u8::try_from(salt_len).map_err(|_| Error::unsupported("a PSS salt of over 255 bytes"))?;
    let parameters = RsaPssParams {
        hash: hash(digest)?,
        mask_gen: AlgorithmIdentifier { oid: MGF1, parameters: Some(hash(mgf1)?) },
        salt_len,
        trailer_field: TrailerField::BC,
    };
    AlgorithmIdentifier { oid: RSASSA_PSS, parameters: Some(parameters) }.to_der().map_err(encoding)
}

/// ECDSA: no parameters (RFC 5758 section 3.2).
pub(crate) fn ecdsa(digest: Digest) -> Result<Vec<u8>> {
    let oid = digest.ecdsa_oid().ok_or_else(|| unnamed("ECDSA", digest))?;
    AlgorithmIdentifierRef { oid, parameters: None }.to_der().map_err(encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_the_bytes_that_openssl_writes() {
        let pkcs1 = rsa_pkcs1(Digest::Sha256).expect("known");
        assert_eq!(hex::encode(&pkcs1), "300d06092a864886f70d01010b0500");
        let sha384 = ecdsa(Digest::Sha384).expect("known");
        assert_eq!(hex::encode(&sha384), "300a06082a8648ce3d040303");
        let pss = rsa_pss(Digest::Sha256, Digest::Sha256, 32).expect("known");
        assert_eq!(
            hex::encode(&pss),
            "304106092a864886f70d01010a3034a00f300d06096086480165030402010500\
             a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120"
        );
    }

    #[test]
    fn defaults_of_pss_are_left_out() {
        let pss = rsa_pss(Digest::Sha1, Digest::Sha1, 20).expect("known");
        assert_eq!(hex::encode(&pss), "300d06092a864886f70d01010a3000");
    }

    #[test]
    fn digests_without_an_identifier_are_refused() {
        assert!(rsa_pkcs1(Digest::Md5Sha1).is_err());
        assert!(rsa_pss(Digest::Md5Sha1, Digest::Sha1, 20).is_err());
        assert!(ecdsa(Digest::Sha512_256).is_err());
    }
}
