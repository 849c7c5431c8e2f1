//! The traits of the `signature` crate, checked with RustCrypto's verifiers.

use std::error::Error as _;

use akv_core::{
    Client, Error, ErrorKind,
    blocking::Key,
    signature::{Ecdsa, Hash, RsaPss, Scheme, SigningKey},
};
use akv_emulator::{Curve, Fault, FaultKind, NewKey, Operation};
use k256::Secp256k1;
use p256::NistP256;
use rsa::{pkcs1v15, pss};
use sha2::{Digest as _, Sha256, Sha384, Sha512, digest::Update};
use signature::{
    AsyncDigestSigner, AsyncSigner, DigestSigner, DigestVerifier, Keypair, MultipartSigner,
    MultipartVerifier, Signer, Verifier,
    hazmat::{PrehashSigner, PrehashVerifier},
};
use spki::{DecodePublicKey, DynSignatureAlgorithmIdentifier, EncodePublicKey};

use super::Vault;

const MESSAGE: &[u8] = b"a message of some length";

fn key(vault: &Vault, new: NewKey) -> Key {
    let id = vault.emulator.create_key(new).unwrap();
    vault.key(&[], &format!("vault:myVault:{}", id.name)).unwrap()
}

/// RustCrypto's public key.
fn theirs<T: DecodePublicKey>(key: &impl EncodePublicKey) -> T {
    T::from_public_key_der(key.to_public_key_der().unwrap().as_bytes()).unwrap()
}

#[test]
fn rsa_signatures_verify_with_rustcrypto() {
    fn check<D>(key: &Key)
    where
        D: Hash + sha2::digest::const_oid::AssociatedOid,
        pkcs1v15::VerifyingKey<D>: DecodePublicKey + Verifier<pkcs1v15::Signature>,
        pss::VerifyingKey<D>: From<rsa::PublicKey> + Verifier<pss::Signature>,
    {
        let signer = key.rsa_pkcs1::<D>().unwrap();
        let signature = signer.try_sign(MESSAGE).unwrap();
        let verifier: pkcs1v15::VerifyingKey<D> = theirs(&signer.verifying_key());
        verifier.verify(MESSAGE, &signature).unwrap();
        assert!(verifier.verify(b"another", &signature).is_err());
        signer.verifying_key().verify(MESSAGE, &signature).unwrap();
        assert!(signer.verifying_key().verify(b"another", &signature).is_err());

        let signer = key.rsa_pss::<D>().unwrap();
        let signature = signer.try_sign(MESSAGE).unwrap();
        let public_key: rsa::PublicKey = theirs(&signer.verifying_key());
        let verifier = pss::VerifyingKey::<D>::from(public_key);
        verifier.verify(MESSAGE, &signature).unwrap();
        assert!(verifier.verify(b"another", &signature).is_err());
        signer.verifying_key().verify(MESSAGE, &signature).unwrap();
        assert!(signer.verifying_key().verify(b"another", &signature).is_err());
    }
    let vault = Vault::start();
    let key = key(&vault, NewKey::rsa("rsa", 2048));
    check::<Sha256>(&key);
    check::<Sha384>(&key);
    check::<Sha512>(&key);
}

#[test]
fn ecdsa_signatures_verify_with_rustcrypto_in_both_forms() {
    let vault = Vault::start();
    let key = key(&vault, NewKey::ec("ec", Curve::P256));
    let signer = key.ecdsa::<NistP256>().unwrap();
    let verifier: p256::ecdsa::VerifyingKey = theirs(&signer.verifying_key());
    let fixed: p256::ecdsa::Signature = signer.try_sign(MESSAGE).unwrap();
    verifier.verify(MESSAGE, &fixed).unwrap();
    signer.verifying_key().verify(MESSAGE, &fixed).unwrap();
    let der: p256::ecdsa::DerSignature = signer.try_sign(MESSAGE).unwrap();
    verifier.verify(MESSAGE, &der).unwrap();
    assert!(verifier.verify(b"another", &der).is_err());
}

#[test]
fn signatures_on_secp256k1_have_the_low_s() {
    let vault = Vault::start();
    let key = key(&vault, NewKey::ec("ec", Curve::P256K));
    let signer = key.ecdsa::<Secp256k1>().unwrap();
    let verifier: k256::ecdsa::VerifyingKey = theirs(&signer.verifying_key());
    // Half of all signatures have the large value.
    for n in 0..24u8 {
        let signature: k256::ecdsa::Signature = signer.try_sign(&[n]).unwrap();
        verifier.verify(&[n], &signature).unwrap();
        signer.verifying_key().verify(&[n], &signature).unwrap();
    }
}

