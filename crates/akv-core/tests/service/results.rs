//! Results without faults, and the number of requests for them.

use std::time::{Duration, Instant};

use akv_core::{
    EncryptionAlgorithm, ErrorKind, PublicKey,
    SignatureAlgorithm::{self, *},
};
use akv_emulator::{Curve, Fault, FaultKind, NewKey, Operation, Persona};

use super::{Vault, encrypt};

const DIGEST: [u8; 64] = [0x5a; 64];

fn digest(algorithm: SignatureAlgorithm) -> &'static [u8] {
    &DIGEST[..algorithm.digest_len().unwrap_or(51)]
}

#[test]
fn every_algorithm_signs_on_both_services() {
    for (persona, kind) in [(Persona::Vault, "vault"), (Persona::ManagedHsm, "managedHsm")] {
        let vault = Vault::of(persona);
        let hsm = persona == Persona::ManagedHsm;
        vault.emulator.create_key(NewKey::rsa("rsa", 2048).hsm(hsm)).unwrap();
        for (name, curve) in [
            ("p256", Curve::P256),
            ("p256k", Curve::P256K),
            ("p384", Curve::P384),
            ("p521", Curve::P521),
        ] {
            vault.emulator.create_key(NewKey::ec(name, curve).hsm(hsm)).unwrap();
        }
        for (name, algorithms) in [
            ("rsa", &[Rs256, Rs384, Rs512, Ps256, Ps384, Ps512][..]),
            ("p256", &[Es256]),
            ("p256k", &[Es256K]),
            ("p384", &[Es384]),
            ("p521", &[Es512]),
        ] {
            let key = vault.key(&[], &format!("{kind}:myVault:{name}")).unwrap();
            for algorithm in algorithms {
                let digest = digest(*algorithm);
                let signature = key.sign(*algorithm, digest).unwrap();
                key.public_key().verify_digest(*algorithm, digest, &signature).unwrap();
                let mut other = digest.to_vec();
                other[0] ^= 1;
                let wrong = key.public_key().verify_digest(*algorithm, &other, &signature);
                assert_eq!(wrong.unwrap_err().kind(), ErrorKind::Signature, "{algorithm}");
            }
        }
    }
}

#[test]
fn rsnull_works_on_vaults_and_is_refused_for_managed_hsm_without_a_request() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::rsa("rsa", 2048)).unwrap();
    let key = vault.key(&[], "vault:myVault:rsa").unwrap();
    key.sign(RsNull, digest(RsNull)).unwrap();
    assert_eq!(key.sign(RsNull, &[0; 246]).unwrap_err().kind(), ErrorKind::Argument);

    let hsm = Vault::of(Persona::ManagedHsm);
    hsm.emulator.create_key(NewKey::rsa("rsa", 2048)).unwrap();
    let key = hsm.key(&[], "managedHsm:myHsm:rsa").unwrap();
    let requests = hsm.emulator.stats().requests;
    assert_eq!(key.sign(RsNull, digest(RsNull)).unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(hsm.emulator.stats().requests, requests);
}

