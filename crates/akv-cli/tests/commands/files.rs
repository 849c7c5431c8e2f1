//! `akv config`, `akv completions`, `akv man`; closed pipes, devices and folders.

use std::{fs, os::unix::fs::FileTypeExt as _};

use akv_tests::Task;

use crate::{World, failed};

#[test]
fn config_is_written_in_the_syntax_of_openssl() {
    let world = World::new();
    world.write("akv_provider.so", "");
    world.write("a#b$c's.pem", world.vault.ca_pem());
    let line = "config --module akv_provider.so --timeout 3s --credential managed-identity -o o.cnf --ca-file";
    world.bare(line).arg("a#b$c's.pem").env("AKV_CLOUD", "usgov").ok().unwrap();
    let text = String::from_utf8(world.read("o.cnf")).unwrap();
    let module = world.path("akv_provider.so");
    for expected in [
        &format!("module = {}", module.display()),
        "timeout = 3s",
        "credential = managed-identity",
        "cloud = usgov",
        "a\\#b\\$c\\'s.pem",
    ] {
        assert!(text.lines().any(|line| line.contains(expected)), "{expected}: {text}");
    }
    assert!(!text.contains("verify-signatures"), "a default is not written");
}

#[test]
fn secrets_are_not_written_and_the_engine_has_its_own_names() {
    let world = World::new();
    let task = world.bare("config --engine --section --timeout 3s --max-concurrency 8");
    let text = task.env("AZURE_CLI_ACCESS_TOKEN", "secret-token").ok().unwrap().text();
    assert!(text.contains("TIMEOUT = 3s\nMAX_CONCURRENCY = 8\n"), "{text}");
    assert!(
        text.contains("dynamic_path = ") && text.contains("default_algorithms = ALL"),
        "{text}"
    );
    assert!(!text.contains("secret-token") && text.contains("AZURE_CLI_ACCESS_TOKEN"), "{text}");
    assert!(!text.contains("openssl_conf"), "{text}");
    assert!(failed(world.bare("config --timeout soon"), 2).contains("--timeout"));
}

#[test]
fn completions_and_man_pages_are_written() {
    let world = World::new();
    let bash = world.bare("completions bash").ok().unwrap().text();
    world.write("akv.bash", &bash);
    Task::new("bash").args(["-n"]).arg(world.path("akv.bash")).ok().unwrap();
    for shell in ["zsh", "fish"] {
        let script = world.bare(&format!("completions {shell}")).ok().unwrap().text();
        assert!(script.contains("self-signed"), "{shell}");
    }
    world.bare("man pages/man1").ok().unwrap();
    for page in ["akv.1", "akv-sign.1", "akv-key-list.1", "akv-cert-self-signed.1"] {
        let text = fs::read_to_string(world.path("pages/man1").join(page)).unwrap();
        assert!(text.contains(".SH NAME"), "{page}");
    }
}

#[test]
fn a_closed_pipe_does_not_panic() {
    let world = World::with_keys();
    for line in ["completions bash", "key show vault:v-1:rsa", "key list vault:v-1: --json"] {
        let script = format!("\"$0\" {line} | true; echo \"${{PIPESTATUS[0]}}\"");
        // Whether the pipe is closed before the first line is up to the system.
        let output = Task::new("bash")
            .args(["-c", &script, env!("CARGO_BIN_EXE_akv")])
            .env("AKV_ENDPOINT", world.vault.endpoint())
            .env("AKV_CA_FILE", world.path("ca.pem"))
            .env("AZURE_CLI_ACCESS_TOKEN", world.vault.token())
            .ok()
            .unwrap();
        let code = output.text().trim().to_owned();
        assert!(["0", "141"].contains(&code.as_str()), "{line}: {code} {}", output.stderr);
        assert_eq!(output.stderr, "", "{line}");
    }
}

#[test]
fn a_full_device_is_an_error_and_devices_are_not_replaced() {
    let world = World::with_keys();
    let output = Task::new("sh")
        .args(["-c", "exec \"$0\" completions bash > /dev/full", env!("CARGO_BIN_EXE_akv")])
        .run()
        .unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", output.describe());
    world.ok("pem vault:v-1:rsa --force -o /dev/null");
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    assert!(world.fails("pem vault:v-1:rsa -o no/such/folder/key", 3).contains("cannot write"));
}
