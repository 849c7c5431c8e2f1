//! Encrypting, wrapping, verifying and attributes of key pairs, checked with the service and with
//! the `openssl` program.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use akv_core::{
    EncryptionAlgorithm::{self, *},
    ErrorKind, KeyOperation, KeyType, PublicKey,
    SignatureAlgorithm::{self, *},
    blocking::Key,
    ecdsa,
};
use akv_emulator::{Curve, Fault, FaultKind, NewKey, Operation, Persona};

use super::{Vault, openssl::Openssl};

const DIGEST: [u8; 64] = [0x5a; 64];

fn both() -> [(Vault, &'static str); 2] {
    [(Persona::Vault, "vault"), (Persona::ManagedHsm, "managedHsm")]
        .map(|(persona, kind)| (Vault::of(persona), kind))
}

/// An RSA key in `vault`.
fn rsa(vault: &Vault, kind: &str) -> Key {
    vault.emulator.create_key(NewKey::rsa("rsa", 2048)).unwrap();
    vault.key(&[], &format!("{kind}:myVault:rsa")).unwrap()
}

#[test]
fn every_encryption_algorithm_encrypts_and_decrypts_on_both_services() {
    for (vault, kind) in both() {
        let key = rsa(&vault, kind);
        for algorithm in EncryptionAlgorithm::ALL.iter().copied() {
            vault.emulator.reset_stats();
            let local = key.encrypt(algorithm, b"a data key").unwrap();
            assert_eq!(vault.emulator.stats().requests, 0, "encrypting is local");
            let remote = key.wrap_key(algorithm, b"a data key").unwrap();
            assert_eq!(vault.emulator.stats().operation(Operation::WrapKey), 1);
            assert_eq!((local.len(), remote.len()), (256, 256));
            assert_ne!(local, remote);
            for ciphertext in [&local, &remote] {
                assert_eq!(*key.decrypt(algorithm, ciphertext).unwrap(), b"a data key");
                assert_eq!(*key.unwrap_key(algorithm, ciphertext).unwrap(), b"a data key");
            }
            let stats = vault.emulator.stats();
            assert_eq!(stats.operation(Operation::Decrypt), 2, "{algorithm}");
            assert_eq!(stats.operation(Operation::UnwrapKey), 2, "{algorithm}");
            assert_eq!((stats.requests, stats.unauthorized), (5, 0), "{algorithm}");
        }
    }
}

#[test]
fn the_longest_plaintext_fits_and_a_longer_one_is_refused_without_a_request() {
    let vault = Vault::start();
    let key = rsa(&vault, "vault");
    let PublicKey::Rsa(public) = key.public_key() else { panic!("an RSA key") };
    for (algorithm, longest) in [(Rsa15, 245), (RsaOaep, 214), (RsaOaep256, 190)] {
        assert_eq!(algorithm.max_plaintext_len(public), longest);
        let plaintext = vec![7; longest + 1];
        for plaintext in [&plaintext[..longest], &[]] {
            let ciphertext = key.encrypt(algorithm, plaintext).unwrap();
            assert_eq!(*key.decrypt(algorithm, &ciphertext).unwrap(), plaintext, "{algorithm}");
        }
        vault.emulator.reset_stats();
        for error in [
            key.encrypt(algorithm, &plaintext).unwrap_err(),
            key.wrap_key(algorithm, &plaintext).unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Argument);
            assert!(error.to_string().contains(&format!("at most {longest} bytes")), "{error}");
        }
        assert_eq!(vault.emulator.stats().requests, 0);
    }
}

#[test]
fn invalid_combinations_are_refused_without_a_request() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
    let ec = vault.key(&[], "vault:myVault:ec").unwrap();
    let rsa = rsa(&vault, "vault");
    vault.emulator.reset_stats();
    for error in [
        ec.encrypt(RsaOaep, b"x").unwrap_err(),
        ec.wrap_key(RsaOaep, b"x").unwrap_err(),
        ec.unwrap_key(RsaOaep, &[0; 256]).unwrap_err(),
        ec.verify(Rs256, &DIGEST[..32], &[0; 64]).unwrap_err(),
        rsa.unwrap_key(RsaOaep, &[0; 255]).unwrap_err(),
        rsa.verify(Es256, &DIGEST[..32], &[0; 64]).unwrap_err(),
        rsa.verify(Rs256, &DIGEST[..20], &[0; 256]).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Argument, "{error}");
        assert!(error.to_string().starts_with("cannot "), "{error}");
    }
    assert_eq!(vault.emulator.stats().requests, 0);
}

