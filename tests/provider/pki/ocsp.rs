//! `openssl ocsp`: a responder's responses are signed in the vault.

use akv_emulator::Curve;
use akv_tests::Server;
use anyhow::Result;

use super::{Identity, Pki, ca::Authority};

/// An authority with two certificates, one of them revoked, and its responder.
struct Scene {
    pki: Pki,
    authority: Authority,
    good: String,
    bad: String,
}

impl Scene {
    fn start() -> Result<Self> {
        let pki = Pki::start()?;
        let site = &pki.site;
        let authority = Authority::new(site, "ocsp-ca", &pki.root, &pki.root_key)?;
        let good = authority.issue(site, &site.ec(Curve::P256)?, "ocsp-good", "leaf")?;
        let bad = authority.issue(site, &site.ec(Curve::P521)?, "ocsp-bad", "leaf")?;
        authority.revoke(site, &bad)?;
        Ok(Self { pki, authority, good, bad })
    }

    fn responder(&self, key: &str, name: &str) -> Result<Identity> {
        self.pki.certify(key, name, "extendedKeyUsage=OCSPSigning\nkeyUsage=digitalSignature\n")
    }

    /// The command with which plain OpenSSL queries both certificates and verifies the response.
    fn question(&self) -> String {
        let (root, good, bad) = (&self.pki.root, &self.good, &self.bad);
        format!("ocsp -no_nonce -issuer {root} -cert {good} -cert {bad} -CAfile {root}")
    }
}

fn check(said: &akv_tests::Output) {
    assert!(said.stderr.contains("Response verify OK"), "{}", said.describe());
    let text = said.text();
    assert!(text.contains("ocsp-good.pem: good"), "{text}");
    assert!(text.contains("ocsp-bad.pem: revoked"), "{text}");
    assert!(text.contains("Reason: keyCompromise"), "{text}");
}

#[test]
fn a_response_is_signed_with_every_kind_of_key() -> Result<()> {
    let scene = Scene::start()?;
    let site = &scene.pki.site;
    let (request, response) = (site.text("ocsp.req"), site.text("ocsp.resp"));
    let question = scene.question();
    site.plain().ok(&format!("{question} -reqout {request}"))?;
    for (key, name, options) in [
        (site.rsa(2048)?, "responder-rsa", ""),
        (site.rsa(2048)?, "responder-pss", "-rmd sha384 -rsigopt rsa_padding_mode:pss"),
        (site.ec(Curve::P256)?, "responder-p256", ""),
        (site.ec(Curve::P384)?, "responder-p384", "-rmd sha384"),
    ] {
        let responder = scene.responder(&key, name)?;
        // The key by reference, and as a key file.
        for signing in [&key, &responder.key] {
            let before = site.vault().stats().sign;
            site.openssl().ok(&format!(
                "ocsp -index {} -CA {} -rsigner {} -rkey {signing} -reqin {request} \
                 -respout {response} {options}",
                scene.authority.index, scene.pki.root, responder.certificate
            ))?;
            assert_eq!(site.vault().stats().sign - before, 1, "{name}");
            check(&site.plain().ok(&format!("{question} -respin {response}"))?);
        }
    }
    Ok(())
}

#[test]
fn a_responder_answers_over_http() -> Result<()> {
    let scene = Scene::start()?;
    let site = &scene.pki.site;
    let responder = scene.responder(&site.rsa(2048)?, "responder-http")?;
    let line = format!(
        "ocsp -port 0 -index {} -CA {} -rsigner {} -rkey {}",
        scene.authority.index, scene.pki.root, responder.certificate, responder.key
    );
    let task = site.openssl().task(line.split_whitespace());
    let (_server, port) = Server::start(task, super::cmp::LIMIT, super::cmp::port_of)?;
    for _ in 0..3 {
        check(&site.plain().ok(&format!("{} -url http://127.0.0.1:{port}", scene.question()))?);
    }
    Ok(())
}

/// Requests may also be signed.
#[test]
fn a_request_is_signed_in_the_vault() -> Result<()> {
    let scene = Scene::start()?;
    let site = &scene.pki.site;
    let client = scene.pki.rsa("ocsp-client")?;
    let request = site.text("signed.req");
    site.openssl().ok(&format!(
        "ocsp -issuer {} -cert {} -signer {} -signkey {} -reqout {request}",
        scene.pki.root, scene.good, client.certificate, client.key
    ))?;
    let text = site.plain().ok(&format!("ocsp -reqin {request} -req_text"))?.text();
    assert!(text.contains("sha256WithRSAEncryption"), "{text}");
    Ok(())
}