/// Checked with aws-lc-rs, which hashes the message itself.
#[test]
fn digest_info_is_signed_by_the_algorithm_that_fits() {
    use aws_lc_rs::signature::{
        RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256,
        RSA_PKCS1_2048_8192_SHA384, UnparsedPublicKey,
    };
    use sha2::{Digest as _, Sha256, Sha384};
    let info = |oid: &[u8], digest: &[u8]| {
        let algorithm = [&[0x06, oid.len() as u8], oid, &[0x05, 0x00]].concat();
        let body =
            [&[0x30, algorithm.len() as u8], &algorithm[..], &[0x04, digest.len() as u8], digest];
        let body = body.concat();
        [&[0x30, body.len() as u8], &body[..]].concat()
    };
    const SHA2: [u8; 8] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
    let sha256 = info(&[&SHA2[..], &[1]].concat(), &Sha256::digest(b"all of it"));
    let sha384 = info(&[&SHA2[..], &[2]].concat(), &Sha384::digest(b"all of it"));
    let sha1 =
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, b"all of it");
    let sha1 = info(&[0x2b, 0x0e, 0x03, 0x02, 0x1a], sha1.as_ref());

    let vault = Vault::start();
    vault.emulator.create_key(NewKey::rsa("rsa", 2048)).unwrap();
    let key = vault.key(&[], "vault:myVault:rsa").unwrap();
    let hsm = Vault::of(Persona::ManagedHsm);
    hsm.emulator.create_key(NewKey::rsa("rsa", 2048)).unwrap();
    let hsm_key = hsm.key(&[], "managedHsm:myHsm:rsa").unwrap();
    for (value, algorithm, there) in [
        (&sha256, &RSA_PKCS1_2048_8192_SHA256, true),
        (&sha384, &RSA_PKCS1_2048_8192_SHA384, true),
        (&sha1, &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, false),
    ] {
        for (key, signs) in [(&key, true), (&hsm_key, there)] {
            assert_eq!(key.check_pkcs1(value).is_ok(), signs);
            match key.sign_pkcs1(value) {
                Ok(signature) => {
                    let public = key.public_key().to_spki_der();
                    let public = UnparsedPublicKey::new(algorithm, public);
                    public.verify(b"all of it", &signature).unwrap();
                    assert!(signs);
                }
                Err(error) => {
                    assert!(!signs, "{error}");
                    assert_eq!(error.kind(), ErrorKind::Unsupported);
                    assert!(error.to_string().contains("not SHA-1"), "{error}");
                }
            }
        }
    }
    let requests = vault.emulator.stats().requests;
    let error = key.sign_pkcs1(&[1; 246]).unwrap_err();
    assert!(error.to_string().contains("the maximum is 245"), "{error}");
    assert_eq!(vault.emulator.stats().requests, requests);
}

#[test]
fn ecdsa_accepts_digests_of_every_length() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
    vault.emulator.create_key(NewKey::rsa("rsa", 2048)).unwrap();
    let key = vault.key(&[], "vault:myVault:ec").unwrap();
    for len in [20, 32, 48, 64] {
        let signature = key.sign_ecdsa(&DIGEST[..len]).unwrap();
        let fitted = match len {
            20 => [&[0; 12][..], &DIGEST[..20]].concat(),
            _ => DIGEST[..32].to_vec(),
        };
        key.verify(Es256, &fitted, &signature).unwrap();
    }
    let rsa = vault.key(&[], "vault:myVault:rsa").unwrap();
    assert_eq!(rsa.sign_ecdsa(&DIGEST[..32]).unwrap_err().kind(), ErrorKind::Argument);
}

#[test]
fn invalid_algorithms_and_lengths_are_refused_without_a_request() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::ec("ec", Curve::P384)).unwrap();
    vault.emulator.create_key(NewKey::rsa("rsa", 2048)).unwrap();
    let ec = vault.key(&[], "vault:myVault:ec").unwrap();
    let rsa = vault.key(&[], "vault:myVault:rsa").unwrap();
    let requests = vault.emulator.stats().requests;
    for (key, algorithm, len) in
        [(&ec, Es256, 32), (&ec, Rs256, 32), (&ec, Es384, 32), (&rsa, Es384, 48), (&rsa, Rs256, 20)]
    {
        let error = key.sign(algorithm, &DIGEST[..len]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Argument, "{error}");
    }
    assert!(rsa.decrypt(EncryptionAlgorithm::RsaOaep, &[0; 255]).is_err());
    assert!(ec.decrypt(EncryptionAlgorithm::RsaOaep, &[0; 256]).is_err());
    assert_eq!(vault.emulator.stats().requests, requests);
}

