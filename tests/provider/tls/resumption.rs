//! Resumed sessions need no signature.

use std::path::Path;

use akv_emulator::{Curve, Persona};
use akv_tests::Output;
use anyhow::Result;

use crate::scene::{Scene, WEAK};

/// Fetches the server's page, so that data after the handshake is read too.
fn fetch(scene: &Scene, address: &str, arguments: &str) -> Result<Output> {
    let line = format!(
        "s_client -ign_eof -connect {address} -servername localhost -verify_hostname localhost \
         -verify_return_error -CAfile {} {arguments}",
        scene.root()
    );
    let task = scene.site().plain().task(line.split_whitespace());
    task.input("GET / HTTP/1.0\r\n\r\n").ok()
}

fn resumes(scene: &Scene, key: &str, name: &str, server: &str, client: &str) -> Result<()> {
    let identity = scene.identity(key, name)?;
    let (_server, address) = scene.serve(&identity, &format!("-www {server}"))?;
    let session = scene.site().text(&format!("{name}.session"));
    let requests = || scene.site().vault().stats().requests;
    let (before, signed) = (requests(), scene.site().vault().stats().sign);
    let first = fetch(scene, &address, &format!("{client} -sess_out {session}"))?;
    assert!(first.text().contains("New, "), "{}", first.describe());
    assert!(Path::new(&session).exists(), "{}", first.describe());
    assert!(requests() > before, "the first handshake signs in the vault");
    let after = requests();
    for _ in 0..3 {
        // A TLS 1.3 ticket is for one use; each connection returns a new one.
        let again = format!("{client} -sess_in {session} -sess_out {session}");
        let again = fetch(scene, &address, &again)?;
        assert!(again.text().contains("Reused, "), "{}", again.describe());
    }
    assert_eq!(requests(), after, "a resumed session sends no request");
    let stats = scene.site().vault().stats();
    assert!(stats.sign <= signed + 1, "{stats:?}");
    Ok(())
}

#[test]
fn tickets_and_session_ids_of_tls_1_2_resume() -> Result<()> {
    let scene = Scene::start(Persona::Vault)?;
    let rsa = scene.site().rsa(2048)?;
    resumes(&scene, &rsa, "ticket-12", "", "-tls1_2")?;
    resumes(&scene, &rsa, "id-12", "-no_ticket", "-tls1_2")
}

#[test]
fn tickets_of_tls_1_3_resume_with_and_without_state() -> Result<()> {
    let scene = Scene::start(Persona::Vault)?;
    let ec = scene.site().ec(Curve::P256)?;
    resumes(&scene, &ec, "ticket-13", "", "-tls1_3")?;
    resumes(&scene, &ec, "id-13", "-no_ticket", "-tls1_3")
}

/// The vault decrypts the premaster secret once, and never for a resumed session.
#[test]
fn sessions_of_rsa_key_exchange_resume() -> Result<()> {
    let scene = Scene::start(Persona::Vault)?;
    scene.site().set("rsa-key-exchange", "yes")?;
    let rsa = scene.site().rsa(2048)?;
    resumes(&scene, &rsa, "exchange-12", WEAK, "-tls1_2 -cipher AES128-SHA:@SECLEVEL=0")
}
