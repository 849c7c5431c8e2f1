//! Servers with each kind of key, in each version of the protocol.

use akv_emulator::{Curve, Persona};
use akv_tests::{Installation, Site};
use anyhow::Result;

use crate::scene::{LIMIT, Scene, WEAK, entries};

#[test]
fn rsa_server_signs_pkcs1_and_pss() -> Result<()> {
    let scene = Scene::start(Persona::Vault)?;
    let identity = scene.identity(&scene.site().rsa(2048)?, "server-rsa")?;
    let before = scene.site().vault().stats().sign;
    let cases = [
        ("-tls1_2 -sigalgs rsa_pkcs1_sha256", ["TLSv1.2", "RSA", "SHA256"]),
        ("-tls1_2 -sigalgs rsa_pss_rsae_sha256", ["TLSv1.2", "RSA-PSS", "SHA256"]),
        ("-tls1_2 -sigalgs rsa_pkcs1_sha512", ["TLSv1.2", "RSA", "SHA512"]),
        ("-tls1_2 -cipher ECDHE-RSA-AES128-SHA", ["TLSv1.2", "RSA-PSS", "SHA256"]),
        ("-tls1_2 -cipher DHE-RSA-AES128-GCM-SHA256", ["TLSv1.2", "RSA-PSS", "SHA256"]),
        ("-tls1_3", ["TLSv1.3", "RSA-PSS", "SHA256"]),
        ("-tls1_3 -ciphersuites TLS_AES_256_GCM_SHA384", ["TLSv1.3", "RSA-PSS", "SHA256"]),
    ];
    scene.check(&identity, "", &cases)?;
    let signed = scene.site().vault().stats().sign - before;
    assert_eq!(signed, u64::try_from(cases.len())?, "one signature for each handshake");
    Ok(())
}

#[test]
fn rsa_server_with_larger_keys_signs() -> Result<()> {
    let scene = Scene::shared()?;
    for bits in [3072, 4096] {
        let reference = scene.site().rsa(bits)?;
        let identity = scene.identity(&reference, &format!("server-rsa-{bits}"))?;
        scene.check(
            &identity,
            "",
            &[
                ("-tls1_2 -sigalgs rsa_pkcs1_sha384", ["TLSv1.2", "RSA", "SHA384"]),
                ("-tls1_3 -sigalgs rsa_pss_rsae_sha512", ["TLSv1.3", "RSA-PSS", "SHA512"]),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn ec_server_signs_on_each_curve() -> Result<()> {
    let scene = Scene::shared()?;
    for (curve, name, algorithm, digest) in [
        (Curve::P256, "server-p256", "ecdsa_secp256r1_sha256", "SHA256"),
        (Curve::P384, "server-p384", "ecdsa_secp384r1_sha384", "SHA384"),
        (Curve::P521, "server-p521", "ecdsa_secp521r1_sha512", "SHA512"),
    ] {
        let identity = scene.identity(&scene.site().ec(curve)?, name)?;
        let tls13 = format!("-tls1_3 -sigalgs {algorithm}");
        let tls12 = format!("-tls1_2 -sigalgs ECDSA+{digest}");
        scene.check(
            &identity,
            "",
            &[
                (&tls13, ["TLSv1.3", "ECDSA", digest]),
                (&tls12, ["TLSv1.2", "ECDSA", digest]),
                ("-tls1_3", ["TLSv1.3", "ECDSA", digest]),
            ],
        )?;
    }
    Ok(())
}

#[test]
fn managed_hsm_keys_serve() -> Result<()> {
    let scene = Scene::start(Persona::ManagedHsm)?;
    let rsa = scene.identity(&scene.site().rsa(2048)?, "hsm-rsa")?;
    scene.check(
        &rsa,
        "",
        &[
            ("-tls1_2 -sigalgs rsa_pkcs1_sha256", ["TLSv1.2", "RSA", "SHA256"]),
            ("-tls1_3", ["TLSv1.3", "RSA-PSS", "SHA256"]),
        ],
    )?;
    let ec = scene.identity(&scene.site().ec(Curve::P521)?, "hsm-ec")?;
    scene.check(&ec, "", &[("-tls1_3", ["TLSv1.3", "ECDSA", "SHA512"])])
}

/// TLS supports the curve only in version 1.2, and OpenSSL only up to 3.x.
#[test]
fn tls_1_2_serves_secp256k1_where_openssl_has_it() -> Result<()> {
    let scene = Scene::shared()?;
    let groups = "-groups P-256:secp256k1";
    let plain = scene.site().plain().fails(&format!("s_client -connect 127.0.0.1:0 {groups}"))?;
    if plain.stderr.contains("SSL_CONF_cmd(-groups") {
        let version = Installation::selected().version()?;
        assert!(version.starts_with("4."), "{version} lacks the group: {}", plain.describe());
        return Ok(());
    }
    let p256k = scene.identity(&scene.site().ec(Curve::P256K)?, "server-p256k")?;
    let client = format!("-tls1_2 {groups} -sigalgs ECDSA+SHA256");
    scene.check(&p256k, groups, &[(&client, ["TLSv1.2", "ECDSA", "SHA256"])])?;
    let (_server, address) = scene.serve(&p256k, groups)?;
    assert_eq!(scene.refused(&address, &format!("-tls1_3 {groups}"))?, 70, "protocol_version");
    Ok(())
}

/// TLS 1.1 signs MD5 and SHA-1 together with RSA, and SHA-1 with ECDSA.
#[test]
fn tls_1_1_works_where_the_service_signs_its_digests() -> Result<()> {
    let scene = Scene::start(Persona::Vault)?;
    if !has_tls_1_1(scene.site())? {
        return Ok(());
    }
    let old = format!("-tls1_1 {WEAK}");
    for (reference, name) in
        [(scene.site().rsa(2048)?, "old-rsa"), (scene.site().ec(Curve::P256)?, "old-ec")]
    {
        let identity = scene.identity(&reference, name)?;
        let (server, address) = scene.serve(&identity, WEAK)?;
        let seen = scene.connect(&address, &old)?;
        assert_eq!(seen.protocol, "TLSv1.1");
        assert_eq!(entries(&server.output()), 0, "{}", server.output());
    }

    let hsm = Scene::start(Persona::ManagedHsm)?;
    let identity = hsm.identity(&hsm.site().rsa(2048)?, "old-hsm")?;
    let (server, address) = hsm.serve(&identity, WEAK)?;
    let signed = hsm.site().vault().stats().sign;
    let alert = hsm.refused(&address, &old)?;
    let said = server.wait_for(":akv_provider:", LIMIT)?;
    assert_eq!(alert, 80, "internal_error: {said}");
    assert_eq!(entries(&said), 1, "{said}");
    assert!(said.contains("Managed HSM signs SHA-256"), "{said}");
    assert_eq!(hsm.site().vault().stats().sign, signed, "refused before any request");
    Ok(())
}

/// Builds of 4.x may omit it.
fn has_tls_1_1(site: &Site) -> Result<bool> {
    let ciphers = site.plain().task(["ciphers", "-s", "-tls1_1", "ALL:@SECLEVEL=0"]).run()?;
    let has = ciphers.status.success() && ciphers.text().contains("AES");
    let version = Installation::selected().version()?;
    assert!(has || version.starts_with("4."), "{version}: {}", ciphers.describe());
    Ok(has)
}
