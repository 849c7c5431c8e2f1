//! A program that the kernel runs with more privileges than its user has.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt as _, chown},
};

use akv_tests::Task;

use crate::World;

/// Any group except root's.
const GROUP: u32 = 65_534;

/// The group of the file becomes the effective one of the process, which sets `AT_SECURE`.
#[test]
fn a_program_with_special_privileges_ignores_the_environment() {
    assert!(nix::unistd::geteuid().is_root(), "only root can give a file to any group");
    let world = World::with_keys();
    let copy = |name: &str, mode| {
        let file = world.path(name);
        fs::copy(env!("CARGO_BIN_EXE_akv"), &file).unwrap();
        chown(&file, None, Some(GROUP)).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        file
    };
    let (plain, special) = (copy("plain", 0o755), copy("special", 0o2755));
    let config = |program| {
        let task = Task::new(program).args(["config", "--section"]).env("AKV_TIMEOUT", "7s");
        task.env("AKV_CLOUD", "usgov").ok().unwrap().text()
    };
    let (trusting, wary) = (config(&plain), config(&special));
    assert!(trusting.contains("timeout = 7s") && trusting.contains("cloud = usgov"), "{trusting}");
    assert!(!wary.contains("timeout") && !wary.contains("usgov"), "{wary}");
    // Command-line arguments still apply, and no program is looked up in `PATH`.
    let task = Task::new(&special)
        .args(["key", "show", "vault:my-vault:p256", "--credential", "azure-cli"])
        .args(["--endpoint", world.vault.endpoint()])
        .arg("--ca-file")
        .arg(world.path("ca.pem"));
    let error = crate::failed(task, 4);
    assert!(error.contains("a process without special privileges"), "{error}");
}