#[test]
fn messages_are_hashed_with_the_algorithms_own_digest() {
    use sha2::{Digest as _, Sha384};
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::rsa("rsa", 2048)).unwrap();
    let key = vault.key(&[], "vault:myVault:rsa").unwrap();
    let signature = key.sign_message(Ps384, b"all of it").unwrap();
    key.verify(Ps384, &Sha384::digest(b"all of it"), &signature).unwrap();
    assert_eq!(key.sign_message(RsNull, b"it").unwrap_err().kind(), ErrorKind::Argument);
}

#[test]
fn a_ciphertext_of_another_implementation_decrypts() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::rsa("rsa", 2048)).unwrap();
    let key = vault.key(&[], "vault:myVault:rsa").unwrap();
    let ciphertext = encrypt(key.public_key(), b"plain");
    let plaintext = key.decrypt(EncryptionAlgorithm::RsaOaep256, &ciphertext).unwrap();
    assert_eq!(plaintext.as_slice(), b"plain");
}

#[test]
fn many_signatures_take_one_connection_and_no_challenge() {
    for persona in [Persona::Vault, Persona::ManagedHsm] {
        let vault = Vault::of(persona);
        vault.emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
        let key = vault.key(&[], "vault:myVault:ec");
        let key = key.or_else(|_| vault.key(&[], "managedHsm:myVault:ec")).unwrap();
        vault.emulator.reset_stats();
        for _ in 0..200 {
            key.sign(Es256, &DIGEST[..32]).unwrap();
        }
        let stats = vault.emulator.stats();
        assert_eq!((stats.sign, stats.requests, stats.unauthorized), (200, 200, 0));
        assert!(stats.connections <= 1, "{} connections", stats.connections);
    }
}

#[test]
fn threads_share_connections() {
    let vault = Vault::of(Persona::ManagedHsm);
    vault.emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
    let key = vault.key(&[], "managedHsm:myHsm:ec").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..25 {
                    key.sign(Es256, &DIGEST[..32]).unwrap();
                }
            });
        }
    });
    // HTTP/1.1: at most one connection per thread, plus unneeded ones from a race.
    let stats = vault.emulator.stats();
    assert_eq!(stats.sign, 200);
    assert!(stats.connections <= 20, "{} connections", stats.connections);
}

#[test]
fn the_version_stays_pinned_through_a_rotation() {
    let vault = Vault::start();
    let first = vault.emulator.create_key(NewKey::rsa("rsa", 2048)).unwrap();
    let old = vault.key(&[], "vault:myVault:rsa").unwrap();
    assert_eq!(old.version(), first.version);
    let second = vault.emulator.rotate_key("rsa").unwrap();
    let signature = old.sign(Rs256, &DIGEST[..32]).unwrap();
    old.public_key().verify_digest(Rs256, &DIGEST[..32], &signature).unwrap();

    let new = vault.key(&[], "vault:myVault:rsa").unwrap();
    assert_eq!(new.version(), second.version);
    assert_ne!(new.public_key(), old.public_key());
    let named = vault.key(&[], &format!("vault:myVault:rsa:{}", first.version)).unwrap();
    assert_eq!(named.public_key(), old.public_key());
}

#[test]
fn a_complete_key_file_costs_no_request() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::rsa("rsa", 2048)).unwrap();
    let key = vault.key(&[], "vault:myVault:rsa").unwrap();
    let file = akv_core::KeyFile::from_pem(key.key_file().to_pem().as_bytes()).unwrap().unwrap();
    vault.emulator.reset_stats();
    let loaded = vault.client(&[]).key_from_file(&file).unwrap();
    assert_eq!(vault.emulator.stats().requests, 0);
    assert_eq!(loaded.public_key(), key.public_key());
    loaded.sign(Rs256, &DIGEST[..32]).unwrap();
    assert_eq!(vault.emulator.stats().operation(Operation::GetKey), 0);
}

#[test]
fn the_public_key_is_the_vaults() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::rsa("rsa", 3072)).unwrap();
    let key = vault.key(&[], "vault:myVault:rsa").unwrap();
    assert_eq!(key.public_key().bits(), 3072);
    let PublicKey::Rsa(rsa) = key.public_key() else { panic!("an RSA key") };
    assert_eq!(rsa.exponent(), [1, 0, 1]);
}

