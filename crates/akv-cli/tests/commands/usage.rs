//! Settings, help, and errors of the command line.

use akv_core::settings::OPTIONS;

use crate::{World, failed};

#[test]
fn every_setting_is_an_option_that_overrides_the_environment() {
    let world = World::with_keys();
    let help = world.bare("sign --help").ok().unwrap().text();
    for option in OPTIONS {
        assert!(help.contains(&format!("--{} ", option.name)), "{}", option.name);
    }
    let task = world.akv("key show vault:v-1:rsa --endpoint").arg(world.vault.endpoint());
    task.env("AKV_ENDPOINT", "https://127.0.0.1:1").ok().unwrap();
    world.write("token", world.vault.token());
    let task = world.akv("key show vault:v-1:rsa --access-token-file token");
    task.env("AZURE_CLI_ACCESS_TOKEN", "stale").ok().unwrap();
}

#[test]
fn usage_errors_exit_with_code_2() {
    let world = World::new();
    for line in ["", "sing", "sign", "key", "sign a b c", "--color blue man x", "completions none"]
    {
        let output = world.bare(line).run().unwrap();
        assert_eq!(output.status.code(), Some(2), "{line:?}: {}", output.describe());
    }
    let error = failed(world.bare("key show vault:v:k:zz --json"), 2);
    let error: serde_json::Value = serde_json::from_str(&error).unwrap();
    assert_eq!(error["error"]["kind"], "invalid key reference");
}

#[test]
fn colours_are_printed_only_on_request() {
    let world = World::new();
    assert!(!failed(world.bare("key show x"), 2).contains('\u{1b}'));
    assert!(failed(world.bare("--color always key show x"), 2).contains('\u{1b}'));
    let task = world.bare("--color never key show x").env("CLICOLOR_FORCE", "1");
    assert!(!failed(task, 2).contains('\u{1b}'));
}
