//! Every example runs, and its output is valid for other programs.

#![allow(clippy::duplicate_mod, reason = "each example has its own copy of what they share")]

#[path = "../examples/csr.rs"]
#[allow(dead_code, reason = "`main` is for the program")]
mod csr;
#[path = "../examples/keyless_server.rs"]
mod keyless_server;
#[path = "../examples/sign_file.rs"]
#[allow(dead_code, reason = "`main` is for the program")]
mod sign_file;
#[path = "../examples/tokio_handshakes/main.rs"]
mod tokio_handshakes;

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

#[test]
fn a_certificate_request_is_one_for_openssl() {
    let pem = csr::request().unwrap();
    let mut openssl = Command::new("openssl")
        .args(["req", "-verify", "-noout", "-text"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the openssl program is installed");
    openssl.stdin.take().unwrap().write_all(pem.as_bytes()).unwrap();
    let output = openssl.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("DNS:www.example.org"), "{text}");
    assert!(text.contains("ecdsa-with-SHA256"), "{text}");
}

#[test]
fn a_server_without_a_private_key_serves() {
    keyless_server::main().unwrap();
}

#[test]
fn every_way_of_tokio_servers_does_handshakes() {
    let (latency, time) = (Duration::from_millis(5), Duration::from_millis(500));
    let plan = tokio_handshakes::Plan { clients: 4, latency, time };
    let rows = tokio_handshakes::measure(&plan).unwrap();
    assert_eq!(rows.len(), 4);
    for row in &rows {
        assert!(row.handshakes > 0, "{row:?}");
        assert_eq!(row.signatures > 0, row.name != "local", "{row:?}");
    }
}

#[test]
fn a_file_is_signed() {
    sign_file::sign(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))).unwrap();
    let missing = sign_file::sign(Path::new("/nowhere/to/be/found")).unwrap_err();
    assert!(missing.to_string().contains("signature error"), "{missing}");
}