#[test]
fn a_warm_key_file_has_token_and_connection_before_its_first_operation() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
    let file = vault.key(&[], "vault:myVault:ec").unwrap().key_file();
    vault.emulator.reset_stats();
    let key = vault.client(&[("warm", "yes")]).key_from_file(&file).unwrap();
    let start = Instant::now();
    while vault.emulator.stats().get_key < 1 {
        assert!(start.elapsed() < Duration::from_secs(10), "nothing was warmed up");
        std::thread::park_timeout(Duration::from_millis(2));
    }
    let before = vault.emulator.stats().connections;
    key.sign(Es256, &DIGEST[..32]).unwrap();
    let stats = vault.emulator.stats();
    assert_eq!((before, stats.connections, stats.get_key, stats.sign), (1, 1, 1, 1));
}

#[test]
fn a_slow_response_is_hedged_if_the_setting_is_on() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::rsa("rsa", 2048)).unwrap();
    // Far less than the deadline of the first request, which never gets a response.
    let hedging = ("hedge-after", "20ms");
    for (options, requests) in [
        (vec![hedging], 2),
        (vec![hedging, ("max-concurrency", "1"), ("timeout", "1s")], 1),
        (vec![("timeout", "1s")], 1),
    ] {
        let client = vault.client(&options);
        let key = client.key(&client.reference("vault:myVault:rsa").unwrap()).unwrap();
        vault.emulator.reset_stats();
        vault.emulator.fault(Fault::new(FaultKind::Hang).on(Operation::Sign));
        let outcome = key.sign(Rs256, &DIGEST[..32]);
        vault.emulator.clear_faults();
        assert_eq!(vault.emulator.stats().sign, requests, "{options:?}");
        assert_eq!(client.counters().hedges, requests - 1, "{options:?}");
        match requests {
            2 => assert!(outcome.is_ok(), "{outcome:?}"),
            _ => assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Timeout),
        }
    }
}

#[test]
fn counters_count_operations_failures_and_retries() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
    let client = vault.client(&[("timeout", "5s")]);
    let key = client.key(&client.reference("vault:myVault:ec").unwrap()).unwrap();
    vault.emulator.fault(Fault::status(503).on(Operation::Sign));
    vault.emulator.fault(Fault::throttled().on(Operation::Sign));
    key.sign(Es256, &DIGEST[..32]).unwrap();
    vault.emulator.fault(Fault::new(FaultKind::Forbidden).on(Operation::Sign));
    key.sign(Es256, &DIGEST[..32]).unwrap_err();
    let counters = client.counters();
    assert_eq!((counters.operations, counters.failures), (3, 1));
    assert_eq!((counters.retries, counters.throttled), (2, 1));
    assert_eq!((counters.token_refreshes, counters.in_flight), (1, 0));
    assert_eq!(counters.connections, vault.emulator.stats().connections);
}

#[test]
fn callers_before_the_first_connection_share_it() {
    for (persona, kind, most) in
        [(Persona::Vault, "vault", 1), (Persona::ManagedHsm, "managedHsm", 16)]
    {
        let vault = Vault::of(persona);
        vault.emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
        let reference = format!("{kind}:myVault:ec");
        let file = vault.key(&[], &reference).unwrap().key_file().to_pem();
        let file = akv_core::KeyFile::from_pem(file.as_bytes()).unwrap().unwrap();
        let key = vault.client(&[]).key_from_file(&file).unwrap();
        vault.emulator.reset_stats();
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| key.sign(Es256, &DIGEST[..32]).unwrap());
            }
        });
        let stats = vault.emulator.stats();
        assert_eq!(stats.sign, 16);
        assert!(stats.connections <= most, "{} connections to {persona:?}", stats.connections);
    }
}
