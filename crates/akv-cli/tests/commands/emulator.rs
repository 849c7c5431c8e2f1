//! `akv emulator`: its output points `akv` at its vault.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use akv_tests::Task;

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn prints_the_variables_for_clients() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_akv"))
        .args(["emulator", "--key", "ec:web:P-256", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let _running = Running(child);
    let variables: serde_json::Value =
        serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    let mut task = Task::new(env!("CARGO_BIN_EXE_akv")).args(["key", "show", "vault:any:web"]);
    for (name, value) in variables.as_object().unwrap() {
        task = task.env(name, value.as_str().unwrap());
    }
    assert!(task.ok().unwrap().text().contains("EC P-256"));
}
