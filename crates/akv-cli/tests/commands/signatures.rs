//! `akv sign` and `akv verify`; `openssl` also verifies and creates signatures.

use akv_emulator::{Curve, NewKey};
use serde_json::json;

use crate::World;

const ALGORITHMS: [(&str, &str, &str, &str); 7] = [
    ("rsa", "RS256", "sha256", ""),
    ("rsa", "RS512", "sha512", ""),
    ("rsa", "PS256", "sha256", "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest"),
    ("rsa", "PS384", "sha384", "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest"),
    ("p256", "ES256", "sha256", ""),
    ("p384", "ES384", "sha384", ""),
    ("p521", "ES512", "sha512", ""),
];

fn world() -> World {
    let world = World::with_keys();
    world.vault.create_key(NewKey::ec("p384", Curve::P384)).unwrap();
    world.vault.create_key(NewKey::ec("p521", Curve::P521)).unwrap();
    world.write("data", vec![7; 200_000]);
    world
}

#[test]
fn signatures_verify_with_openssl_and_akv() {
    let world = world();
    for (key, algorithm, digest, options) in ALGORITHMS {
        world.ok(&format!("pem vault:v-1:{key} --public --force -o public.pem"));
        world.ok(&format!("sign vault:v-1:{key} data -a {algorithm} --force -o signature"));
        let verify =
            format!("dgst -{digest} -verify public.pem -signature signature {options} data");
        assert_eq!(world.openssl(&verify), "Verified OK\n", "{algorithm}");
        let output = world.ok(&format!("verify vault:v-1:{key} data -a {algorithm} -s signature"));
        assert!(output.text().starts_with("good signature"), "{}", output.text());
    }
}

#[test]
fn defaults_fit_the_key() {
    let world = world();
    for (key, algorithm, format) in
        [("rsa", "RS256", "raw"), ("p256", "ES256", "der"), ("p521", "ES512", "der")]
    {
        let json = world.json(&format!("sign vault:v-1:{key} data"));
        assert_eq!((&json["algorithm"], &json["format"]), (&json!(algorithm), &json!(format)));
    }
}

#[test]
fn digests_formats_and_encodings_are_accepted() {
    let world = world();
    let digest = world.openssl("dgst -sha256 -r data");
    let digest = digest.split_whitespace().next().unwrap();
    world.ok(&format!("sign vault:v-1:p256 --digest {digest} --format raw --encoding hex -o raw"));
    assert_eq!(world.read("raw").len(), 2 * 64 + 1);
    world.ok("verify vault:v-1:p256 data -s raw --encoding hex");
    world.ok(&format!("verify vault:v-1:p256 --digest {digest} -s raw --encoding hex"));
    let base64 = world.akv("sign vault:v-1:p256 --encoding base64").input(world.read("data"));
    world.write("der", base64.ok().unwrap().stdout);
    world.ok("verify vault:v-1:p256 data -s der --encoding base64");
    assert!(world.fails("sign vault:v-1:p256 --digest 0011", 2).contains("32 bytes"));
    assert!(
        world.fails("sign vault:v-1:p256 data -a RS256", 2).contains("cannot be used with this")
    );
}

#[test]
fn bad_signatures_have_exit_code_1() {
    let world = world();
    world.ok("sign vault:v-1:p256 data -o signature");
    world.write("other", "other");
    for (key, file, code) in [("p256", "data", 0), ("p256", "other", 1), ("rsa", "data", 1)] {
        let line = format!("verify vault:v-1:{key} {file} -s signature --json");
        let output = world.akv(&line).run().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", output.describe());
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(json["verified"], code == 0, "{key} {file}");
        assert_eq!(output.stderr, "");
    }
}

#[test]
fn key_files_verify_without_a_request_and_sign_with_one() {
    let world = world();
    world.ok("pem vault:v-1:p256 -o site.key");
    world.vault.reset_stats();
    world.ok("sign ./site.key data -o signature");
    assert_eq!(world.vault.stats().requests, 1);
    world.bare("verify ./site.key data -s signature").ok().unwrap();
    assert_eq!(world.vault.stats().requests, 1);
}
