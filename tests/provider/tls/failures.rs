//! The vault refuses during a handshake.

use akv_emulator::{Curve, Fault, FaultKind, Operation, Persona};
use akv_tests::{Client, process::wait_until};
use anyhow::Result;

use crate::scene::{LIMIT, Scene, entries};

/// `internal_error`: a failure of the server, without details for the client.
const INTERNAL_ERROR: u8 = 80;

#[test]
fn handshake_of_a_server_fails_cleanly_when_the_vault_refuses() -> Result<()> {
    let scene = Scene::start(Persona::Vault)?;
    let site = scene.site();
    for (reference, name) in
        [(site.ec(Curve::P256)?, "refused-ec"), (site.rsa(2048)?, "refused-rsa")]
    {
        let identity = scene.identity(&reference, name)?;
        for protocol in ["-tls1_2", "-tls1_3"] {
            let (server, address) = scene.serve(&identity, "")?;
            site.vault().fault(Fault::new(FaultKind::Forbidden).on(Operation::Sign));
            assert_eq!(scene.refused(&address, protocol)?, INTERNAL_ERROR, "{protocol}");
            let said = server.wait_for("403", LIMIT)?;
            assert_eq!(entries(&said), 1, "one readable entry: {said}");
            assert!(said.contains(&reference), "{said}");
            // The same server continues as soon as it may sign again.
            scene.connect(&address, protocol)?;
        }
    }
    Ok(())
}

#[test]
fn handshake_of_a_client_fails_cleanly_when_the_vault_refuses() -> Result<()> {
    let scene = Scene::start(Persona::Vault)?;
    let site = scene.site();
    let client = scene.identity(&site.rsa(2048)?, "refused-client")?;
    // The server's key is not in the vault, so the fault affects the client.
    let (key, certificate) = (site.text("plain.key"), site.text("plain.pem"));
    site.plain().ok(&format!(
        "req -x509 -newkey rsa:2048 -nodes -keyout {key} -subj /CN=localhost -days 2 \
         -addext subjectAltName=DNS:localhost -CA {} -CAkey {} -out {certificate}",
        scene.root(),
        site.text("root.key")
    ))?;
    let server = crate::scene::Identity { certificate, key };
    for protocol in ["-tls1_2", "-tls1_3"] {
        let options = format!("-Verify 1 -verify_return_error -CAfile {}", scene.root());
        let (_server, address) = scene.serve(&server, &options)?;
        site.vault().fault(Fault::new(FaultKind::Forbidden).on(Operation::Sign));
        let arguments = format!("{protocol} -cert {} -key {}", client.certificate, client.key);
        let root = scene.root();
        let handshake = Client { address: &address, ca: &root, arguments: &arguments };
        let error = handshake.connect(&site.openssl()).expect_err("no signature, no handshake");
        let said = format!("{error:#}");
        assert_eq!(entries(&said), 1, "one readable entry: {said}");
        assert!(said.contains("403"), "{said}");
    }
    Ok(())
}

/// A server whose vault does not respond loses three handshakes' deadlines, and serves again when
/// the vault responds again.
#[test]
fn outage_delays_a_server_three_times_only() -> Result<()> {
    let scene = Scene::start(Persona::Vault)?;
    let site = scene.site();
    site.set("timeout", "1s")?;
    let identity = scene.identity(&site.ec(Curve::P256)?, "outage")?;
    let (server, address) = scene.serve(&identity, "")?;
    scene.connect(&address, "-tls1_3")?;
    site.vault().fault(Fault::new(FaultKind::Hang).on(Operation::Sign).forever());
    site.vault().reset_stats();
    for _ in 0..3 {
        scene.refused(&address, "-tls1_3")?;
    }
    assert_eq!(site.vault().stats().requests, 3);
    for _ in 0..5 {
        scene.refused(&address, "-tls1_3")?;
    }
    let said = server.wait_for("fail-fast", LIMIT)?;
    assert!(said.contains("since 20"), "{said}");
    site.vault().clear_faults();
    wait_until("the server serves again", LIMIT, || scene.connect(&address, "-tls1_3").ok())?;
    Ok(())
}
