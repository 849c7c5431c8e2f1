//! `akv encrypt`, `decrypt`, `wrap` and `unwrap`.

use std::{fs, os::unix::fs::PermissionsExt as _};

use akv_emulator::{NewKey, Persona};

use crate::{World, failed};

#[test]
fn ciphertexts_of_openssl_are_decrypted_to_a_private_file() {
    let world = World::with_keys();
    world.write("plain", "a secret");
    world.ok("pem vault:v-1:rsa --public -o public.pem");
    world.openssl("pkeyutl -encrypt -pubin -inkey public.pem -in plain -out sealed -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_mgf1_md:sha256");
    world.ok("decrypt vault:v-1:rsa sealed -o opened");
    assert_eq!(world.read("opened"), b"a secret");
    let mode = fs::metadata(world.path("opened")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(world.ok("decrypt vault:v-1:rsa sealed").stdout, b"a secret");
    // With an output file, the JSON contains no secret.
    let output = world.json("decrypt vault:v-1:rsa sealed -o again");
    assert_eq!(output["result"], serde_json::Value::Null);
    for algorithm in ["RSA-OAEP-256", "RSA-OAEP", "RSA1_5"] {
        world.ok(&format!("encrypt vault:v-1:rsa plain -a {algorithm} -o sealed --force"));
        let opened = world.ok(&format!("decrypt vault:v-1:rsa sealed -a {algorithm}"));
        assert_eq!(opened.stdout, b"a secret", "{algorithm}");
    }
}

#[test]
fn rsa_keys_wrap_and_unwrap() {
    let world = World::with_keys();
    world.write("key", [9; 32]);
    world.vault.reset_stats();
    world.ok("wrap vault:v-1:rsa key -o wrapped");
    assert_eq!(world.vault.stats().requests, 1, "the key is requested and nothing else");
    assert_eq!(world.ok("unwrap vault:v-1:rsa wrapped").stdout, [9; 32]);
    let error = world.fails("wrap vault:v-1:p256 key", 2);
    assert!(error.contains("needs an RSA key"), "{error}");
}

#[test]
fn symmetric_keys_of_a_managed_hsm_encrypt_and_wrap() {
    let world = World::of(Persona::ManagedHsm);
    world.vault.create_key(NewKey::oct("dek", 256)).unwrap();
    world.write("plain", "sixteen bytes 16");
    for (algorithm, overhead) in [("A256GCM", 32), ("A256CBC", 16), ("A256CBCPAD", 32)] {
        world.ok(&format!("encrypt managedHsm:hsm:dek plain -a {algorithm} -o sealed --force"));
        assert_eq!(world.read("sealed").len(), 16 + overhead, "{algorithm}");
        let opened = world.ok(&format!("decrypt managedHsm:hsm:dek sealed -a {algorithm}"));
        assert_eq!(opened.stdout, b"sixteen bytes 16", "{algorithm}");
    }
    world.ok("encrypt managedHsm:hsm:dek plain --aad name -o sealed --force");
    assert_eq!(
        world.ok("decrypt managedHsm:hsm:dek sealed --aad name").stdout,
        b"sixteen bytes 16"
    );
    let other = world.akv("decrypt managedHsm:hsm:dek sealed --aad other").run().unwrap();
    assert_eq!(other.status.code(), Some(5), "{}", other.describe());
    let error = world.fails("encrypt managedHsm:hsm:dek plain --aad name -a A256CBCPAD", 2);
    assert!(error.contains("does not authenticate"), "{error}");

    world.write("key", [9; 32]);
    world.ok("wrap managedHsm:hsm:dek key -o wrapped");
    assert_eq!(world.read("wrapped").len(), 40);
    assert_eq!(world.ok("unwrap managedHsm:hsm:dek wrapped").stdout, [9; 32]);
    for form in ["", " --pkcs8"] {
        world.ok(&format!("pem managedHsm:hsm:dek -f -o dek.pem{form}"));
        assert_eq!(world.ok("unwrap dek.pem wrapped").stdout, [9; 32], "{form}");
    }
    let error = world.fails("pem managedHsm:hsm:dek --public", 2);
    assert!(error.contains("no public half"), "{error}");
}

#[test]
fn invalid_input_sends_no_request() {
    let world = World::with_keys();
    world.vault.reset_stats();
    world.write("taken", "");
    for (line, code) in [
        ("decrypt vault:v-1:rsa none", 3),
        ("sign vault:v-1:rsa none", 3),
        ("verify vault:v-1:rsa ca.pem -s none", 3),
        ("sign vault:v-1:rsa ca.pem -o taken", 3),
        ("decrypt vault:v-1:rsa ca.pem -o taken", 3),
        ("sign vault:v_1:rsa ca.pem", 2),
        ("sign vault:v-1:rsa ca.pem -a RS1", 2),
        ("sign vault:v-1:rsa --digest 0x", 2),
        ("sign ca.pem --digest 00", 2),
        ("sign vault:v-1:rsa ca.pem --timeout soon", 2),
        ("key list vault:v-1:rsa --endpoint http://127.0.0.1:1", 2),
        ("key rotate vault:v-1:", 2),
        ("cert csr vault:v-1:rsa -s nonsense", 2),
        ("cert csr vault:v-1:rsa -s CN=a --san a:b", 2),
    ] {
        let error = failed(world.akv(line), code);
        assert!(!error.is_empty(), "{line}");
    }
    assert_eq!(world.vault.stats().requests, 0);
}
