//! Symmetric keys of a Managed HSM, checked with independent implementations and a known key.

use akv_core::{
    AesSize, CbcAlgorithm, ErrorKind, GcmAlgorithm, KeyType, KeyWrapAlgorithm, NewKey,
    blocking::{AnyKey, CbcStream, SymmetricKey},
};
use akv_emulator::{Curve, Fault, FaultKind, NewKey as Emulated, Operation, Persona};
use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use super::{Vault, import, openssl::Openssl};

const IV: [u8; 16] = [0x1f; 16];

/// A known key of this many bits.
fn known(vault: &Vault, bits: usize) -> (SymmetricKey, Vec<u8>) {
    let secret: Vec<u8> = (0..bits / 8).map(|n| (n * 37 + bits) as u8).collect();
    let k = BASE64_URL_SAFE_NO_PAD.encode(&secret);
    let name = format!("aes{bits}");
    import(vault, &name, &format!(r#"{{"key":{{"kty":"oct-HSM","k":"{k}"}}}}"#));
    let client = vault.client(&[]);
    let reference = client.reference(&format!("managedHsm:myHsm:{name}")).unwrap();
    (client.symmetric_key(&reference).unwrap(), secret)
}

/// RFC 3394 by RustCrypto.
fn wrap(kek: &[u8], key: &[u8]) -> Vec<u8> {
    use aes_kw::{KeyInit as _, KwAes128, KwAes192, KwAes256};
    let mut out = vec![0; key.len() + 8];
    match kek.len() {
        16 => KwAes128::new_from_slice(kek).unwrap().wrap_key(key, &mut out).unwrap(),
        24 => KwAes192::new_from_slice(kek).unwrap().wrap_key(key, &mut out).unwrap(),
        _ => KwAes256::new_from_slice(kek).unwrap().wrap_key(key, &mut out).unwrap(),
    };
    out
}

#[test]
fn key_files_open_both_kinds_of_keys() {
    let vault = Vault::of(Persona::ManagedHsm);
    let client = vault.client(&[]);
    let (aes, _) = known(&vault, 256);
    vault.emulator.create_key(Emulated::ec("pair", Curve::P256).hsm(true)).unwrap();
    let pair = client.key(&client.reference("managedHsm:myHsm:pair").unwrap()).unwrap();
    let before = vault.emulator.stats().requests;
    match client.any_key_from_file(&pair.key_file()).unwrap() {
        AnyKey::Asymmetric(found) => assert_eq!(found.public_key(), pair.public_key()),
        AnyKey::Symmetric(_) => panic!("a key pair"),
    }
    assert_eq!(vault.emulator.stats().requests, before, "the file is sufficient");
    match client.any_key_from_file(&aes.key_file()).unwrap() {
        AnyKey::Symmetric(found) => {
            assert_eq!(found.pinned_reference(), aes.pinned_reference());
            let wrapped = found.wrap_key(KeyWrapAlgorithm::A256Kw, &[7; 32]).unwrap();
            assert_eq!(*aes.unwrap_key(KeyWrapAlgorithm::A256Kw, &wrapped).unwrap(), [7; 32]);
        }
        AnyKey::Asymmetric(_) => panic!("a symmetric key"),
    }
}

#[test]
fn key_wrap_matches_rfc_3394() {
    let vault = Vault::of(Persona::ManagedHsm);
    for (bits, algorithm) in [
        (128, KeyWrapAlgorithm::A128Kw),
        (192, KeyWrapAlgorithm::A192Kw),
        (256, KeyWrapAlgorithm::A256Kw),
    ] {
        let (key, secret) = known(&vault, bits);
        for len in [16, 24, 32, 64, KeyWrapAlgorithm::MAX_LEN] {
            let data = vec![0xd5; len];
            let wrapped = key.wrap_key(algorithm, &data).unwrap();
            assert!(wrapped == wrap(&secret, &data), "{algorithm}: {len} bytes");
            assert!(
                *key.unwrap_key(algorithm, &wrapped).unwrap() == data,
                "{algorithm}: {len} bytes"
            );
            let mut changed = wrapped;
            changed[3] ^= 1;
            assert_eq!(key.unwrap_key(algorithm, &changed).unwrap_err().status(), Some(400));
        }
    }
}

#[test]
fn cbc_matches_openssl() {
    let vault = Vault::of(Persona::ManagedHsm);
    let openssl = Openssl::new();
    for (bits, bare, padded) in [
        (128, CbcAlgorithm::A128Cbc, CbcAlgorithm::A128CbcPad),
        (192, CbcAlgorithm::A192Cbc, CbcAlgorithm::A192CbcPad),
        (256, CbcAlgorithm::A256Cbc, CbcAlgorithm::A256CbcPad),
    ] {
        let (key, secret) = known(&vault, bits);
        let (cipher, secret, iv) =
            (format!("-aes-{bits}-cbc"), hex::encode(&secret), hex::encode(IV));
        for (algorithm, plaintext) in
            [(padded, &b"not whole"[..]), (padded, b""), (padded, &[7; 48]), (bare, &[7; 48])]
        {
            let ciphertext = key.encrypt(algorithm, &IV, plaintext).unwrap();
            openssl.write("plaintext", plaintext);
            let mut command = vec!["enc", &cipher, "-K", &secret, "-iv", &iv, "-in", "plaintext"];
            if !algorithm.pads() {
                command.push("-nopad");
            }
            assert_eq!(ciphertext, openssl.run(&command), "{algorithm}");
            assert_eq!(*key.decrypt(algorithm, &IV, &ciphertext).unwrap(), plaintext);
            let garbled = key.decrypt(algorithm, &[0; 16], &ciphertext);
            assert!(garbled.is_err() || *garbled.unwrap() != plaintext);
        }
    }
}

#[test]
fn the_size_of_a_key_is_detected_and_remembered() {
    let vault = Vault::of(Persona::ManagedHsm);
    for (bits, tried) in [(256, 1), (128, 2), (192, 3)] {
        let (key, secret) = known(&vault, bits);
        let data = [0x5d; 32];
        let wrapped = wrap(&secret, &data);
        let mut damaged = wrapped.clone();
        damaged[0] ^= 1;
        let requests = |operation: &dyn Fn()| {
            vault.emulator.reset_stats();
            operation();
            vault.emulator.stats().requests
        };
        // The size is unknown: each size is tried, and one error is returned.
        let unknown = key.clone();
        let asked = requests(&|| {
            let error = unknown.unwrap_key_auto(&damaged).unwrap_err();
            assert_eq!(error.status(), Some(400), "{error}");
            assert!(error.to_string().contains("A256KW or A128KW or A192KW"), "{error}");
        });
        assert_eq!(asked, 3);
        assert_eq!(requests(&|| assert_eq!(key.wrap_key_auto(&data).unwrap(), wrapped)), tried);
        assert_eq!(requests(&|| assert_eq!(*key.unwrap_key_auto(&wrapped).unwrap(), data)), 1);
        assert_eq!(requests(&|| assert!(key.unwrap_key_auto(&damaged).is_err())), 1);
        let wrong = requests(&|| {
            for len in [0, 8, 17, KeyWrapAlgorithm::MAX_LEN + 8] {
                let error = key.wrap_key_auto(&vec![0; len]).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Argument);
                assert!(error.to_string().contains(&format!("not {len}")), "{error}");
            }
        });
        assert_eq!(wrong, 0);
    }
}

#[test]
fn cbc_in_pieces_matches_cbc_at_once() {
    let vault = Vault::of(Persona::ManagedHsm);
    let openssl = Openssl::new();
    let (key, secret) = known(&vault, 192);
    let (secret, iv) = (hex::encode(&secret), hex::encode(IV));
    for (len, pads) in [(0, true), (5, true), (16, true), (48, false), (50, true), (40_000, true)] {
        let algorithm = CbcAlgorithm::A192Cbc.with_padding(pads);
        let plaintext: Vec<u8> = (0..len).map(|n| (n % 251) as u8).collect();
        openssl.write("plaintext", &plaintext);
        let mut command =
            vec!["enc", "-aes-192-cbc", "-K", &secret, "-iv", &iv, "-in", "plaintext"];
        if !pads {
            command.push("-nopad");
        }
        let expected = openssl.run(&command);
        for piece in [1, 15, 16, 17, 33, 20_000] {
            if len / piece > 100 {
                continue;
            }
            let pieces = |mut stream: CbcStream, data: &[u8]| {
                let mut output = Vec::new();
                for piece in data.chunks(piece) {
                    let promised = stream.output_len(piece.len());
                    let part = stream.update(piece).unwrap();
                    assert_eq!(part.len(), promised);
                    output.extend_from_slice(&part);
                }
                output.extend_from_slice(&stream.finish().unwrap());
                output
            };
            let ciphertext = pieces(key.encrypt_stream(algorithm, &IV), &plaintext);
            assert_eq!(ciphertext, expected, "{len} bytes in pieces of {piece}");
            assert_eq!(pieces(key.decrypt_stream(algorithm, &IV), &ciphertext), plaintext);
        }
    }
}

#[test]
fn a_failed_stream_can_be_continued() {
    let vault = Vault::of(Persona::ManagedHsm);
    let (key, _) = known(&vault, 256);
    let ciphertext = key.encrypt(CbcAlgorithm::A256CbcPad, &IV, &[7; 40]).unwrap();
    let mut stream = key.decrypt_stream(CbcAlgorithm::A256CbcPad, &IV);
    let mut plaintext = stream.update(&ciphertext[..30]).unwrap().to_vec();
    vault.emulator.fault(Fault::new(FaultKind::Forbidden).on(Operation::Decrypt));
    assert_eq!(stream.update(&ciphertext[30..]).unwrap_err().status(), Some(403));
    plaintext.extend_from_slice(&stream.update(&ciphertext[30..]).unwrap());
    plaintext.extend_from_slice(&stream.finish().unwrap());
    assert_eq!(plaintext, [7; 40]);

    // A partial block is an error without a request, and wrong padding is reported.
    let mut short = key.decrypt_stream(CbcAlgorithm::A256CbcPad, &IV);
    short.update(&ciphertext[..30]).unwrap();
    vault.emulator.reset_stats();
    let error = short.finish().unwrap_err();
    assert!(error.to_string().contains("14 are left over"), "{error}");
    let mut bare = key.encrypt_stream(CbcAlgorithm::A256Cbc, &IV);
    bare.update(&[1; 3]).unwrap();
    assert_eq!(bare.finish().unwrap_err().kind(), ErrorKind::Argument);
    assert_eq!(vault.emulator.stats().requests, 0);
    let mut garbled = key.decrypt_stream(CbcAlgorithm::A256CbcPad, &[0xff; 16]);
    garbled.update(&ciphertext[..16]).unwrap();
    let error = garbled.finish().unwrap_err();
    assert!(error.to_string().contains("invalid padding"), "{error}");
}

#[test]
fn gcm_authenticates_text_and_additional_data() {
    let vault = Vault::of(Persona::ManagedHsm);
    for (bits, algorithm, local) in [
        (128, GcmAlgorithm::A128Gcm, &aead::AES_128_GCM),
        (192, GcmAlgorithm::A192Gcm, &aead::AES_192_GCM),
        (256, GcmAlgorithm::A256Gcm, &aead::AES_256_GCM),
    ] {
        let (key, secret) = known(&vault, bits);
        for aad in [&b""[..], b"header"] {
            let sealed = key.seal(algorithm, b"plaintext", aad).unwrap();
            assert_eq!(sealed.ciphertext.len(), 9);
            assert_eq!(*key.open(algorithm, &sealed, aad).unwrap(), b"plaintext");

            let known = LessSafeKey::new(UnboundKey::new(local, &secret).unwrap());
            let nonce = Nonce::try_assume_unique_for_key(&sealed.iv[..12]).unwrap();
            let mut joined = [sealed.ciphertext.clone(), sealed.tag.clone()].concat();
            let opened = known.open_in_place(nonce, Aad::from(aad), &mut joined).unwrap();
            assert_eq!(opened, b"plaintext");

            assert!(key.open(algorithm, &sealed, b"other").is_err());
            let mut changed = sealed.clone();
            changed.tag[0] ^= 1;
            assert_eq!(key.open(algorithm, &changed, aad).unwrap_err().status(), Some(400));
            let mut nonce_only = sealed;
            nonce_only.iv.truncate(12);
            assert_eq!(*key.open(algorithm, &nonce_only, aad).unwrap(), b"plaintext");
        }
    }
}

#[test]
fn invalid_lengths_are_refused_without_a_request() {
    let vault = Vault::of(Persona::ManagedHsm);
    let (key, _) = known(&vault, 256);
    let sealed = key.seal(GcmAlgorithm::A256Gcm, b"x", b"").unwrap();
    vault.emulator.reset_stats();
    let (mut short_iv, mut short_tag) = (sealed.clone(), sealed);
    short_iv.iv.truncate(11);
    short_tag.tag.truncate(15);
    for error in [
        key.wrap_key(KeyWrapAlgorithm::A256Kw, &[0; 8]).unwrap_err(),
        key.wrap_key(KeyWrapAlgorithm::A256Kw, &[0; 17]).unwrap_err(),
        key.unwrap_key(KeyWrapAlgorithm::A256Kw, &[0; 16]).unwrap_err(),
        key.encrypt(CbcAlgorithm::A256Cbc, &IV, &[0; 15]).unwrap_err(),
        key.encrypt(CbcAlgorithm::A256Cbc, &IV, &[]).unwrap_err(),
        key.decrypt(CbcAlgorithm::A256CbcPad, &IV, &[0; 15]).unwrap_err(),
        key.open(GcmAlgorithm::A256Gcm, &short_iv, b"").unwrap_err(),
        key.open(GcmAlgorithm::A256Gcm, &short_tag, b"").unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Argument, "{error}");
        assert!(error.to_string().contains("with managedHsm:myHsm:aes256"), "{error}");
    }
    assert_eq!(vault.emulator.stats().requests, 0);
    // Only the service can check the key's size.
    let error = key.wrap_key(KeyWrapAlgorithm::A128Kw, &[0; 16]).unwrap_err();
    assert_eq!(error.status(), Some(400), "{error}");
}