#[test]
fn verification_is_local_and_rejects_everything_else() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::ec("ec", Curve::P384)).unwrap();
    let ec = vault.key(&[], "vault:myVault:ec").unwrap();
    let rsa = rsa(&vault, "vault");
    for (key, algorithm, len) in [(&ec, Es384, 48), (&rsa, Ps512, 64), (&rsa, Rs256, 32)] {
        let signature = key.sign(algorithm, &DIGEST[..len]).unwrap();
        vault.emulator.reset_stats();
        key.verify(algorithm, &DIGEST[..len], &signature).unwrap();
        let mut changed = signature.clone();
        changed[10] ^= 1;
        for wrong in [&changed[..], &signature[1..], &[]] {
            let error = key.verify(algorithm, &DIGEST[..len], wrong).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Signature, "{error}");
        }
        assert_eq!(vault.emulator.stats().requests, 0);
    }
}

#[test]
fn openssl_decrypts_what_we_encrypt() {
    let openssl = Openssl::new();
    openssl.run(&["genpkey", "-algorithm", "RSA", "-out", "key.pem"]);
    openssl.run(&["pkey", "-in", "key.pem", "-pubout", "-outform", "DER", "-out", "pub.der"]);
    let key = PublicKey::from_spki_der(&openssl.read("pub.der")).unwrap();
    for algorithm in EncryptionAlgorithm::ALL.iter().copied() {
        openssl.write("ciphertext", &key.encrypt(algorithm, b"from here").unwrap());
        let command = ["pkeyutl", "-decrypt", "-inkey", "key.pem", "-in", "ciphertext"];
        let plaintext = openssl.run(&[&command[..], padding(algorithm)].concat());
        assert_eq!(plaintext, b"from here", "{algorithm}");
    }
}

#[test]
fn the_vault_decrypts_what_openssl_encrypts() {
    let openssl = Openssl::new();
    openssl.write("plaintext", b"from openssl");
    for (vault, kind) in both() {
        let key = rsa(&vault, kind);
        openssl.write("pub.der", &key.public_key().to_spki_der());
        for algorithm in EncryptionAlgorithm::ALL.iter().copied() {
            let command = ["pkeyutl", "-encrypt", "-pubin", "-keyform", "DER", "-inkey", "pub.der"];
            let input = ["-in", "plaintext"];
            let ciphertext = openssl.run(&[&command[..], &input, padding(algorithm)].concat());
            assert_eq!(*key.unwrap_key(algorithm, &ciphertext).unwrap(), b"from openssl");
            assert_eq!(*key.decrypt(algorithm, &ciphertext).unwrap(), b"from openssl");
        }
    }
}

fn padding(algorithm: EncryptionAlgorithm) -> &'static [&'static str] {
    match algorithm {
        Rsa15 => &[],
        RsaOaep => &["-pkeyopt", "rsa_padding_mode:oaep"],
        _ => &[
            "-pkeyopt",
            "rsa_padding_mode:oaep",
            "-pkeyopt",
            "rsa_oaep_md:sha256",
            "-pkeyopt",
            "rsa_mgf1_md:sha256",
        ],
    }
}

#[test]
fn openssl_verifies_what_the_vault_signs() {
    let openssl = Openssl::new();
    for (vault, kind) in both() {
        let rsa = rsa(&vault, kind);
        for algorithm in [Rs256, Rs384, Rs512, Ps256, Ps384, Ps512] {
            let len = algorithm.digest_len().unwrap();
            let signature = rsa.sign(algorithm, &DIGEST[..len]).unwrap();
            let pss = matches!(algorithm, Ps256 | Ps384 | Ps512);
            verify(&openssl, &rsa, algorithm, &signature, pss);
        }
        for (name, curve, algorithm) in [
            ("p256", Curve::P256, Es256),
            ("p256k", Curve::P256K, Es256K),
            ("p384", Curve::P384, Es384),
            ("p521", Curve::P521, Es512),
        ] {
            vault.emulator.create_key(NewKey::ec(name, curve)).unwrap();
            let key = vault.key(&[], &format!("{kind}:myVault:{name}")).unwrap();
            let digest = &DIGEST[..algorithm.digest_len().unwrap()];
            let signature = key.sign(algorithm, digest).unwrap();
            verify(&openssl, &key, algorithm, &ecdsa::raw_to_der(&signature).unwrap(), false);
        }
    }
}

