//! Client certificates: both the client's and the server's key are in the vault.

use akv_emulator::{Curve, Persona};
use akv_tests::Client;
use anyhow::{Context as _, Result};

use crate::scene::{Identity, LIMIT, Scene, WEAK, entries};

/// A connection to a server that requires a certificate.
struct Case<'a> {
    server: &'a Identity,
    client: &'a Identity,
    protocol: &'a str,
    /// The algorithms that the server accepts, for `-client_sigalgs`.
    algorithm: &'a str,
}

impl Case<'_> {
    /// Runs the handshake and returns the output of both sides and the client's result.
    fn run(&self, scene: &Scene) -> Result<(String, Result<()>)> {
        let Self { server, client, protocol, algorithm } = self;
        let root = scene.root();
        let mut options =
            format!("{WEAK} -Verify 1 -verify_return_error -CAfile {root} -naccept 1");
        if !algorithm.is_empty() {
            options.push_str(&format!(" -client_sigalgs {algorithm}"));
        }
        let (running, address) = scene.serve(server, &options)?;
        let Identity { certificate, key } = client;
        let arguments = format!("{WEAK} {protocol} -cert {certificate} -key {key}");
        let handshake = Client { address: &address, ca: &root, arguments: &arguments };
        let connected = handshake.connect(&scene.site().openssl()).map(drop);
        Ok((running.finish(LIMIT)?, connected))
    }

    /// The server must receive the client's certificate and this kind of signature.
    fn accepted(&self, scene: &Scene, digest: &str) -> Result<()> {
        let before = scene.site().vault().stats().sign;
        let (said, connected) = self.run(scene)?;
        let Self { protocol, algorithm, .. } = self;
        connected.with_context(|| format!("{protocol} {algorithm}: {said}"))?;
        assert!(said.contains("Client certificate"), "{said}");
        assert!(!said.contains("verify error") && entries(&said) == 0, "{said}");
        if !digest.is_empty() {
            let line = format!("Peer signing digest: {digest}");
            assert!(said.contains(&line), "{protocol} {algorithm}: no {line:?} in {said}");
        }
        let signed = scene.site().vault().stats().sign - before;
        assert_eq!(signed, 2, "both sides sign once: {protocol} {algorithm}");
        Ok(())
    }

    /// The client has no certificate that the server accepts, and sends none.
    fn refused(&self, scene: &Scene) -> Result<()> {
        let (said, _) = self.run(scene)?;
        let Self { protocol, algorithm, .. } = self;
        let wanted = "peer did not return a certificate";
        assert!(said.contains(wanted), "{protocol} {algorithm}: {said}");
        Ok(())
    }
}

#[test]
fn a_client_authenticates_with_every_kind_of_key() -> Result<()> {
    let scene = Scene::start(Persona::Vault)?;
    let site = scene.site();
    let server = scene.identity(&site.ec(Curve::P256)?, "mutual-server")?;
    for (reference, name) in [
        (site.rsa(2048)?, "client-rsa"),
        (site.rsa(3072)?, "client-rsa-3072"),
        (site.ec(Curve::P256)?, "client-p256"),
        (site.ec(Curve::P384)?, "client-p384"),
        (site.ec(Curve::P521)?, "client-p521"),
    ] {
        let client = scene.identity(&reference, name)?;
        for protocol in ["-tls1_2", "-tls1_3"] {
            let case = Case { server: &server, client: &client, protocol, algorithm: "" };
            case.accepted(&scene, "")?;
        }
    }
    Ok(())
}

#[test]
fn a_server_may_require_an_algorithm_of_an_rsa_client() -> Result<()> {
    let scene = Scene::start(Persona::Vault)?;
    let server = scene.identity(&scene.site().ec(Curve::P256)?, "insists-rsa")?;
    let client = scene.identity(&scene.site().rsa(2048)?, "asked-rsa")?;
    for (protocol, algorithm, digest) in [
        ("-tls1_2", "rsa_pkcs1_sha1", "SHA1"),
        ("-tls1_2", "rsa_pkcs1_sha224", "SHA224"),
        ("-tls1_2", "rsa_pkcs1_sha256", "SHA256"),
        ("-tls1_2", "rsa_pkcs1_sha384", "SHA384"),
        ("-tls1_2", "rsa_pkcs1_sha512", "SHA512"),
        ("-tls1_2", "rsa_pss_rsae_sha256", "SHA256"),
        ("-tls1_2", "rsa_pss_rsae_sha384", "SHA384"),
        ("-tls1_2", "rsa_pss_rsae_sha512", "SHA512"),
        ("-tls1_3", "rsa_pss_rsae_sha256", "SHA256"),
        ("-tls1_3", "rsa_pss_rsae_sha384", "SHA384"),
        ("-tls1_3", "rsa_pss_rsae_sha512", "SHA512"),
    ] {
        let case = Case { server: &server, client: &client, protocol, algorithm };
        case.accepted(&scene, digest)?;
    }
    for (protocol, algorithm) in
        [("-tls1_3", "rsa_pss_pss_sha256"), ("-tls1_2", "ecdsa_secp256r1_sha256")]
    {
        Case { server: &server, client: &client, protocol, algorithm }.refused(&scene)?;
    }
    Ok(())
}

#[test]
fn a_server_may_require_an_algorithm_of_an_ec_client() -> Result<()> {
    let scene = Scene::start(Persona::Vault)?;
    let server = scene.identity(&scene.site().rsa(2048)?, "insists-ec")?;
    let client = scene.identity(&scene.site().ec(Curve::P384)?, "asked-ec")?;
    for (protocol, algorithm, digest) in [
        ("-tls1_2", "ECDSA+SHA1", "SHA1"),
        ("-tls1_2", "ECDSA+SHA224", "SHA224"),
        ("-tls1_2", "ecdsa_secp256r1_sha256", "SHA256"),
        ("-tls1_2", "ecdsa_secp384r1_sha384", "SHA384"),
        ("-tls1_2", "ecdsa_secp521r1_sha512", "SHA512"),
        ("-tls1_3", "ecdsa_secp384r1_sha384", "SHA384"),
    ] {
        let case = Case { server: &server, client: &client, protocol, algorithm };
        case.accepted(&scene, digest)?;
    }
    for (protocol, algorithm) in [
        ("-tls1_3", "ecdsa_secp256r1_sha256"),
        ("-tls1_3", "rsa_pss_rsae_sha256"),
        ("-tls1_2", "rsa_pkcs1_sha256"),
    ] {
        Case { server: &server, client: &client, protocol, algorithm }.refused(&scene)?;
    }
    Ok(())
}

/// A client of a Managed HSM sends no certificate if the server accepts only SHA-1.
#[test]
fn a_client_skips_what_its_managed_hsm_does_not_support() -> Result<()> {
    let scene = Scene::start(Persona::ManagedHsm)?;
    let server = scene.identity(&scene.site().ec(Curve::P256)?, "hsm-server")?;
    let client = scene.identity(&scene.site().rsa(2048)?, "hsm-client")?;
    let case =
        |algorithm| Case { server: &server, client: &client, protocol: "-tls1_2", algorithm };
    case("rsa_pkcs1_sha1").refused(&scene)?;
    case("rsa_pkcs1_sha1:rsa_pkcs1_sha384").accepted(&scene, "SHA384")
}