#[test]
fn each_kind_of_key_opens_as_its_own_type() {
    let vault = Vault::of(Persona::ManagedHsm);
    let client = vault.client(&[]);
    let made = client.vault(&client.reference("managedHsm:myHsm:").unwrap()).unwrap();
    let kek = made.create("kek", NewKey::aes(AesSize::Bits192)).unwrap();
    assert_eq!(kek.attributes().unwrap().key_type(), Some(&KeyType::OctHsm));
    let wrapped = kek.wrap_key(KeyWrapAlgorithm::A192Kw, &[5; 16]).unwrap();
    vault.emulator.create_key(Emulated::ec("ec", Curve::P256)).unwrap();
    let ec = kek.reference().with_key("ec").unwrap();

    let error = client.key(kek.reference()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let line = error.to_string();
    assert!(line.contains("symmetric key") && line.contains("SymmetricKey"), "{line}");
    let error = client.symmetric_key(&ec).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("not a symmetric key but P-256"), "{error}");

    assert!(matches!(client.any_key(&ec).unwrap(), AnyKey::Asymmetric(_)));
    let AnyKey::Symmetric(again) = client.any_key(kek.reference()).unwrap() else {
        panic!("a symmetric key");
    };
    assert_eq!(*again.unwrap_key(KeyWrapAlgorithm::A192Kw, &wrapped).unwrap(), [5; 16]);
}

#[test]
fn the_version_stays_pinned_through_a_rotation() {
    let vault = Vault::of(Persona::ManagedHsm);
    let client = vault.client(&[]);
    let made = client.vault(&client.reference("managedHsm:myHsm:").unwrap()).unwrap();
    let old = made.create("kek", NewKey::aes(AesSize::Bits256)).unwrap();
    let wrapped = old.wrap_key(KeyWrapAlgorithm::A256Kw, &[5; 16]).unwrap();
    made.rotate("kek").unwrap();
    assert_eq!(*old.unwrap_key(KeyWrapAlgorithm::A256Kw, &wrapped).unwrap(), [5; 16]);
    let new = client.symmetric_key(old.reference()).unwrap();
    assert_ne!(new.version(), old.version());
    assert!(new.unwrap_key(KeyWrapAlgorithm::A256Kw, &wrapped).is_err());
    let named = client.symmetric_key(old.pinned_reference()).unwrap();
    assert_eq!(named.version(), old.version());
}
