//! New keys and new versions, without faults.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use akv_core::{
    AesSize, AnyKey, Curve, ErrorKind, Key, KeyOperation, KeyType, NewKey, RsaSize,
    SignatureAlgorithm::{Es256, Rs256},
    SymmetricKey, blocking,
};
use akv_emulator::Persona;

use super::{Vault, async_vault, both, open, run, versions};

const DIGEST: [u8; 32] = [7; 32];

#[test]
fn keys_of_every_kind_are_created_and_used() {
    for (vault, reference) in both() {
        let hsm = reference.starts_with("managed");
        let made = open(&vault, &[], reference);
        for size in [RsaSize::Bits2048, RsaSize::Bits3072, RsaSize::Bits4096] {
            let key = made.create("rsa", NewKey::rsa(size)).unwrap();
            assert_eq!(key.public_key().bits(), size.bits());
            let expected = if hsm { KeyType::RsaHsm } else { KeyType::Rsa };
            assert_eq!(key.attributes().unwrap().key_type(), Some(&expected));
            key.sign(Rs256, &DIGEST).unwrap();
        }
        assert_eq!(versions(&made, "rsa"), 3, "an existing key gets new versions");
        for curve in Curve::ALL {
            let key = made.create("ec", NewKey::ec(curve).hardware(true)).unwrap();
            let attributes = key.attributes().unwrap();
            assert_eq!(attributes.key_type(), Some(&KeyType::EcHsm));
            assert!(!attributes.exportable());
            let algorithm = akv_core::SignatureAlgorithm::ecdsa(curve);
            let digest = akv_core::ecdsa::fit_digest(curve, &DIGEST);
            key.sign(algorithm, &digest).unwrap();
            let again = vault.client(&[]).key(key.pinned_reference()).unwrap();
            assert_eq!(again.public_key(), key.public_key());
        }
    }
}

#[test]
fn a_new_key_has_the_requested_attributes() {
    let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap().as_secs();
    let (from, until) = (
        SystemTime::now() - Duration::from_secs(60),
        UNIX_EPOCH + Duration::from_secs(4_000_000_000),
    );
    for (vault, reference) in both() {
        let made = open(&vault, &[], reference);
        let new = NewKey::rsa(RsaSize::Bits2048)
            .operations([KeyOperation::Sign, KeyOperation::UnwrapKey])
            .not_before(from)
            .expires(until)
            .tag("owner", "www")
            .tag("stage", "test");
        let key = made.create("web", new).unwrap();
        let attributes = key.attributes().unwrap();
        assert_eq!(attributes.not_before().map(seconds), Some(seconds(from)));
        assert_eq!(attributes.expires(), Some(until));
        let operations = attributes.operations().unwrap();
        assert_eq!(operations, [KeyOperation::Sign, KeyOperation::UnwrapKey]);
        assert_eq!(attributes.tags().len(), 2);
        assert_eq!(attributes.tags()["stage"], "test");
        assert!(key.decrypt(akv_core::EncryptionAlgorithm::RsaOaep, &[1; 256]).is_err());

        let off = made.create("off", NewKey::ec(Curve::P256).enabled(false)).unwrap();
        assert!(!off.attributes().unwrap().enabled());
        assert_eq!(off.sign(Es256, &DIGEST).unwrap_err().status(), Some(403));
    }
}

#[test]
fn unsupported_keys_are_refused_without_a_request() {
    let vault = Vault::start();
    let made = open(&vault, &[], "vault:myVault:");
    let error = made.create("kek", NewKey::aes(AesSize::Bits256)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert!(error.to_string().starts_with("cannot create vault:myVault:kek: "), "{error}");
    let error = made.create("a/b", NewKey::ec(Curve::P256)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Reference);
    let wrapping = NewKey::ec(Curve::P256).operations([KeyOperation::WrapKey]);
    assert_eq!(made.create("ec", wrapping).unwrap_err().kind(), ErrorKind::Argument);
    assert_eq!(made.rotate("").unwrap_err().kind(), ErrorKind::Reference);
    assert_eq!(vault.emulator.stats().connections, 0);
}

#[test]
fn a_key_is_rotated_and_old_ones_stay_at_their_version() {
    for (vault, reference) in both() {
        let made = open(&vault, &[], reference);
        let old = made.create("web", NewKey::ec(Curve::P256)).unwrap();
        let blocking::AnyKey::Asymmetric(new) = made.rotate("web").unwrap() else {
            panic!("a key pair");
        };
        assert_ne!(old.public_key(), new.public_key());
        for key in [&old, &new] {
            key.sign(Es256, &DIGEST).unwrap();
        }
        let current = vault.client(&[]).key(old.reference()).unwrap();
        assert_eq!(current.version(), new.version());
        assert_eq!(made.rotate("nothing").unwrap_err().status(), Some(404));
    }
}

#[test]
fn the_async_forms_create_the_requested_kind_of_key() {
    let vault = Vault::of(Persona::ManagedHsm);
    run(async {
        let made = async_vault(&vault, "managedHsm:myHsm:");
        let key: Key = made.create("ec", NewKey::ec(Curve::P256)).await.unwrap();
        let kek: SymmetricKey = made.create("kek", NewKey::aes(AesSize::Bits256)).await.unwrap();
        assert!(matches!(made.rotate("ec").await.unwrap(), AnyKey::Asymmetric(new)
            if new.public_key() != key.public_key()));
        assert!(matches!(made.rotate("kek").await.unwrap(), AnyKey::Symmetric(new)
            if new.version() != kek.version()));
    });
}