fn verify(openssl: &Openssl, key: &Key, algorithm: SignatureAlgorithm, sig: &[u8], pss: bool) {
    let len = algorithm.digest_len().unwrap();
    openssl.write("pub.der", &key.public_key().to_spki_der());
    openssl.write("digest", &DIGEST[..len]);
    openssl.write("signature", sig);
    let digest = format!("digest:sha{}", len * 8);
    let mut command = vec!["pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "pub.der"];
    command.extend(["-in", "digest", "-sigfile", "signature", "-pkeyopt", &digest]);
    if pss {
        command.extend(["-pkeyopt", "rsa_padding_mode:pss", "-pkeyopt", "rsa_pss_saltlen:digest"]);
    }
    openssl.run(&command);
}

#[test]
fn attributes_are_those_of_the_service_at_load() {
    let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
    for (vault, kind) in both() {
        let new = NewKey::ec("ec", Curve::P256)
            .hsm(kind == "managedHsm")
            .key_ops(["sign", "verify"])
            .not_before(at(1_600_000_000))
            .expires(at(4_000_000_000))
            .tag("owner", "www");
        let before = SystemTime::now() - Duration::from_secs(2);
        vault.emulator.create_key(new).unwrap();
        let key = vault.key(&[], &format!("{kind}:myVault:ec")).unwrap();
        let attributes = key.attributes().unwrap();
        assert!(attributes.enabled() && !attributes.exportable() && !attributes.managed());
        assert_eq!(attributes.not_before(), Some(at(1_600_000_000)));
        assert_eq!(attributes.expires(), Some(at(4_000_000_000)));
        assert!(attributes.created().unwrap() > before);
        assert_eq!(attributes.updated(), attributes.created());
        assert_eq!(attributes.operations().unwrap(), [KeyOperation::Sign, KeyOperation::Verify]);
        let expected = if kind == "vault" { KeyType::Ec } else { KeyType::EcHsm };
        assert_eq!(attributes.key_type(), Some(&expected));
        assert_eq!(attributes.recovery_level(), Some("Recoverable+Purgeable"));
        assert_eq!(attributes.recoverable_days(), Some(90));
        assert_eq!(attributes.tags()["owner"], "www");

        let loaded = vault.client(&[]).key_from_file(&key.key_file()).unwrap();
        assert!(loaded.attributes().is_none(), "no request was sent");
    }
}

#[test]
fn wrapping_retries_transient_failures() {
    let vault = Vault::start();
    let key = rsa(&vault, "vault");
    let wrapped = key.encrypt(RsaOaep256, b"k").unwrap();
    for kind in [
        FaultKind::Status { status: 503, retry_after: None },
        FaultKind::ResetAfterRequest,
        FaultKind::TruncatedBody,
        FaultKind::WrongShape,
    ] {
        vault.emulator.fault(Fault::new(kind.clone()).on(Operation::WrapKey));
        vault.emulator.fault(Fault::new(kind.clone()).on(Operation::UnwrapKey));
        assert_eq!(key.wrap_key(RsaOaep256, b"k").unwrap().len(), 256, "{kind:?}");
        assert_eq!(*key.unwrap_key(RsaOaep256, &wrapped).unwrap(), b"k", "{kind:?}");
    }
    vault.emulator.fault(Fault::new(FaultKind::Forbidden).on(Operation::UnwrapKey));
    let error = key.unwrap_key(RsaOaep256, &wrapped).unwrap_err();
    assert_eq!(error.status(), Some(403));
    let line = error.to_string();
    assert!(
        line.starts_with("cannot unwrap a key (RSA-OAEP-256) with vault:myVault:rsa"),
        "{line}"
    );
}
