//! `akv cert`, checked with `openssl`.

use akv_emulator::{Fault, FaultKind, Operation};

use crate::World;

#[test]
fn requests_verify_and_have_their_names() {
    let world = World::with_keys();
    for (key, algorithm) in [("rsa", "RS256"), ("rsa", "PS384"), ("p256", "ES256")] {
        let names = "--san www.example.org --san 192.0.2.7 --san email:a@example.org";
        world.ok(&format!(
            "cert csr vault:v-1:{key} -s CN=www.example.org,O=Example -a {algorithm} {names} -f -o r.csr"
        ));
        world.openssl("req -in r.csr -verify -noout");
        let text = world.openssl("req -in r.csr -noout -text");
        for expected in
            ["DNS:www.example.org", "IP Address:192.0.2.7", "email:a@example.org", "O = Example"]
        {
            assert!(text.contains(expected), "{algorithm} {expected}: {text}");
        }
    }
}

#[test]
fn self_signed_certificates_verify_strictly() {
    let world = World::with_keys();
    for (options, key) in [("--days 30 --san localhost", "p256"), ("--ca", "rsa")] {
        world
            .ok(&format!("cert self-signed vault:v-1:{key} -s CN=localhost {options} -f -o c.pem"));
        world.openssl("verify -x509_strict -check_ss_sig -CAfile c.pem c.pem");
    }
    let output = world.json("cert self-signed vault:v-1:p256 -s CN=localhost --days 30");
    world.write("c.pem", output["pem"].as_str().unwrap());
    let dates = world.openssl("x509 -in c.pem -noout -enddate -dateopt iso_8601");
    let expires = output["expires"].as_str().unwrap().replace('T', " ");
    assert!(dates.contains(&expires), "{dates} {expires}");
    world.openssl("x509 -in c.pem -noout -checkend 2500000");
    world.openssl("verify -purpose sslserver -CAfile c.pem c.pem");
}

#[test]
fn refusals_of_the_service_are_reported() {
    let world = World::with_keys();
    world.vault.fault(Fault::new(FaultKind::Forbidden).on(Operation::Sign));
    let error = world.fails("cert csr vault:v-1:p256 -s CN=a -o r.csr", 5);
    assert!(error.contains("cannot sign (ES256)") && error.contains("HTTP 403"), "{error}");
    assert!(!world.path("r.csr").exists());
}
