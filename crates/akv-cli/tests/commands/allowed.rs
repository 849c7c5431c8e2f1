//! `--allowed-keys` with every command that takes a key.

use crate::{World, failed};

#[test]
fn every_command_refuses_a_key_that_is_not_allowed_before_any_connection() {
    let world = World::with_keys();
    world.ok("pem vault:v-1:rsa -o rsa.key");
    world.write("data", "data");
    world.vault.reset_stats();
    for command in [
        "key show vault:v-1:rsa",
        "key show rsa.key",
        "key list vault:v-1:",
        "key list vault:v-1:rsa",
        "key create vault:v-1:new --type ec-p256",
        "key rotate vault:v-1:rsa",
        "pem vault:v-1:rsa",
        "sign vault:v-1:rsa data",
        "sign rsa.key data",
        "cert self-signed vault:v-1:rsa --subject CN=x",
    ] {
        let error = world.fails(&format!("{command} --allowed-keys vault:v-1:p256"), 2);
        assert!(
            error.contains("not allowed") && error.contains("allowed-keys"),
            "{command}: {error}"
        );
        let task = world.akv(command).env("AKV_ALLOWED_KEYS", "vault:v-1:p256");
        let error = failed(task, 2);
        assert!(error.contains("AKV_ALLOWED_KEYS"), "{command}: {error}");
    }
    let stats = world.vault.stats();
    assert_eq!((stats.connections, stats.requests), (0, 0), "{stats:?}");
    world.ok("key show vault:v-1:p256 --allowed-keys vault:v-1:p256");
}

#[test]
fn the_doctor_names_the_setting_and_a_configuration_keeps_it() {
    let world = World::with_keys();
    let command = "doctor vault:v-1:rsa --no-openssl --json --allowed-keys vault:v-1:p256";
    let output = world.akv(command).run().expect("an end");
    assert_eq!(output.status.code(), Some(1), "{}", output.describe());
    let text = output.text();
    assert!(text.contains("not allowed") && text.contains("allowed-keys"), "{text}");
    assert_eq!(world.vault.stats().connections, 0);

    let config = world.bare("config --section --allowed-keys vault:v-1:,vault:v-2:web");
    let text = config.env("AKV_ALLOWED_KEYS", "vault:v-1:p256").ok().unwrap().text();
    assert!(text.contains("allowed-keys = vault:v-1:p256\n"), "{text}");
}
