//! TLS in a host whose default properties prefer our provider: libcrypto has us make the keys of the
//! key exchange, on server and client, which are in no vault.

use akv_emulator::{Curve, Operation, Persona};
use akv_tests::{Client, Server};
use anyhow::{Context as _, Result};

use crate::scene::{LIMIT, Scene, entries};

#[test]
fn keys_of_the_key_exchange_are_made_when_ours_are_preferred() -> Result<()> {
    let scene = Scene::start(Persona::Vault)?;
    let site = scene.site();
    let preferring = site.preferring()?;
    for (key, name) in [(site.rsa(2048)?, "rsa"), (site.ec(Curve::P256)?, "ec")] {
        let identity = scene.identity(&key, &format!("preferred-{name}"))?;
        let line = format!(
            "s_server -accept 127.0.0.1:0 -cert {} -key {} -groups P-256:P-384:brainpoolP256r1",
            identity.certificate, identity.key
        );
        let task = preferring.task(line.split_whitespace());
        let (server, address) =
            Server::start(task, LIMIT, |line| line.strip_prefix("ACCEPT ").map(str::to_owned))?;
        let before = site.vault().stats();
        let handshakes = [
            ("-tls1_3 -groups P-256", "TLSv1.3"),
            // The server asks for another group than the client guessed.
            ("-tls1_3 -groups X25519:P-384", "TLSv1.3"),
            ("-tls1_2 -groups P-256", "TLSv1.2"),
            // The second is for the curve of the certificate.
            ("-tls1_2 -groups brainpoolP256r1:P-256", "TLSv1.2"),
        ];
        for (arguments, protocol) in handshakes {
            for client in [site.plain(), preferring.clone()] {
                let root = scene.root();
                let client_side = Client { address: &address, ca: &root, arguments };
                let seen = client_side.connect(&client);
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