#[test]
fn every_way_to_pass_a_message_signs_the_same() {
    let vault = Vault::start();
    let key = key(&vault, NewKey::rsa("rsa", 2048));
    let signer = key.rsa_pkcs1::<Sha256>().unwrap();
    let verifier = signer.verifying_key();
    let write = |digest: &mut Sha256| {
        Update::update(digest, MESSAGE);
        Ok(())
    };
    vault.emulator.reset_stats();
    // PKCS#1 v1.5 is deterministic.
    let signature = signer.try_sign(MESSAGE).unwrap();
    assert_eq!(signer.try_multipart_sign(&[b"a message", b" of some length"]).unwrap(), signature);
    assert_eq!(signer.try_sign_digest(write).unwrap(), signature);
    let prehash = Sha256::digest(MESSAGE);
    assert_eq!(signer.sign_prehash(&prehash).unwrap(), signature);
    assert_eq!(vault.emulator.stats().requests, 4, "one request per signature");

    verifier.verify(MESSAGE, &signature).unwrap();
    verifier.multipart_verify(&[b"a message", b" of some length"], &signature).unwrap();
    verifier.verify_digest(write, &signature).unwrap();
    verifier.verify_prehash(&prehash, &signature).unwrap();
    assert_eq!(vault.emulator.stats().requests, 4, "verifying is local");
    assert!(signer.sign_prehash(&prehash[1..]).is_err());
    assert!(verifier.verify_prehash(&prehash[1..], &signature).is_err());
    assert_eq!(vault.emulator.stats().requests, 4, "a wrong length is refused here");
}

#[test]
fn async_keys_have_the_async_traits() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
    vault.emulator.create_key(NewKey::rsa("rsa", 2048)).unwrap();
    super::super::run(async {
        let client = Client::new(vault.settings(&[]));
        let ec = client.key(&client.reference("vault:myVault:ec").unwrap()).await.unwrap();
        let signer = ec.ecdsa::<NistP256>().unwrap();
        let fixed = AsyncSigner::<p256::ecdsa::Signature>::sign_async(&signer, MESSAGE);
        let fixed = fixed.await.unwrap();
        signer.verifying_key().verify(MESSAGE, &fixed).unwrap();
        let der = AsyncSigner::<p256::ecdsa::DerSignature>::sign_async(&signer, MESSAGE);
        let der = der.await.unwrap();
        let verifier: p256::ecdsa::VerifyingKey = theirs(&signer.verifying_key());
        verifier.verify(MESSAGE, &der).unwrap();

        let rsa = client.key(&client.reference("vault:myVault:rsa").unwrap()).await.unwrap();
        let signer = rsa.rsa_pss::<Sha512>().unwrap();
        let signature: pss::Signature = signer.sign_async(MESSAGE).await.unwrap();
        signer.verifying_key().verify(MESSAGE, &signature).unwrap();
        let signature: pss::Signature = signer
            .sign_digest_async(async |digest: &mut Sha512| {
                Update::update(digest, MESSAGE);
                Ok(())
            })
            .await
            .unwrap();
        signer.verifying_key().verify(MESSAGE, &signature).unwrap();
        let signer = rsa.rsa_pkcs1::<Sha384>().unwrap();
        let signature: pkcs1v15::Signature = signer.sign_async(MESSAGE).await.unwrap();
        signer.verifying_key().verify(MESSAGE, &signature).unwrap();
    });
}

#[test]
fn a_key_of_another_kind_is_refused_at_once() {
    let vault = Vault::start();
    let ec = key(&vault, NewKey::ec("ec", Curve::P384));
    let rsa = key(&vault, NewKey::rsa("rsa", 2048));
    for error in [
        ec.rsa_pkcs1::<Sha256>().unwrap_err(),
        ec.rsa_pss::<Sha256>().unwrap_err(),
        ec.ecdsa::<NistP256>().unwrap_err(),
        rsa.ecdsa::<NistP256>().unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Argument, "{error}");
    }
}

#[test]
fn the_services_error_is_the_source_of_the_traits_error() {
    let vault = Vault::start();
    let key = key(&vault, NewKey::ec("ec", Curve::P256));
    vault.emulator.fault(Fault::new(FaultKind::Forbidden).on(Operation::Sign));
    let signer = key.ecdsa::<NistP256>().unwrap();
    let error = Signer::<p256::ecdsa::Signature>::try_sign(&signer, MESSAGE).unwrap_err();
    let source = error.source().unwrap().downcast_ref::<Error>().unwrap();
    assert_eq!(source.status(), Some(403), "{source}");
}

#[test]
fn algorithms_have_their_x509_identifiers() {
    fn der<S: Scheme>(signer: &SigningKey<S>) -> Vec<u8> {
        use der::Encode;
        signer.signature_algorithm_identifier().unwrap().to_der().unwrap()
    }
    fn expected(signer: &impl DynSignatureAlgorithmIdentifier) -> Vec<u8> {
        use der::Encode;
        signer.signature_algorithm_identifier().unwrap().to_der().unwrap()
    }
    let vault = Vault::start();
    let rsa = key(&vault, NewKey::rsa("rsa", 2048));
    let public_key: rsa::PublicKey = theirs(rsa.public_key());
    let pkcs1 = pkcs1v15::VerifyingKey::<Sha384>::new(public_key);
    assert_eq!(der(&rsa.rsa_pkcs1::<Sha384>().unwrap()), expected(&pkcs1));
    // RFC 4055 section 3.1 with SHA-256 and a salt of 32 bytes, identical to OpenSSL's encoding.
    let pss = "304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886\
               f70d010108300d06096086480165030402010500a203020120";
    let hex: String =
        der::<RsaPss<Sha256>>(&rsa.rsa_pss().unwrap()).iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(hex, pss);
    let ec = key(&vault, NewKey::ec("ec", Curve::P256));
    let public_key: p256::ecdsa::VerifyingKey = theirs(ec.public_key());
    assert_eq!(der::<Ecdsa<NistP256>>(&ec.ecdsa().unwrap()), expected(&public_key));
}
