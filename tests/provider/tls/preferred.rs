//! TLS in a host whose default properties prefer our provider: libcrypto requests the ephemeral
//! keys of the key exchange from us, on server and client, and these are in no vault.

use akv_emulator::{Curve, Operation, Persona};
use akv_tests::Site;
use anyhow::{Context as _, Result};

use crate::scene::{Scene, entries};

/// From 3.5 on: an elliptic curve with ML-KEM; one half of these keys is requested from us.
const HYBRID: &str = "SecP256r1MLKEM768";

#[test]
fn key_exchange_works_when_our_keys_are_preferred() -> Result<()> {
    let scene = Scene::start(Persona::Vault)?;
    let site = scene.site();
    let preferring = site.preferring()?;
    let groups = site.plain().ok("list -tls-groups");
    let has_hybrid = groups.is_ok_and(|groups| groups.text().contains(HYBRID));
    for (key, name) in [(site.rsa(2048)?, "rsa"), (site.ec(Curve::P256)?, "ec")] {
        let identity = scene.identity(&key, &format!("preferred-{name}"))?;
        let hybrid = if has_hybrid { format!(":{HYBRID}") } else { String::new() };
        let options = format!("-groups P-256:P-384:brainpoolP256r1{hybrid}");
        let (server, address) = Scene::serve_with(&preferring, &identity, &options)?;
        let before = site.vault().stats();
        let mut handshakes = vec![
            ("-tls1_3 -groups P-256", "TLSv1.3"),
            // The server requests a group other than the one that the client guessed.
            ("-tls1_3 -groups X25519:P-384", "TLSv1.3"),
            ("-tls1_2 -groups P-256", "TLSv1.2"),
            // The second is for the curve of the certificate.
            ("-tls1_2 -groups brainpoolP256r1:P-256", "TLSv1.2"),
        ];
        if has_hybrid {
            handshakes.push(("-tls1_3 -groups SecP256r1MLKEM768", "TLSv1.3"));
        }
        for (arguments, protocol) in handshakes.iter().copied() {
            for client in [site.plain(), preferring.clone()] {
                let seen = scene.connect_with(&client, &address, arguments);
                let seen = seen.with_context(|| format!("the server said: {}", server.output()))?;
                assert_eq!(seen.protocol, protocol, "{arguments}");
            }
        }
        let signed =
            site.vault().stats().operation(Operation::Sign) - before.operation(Operation::Sign);
        assert_eq!(signed, 2 * handshakes.len() as u64, "one signature a handshake");
        assert_eq!(entries(&server.output()), 0, "{}", server.output());
    }
    Ok(())
}

/// libssl lists the groups of all providers, from 3.5 on regardless of their key management.
#[test]
fn groups_are_listed_once() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let list = "list -all-tls-groups";
    // Earlier programs list none.
    if let Ok(output) = site.plain().ok(list) {
        assert_eq!(site.openssl().ok(list)?.text(), output.text());
    }
    Ok(())
}
