//! `akv key` and `akv pem`.

use akv_emulator::{Fault, FaultKind, NewKey, Operation, Persona};
use serde_json::json;

use crate::{World, failed};

#[test]
fn keys_are_created_listed_shown_and_rotated() {
    let world = World::new();
    let made = world.json("key create vault:v-1:web --type ec-p384 --ops sign,verify --tag owner=www --expires 2099-12-31");
    assert_eq!(made["kind"], "EC P-384");
    assert_eq!((&made["curve"], &made["bits"]), (&json!("P-384"), &json!(384)));
    assert_eq!(made["operations"], json!(["sign", "verify"]));
    assert_eq!(made["expires"], "2099-12-31T00:00:00Z");
    assert_eq!(made["tags"], json!({ "owner": "www" }));
    // One request to check the name, one to create the key.
    assert_eq!(made["counters"]["operations"], 2);

    let rotated = world.json("key rotate vault:v-1:web");
    assert_ne!(rotated["version"], made["version"]);
    let shown = world.json("key show vault:v-1:web");
    assert_eq!(shown["version"], rotated["version"]);
    let old = world.json(&format!("key show {}", made["reference"].as_str().unwrap()));
    assert_eq!(old["publicKey"], made["publicKey"]);

    world.ok("key create vault:v-1:other --type rsa-2048 --disabled");
    let keys = world.json("key list vault:v-1:");
    let names: Vec<_> = keys["keys"].as_array().unwrap().iter().map(|key| &key["name"]).collect();
    assert_eq!(names, ["other", "web"]);
    assert_eq!(keys["keys"][0]["enabled"], false);
    let versions = world.json("key list vault:v-1:web");
    assert_eq!(versions["keys"].as_array().unwrap().len(), 2);

    let text = world.ok("key show vault:v-1:web -v");
    assert!(text.text().contains("EC P-384") && text.text().contains("BEGIN PUBLIC KEY"));
    assert!(text.stderr.contains("1 operations") && text.stderr.contains("1 connections"));
    let list = world.ok("key list vault:v-1:").text();
    assert!(list.lines().any(|line| line.contains("vault:v-1:other") && line.contains("disabled")));
    assert!(!list.contains('\u{1b}'), "no colours in a pipe");
}

#[test]
fn an_existing_name_is_refused_without_new_version() {
    let world = World::with_keys();
    let error = world.fails("key create vault:v-1:p256 --type ec-p256", 2);
    assert!(error.contains("already exists") && error.contains("--new-version"), "{error}");
    let before = world.json("key show vault:v-1:p256");
    let made = world.json("key create vault:v-1:p256 --type ec-p256 --new-version");
    assert_ne!(made["version"], before["version"]);
}

#[test]
fn a_managed_hsm_has_symmetric_keys() {
    let world = World::of(Persona::ManagedHsm);
    let made = world.json("key create managedHsm:my-hsm:kek --type aes-256");
    assert_eq!((&made["type"], &made["hardware"]), (&json!("oct-HSM"), &json!(true)));
    assert!(world.ok("key show managedHsm:my-hsm:kek").text().contains("oct-HSM"));
    let error = World::new().fails("key create vault:v-1:kek --type aes-256", 2);
    assert!(error.contains("a vault does not support symmetric keys"), "{error}");
}

#[test]
fn an_uncertain_change_has_its_own_exit_code() {
    let world = World::with_keys();
    world.vault.fault(Fault::new(FaultKind::ResetAfterRequest).on(Operation::RotateKey));
    let output = world.akv("key rotate vault:v-1:p256 --json").run().unwrap();
    assert_eq!(output.status.code(), Some(8), "{}", output.describe());
    let error: serde_json::Value = serde_json::from_str(&output.stderr).unwrap();
    assert_eq!(error["error"]["mayHaveHappened"], true);
    assert_eq!(error["error"]["exitCode"], 8);
}

#[test]
fn key_files_name_the_key_and_are_not_overwritten() {
    let world = World::with_keys();
    world.ok("pem vault:v-1:p256 -o site.key");
    let pem = String::from_utf8(world.read("site.key")).unwrap();
    assert!(pem.starts_with("-----BEGIN AKV PRIVATE KEY-----"), "{pem}");
    assert_eq!(pem, world.ok("pem vault:v-1:p256").text());
    let error = world.fails("pem vault:v-1:rsa -o site.key", 3);
    assert!(error.contains("site.key already exists") && error.contains("--force"), "{error}");
    assert_eq!(pem.as_bytes(), world.read("site.key"));
    world.ok("pem vault:v-1:rsa --pkcs8 -o site.key --force");
    let pkcs8 = String::from_utf8(world.read("site.key")).unwrap();
    assert!(pkcs8.starts_with("-----BEGIN PRIVATE KEY-----"), "{pkcs8}");
    // A well-formed PKCS#8 structure for programs that do not support the algorithm.
    assert!(world.openssl("asn1parse -in site.key").contains("OBJECT"));

    // A key file takes the place of the key, and opening it sends no request.
    world.vault.reset_stats();
    let output = world.json("pem site.key");
    assert_eq!(output["counters"]["operations"], 0);
    assert_eq!(world.vault.stats().requests, 0);
    world.ok("pem site.key --public -o rsa.pub");
    assert!(world.openssl("pkey -pubin -in rsa.pub -noout -text").contains("2048 bit"));
}

#[test]
fn errors_have_the_librarys_text_and_an_exit_code() {
    let world = World::with_keys();
    let error = world.fails("key show vault:v-1:none", 6);
    assert!(error.starts_with("akv: cannot load vault:v-1:none: HTTP 404 KeyNotFound"), "{error}");
    world.vault.fault(Fault::new(FaultKind::Forbidden).on(Operation::GetKey));
    assert!(world.fails("key show vault:v-1:rsa", 5).contains("HTTP 403"));
    world.vault.create_key(NewKey::rsa("off", 2048).enabled(false)).unwrap();
    let sign = format!("sign vault:v-1:off --digest {}", "00".repeat(32));
    assert!(world.fails(&sign, 5).contains("KeyDisabled"));
    let bad_token = world.akv("key show vault:v-1:rsa").env("AZURE_CLI_ACCESS_TOKEN", "wrong");
    assert!(failed(bad_token, 4).contains("HTTP 401"));
    let untrusted = world
        .bare("key show vault:v-1:rsa --endpoint")
        .arg(world.vault.endpoint())
        .env("AZURE_CLI_ACCESS_TOKEN", "t");
    assert!(failed(untrusted, 7).contains("not trusted"));
    let nothing = "key show vault:v-1:rsa --credential access-token --endpoint https://127.0.0.1:1";
    assert!(failed(world.bare(nothing), 4).contains("AZURE_CLI_ACCESS_TOKEN"));
}
