//! Every signature algorithm that a client may require (RFC 8446 section 4.2.3) and OpenSSL
//! supports: those that the key can make, and those that must fail.

use akv_emulator::{Curve, Persona};
use anyhow::{Context as _, Result};

use crate::scene::{Scene, WEAK, entries};

/// `handshake_failure`: there is nothing that both sides can use.
const HANDSHAKE_FAILURE: u8 = 40;

const RSA_PKCS1: [&str; 5] = [
    "rsa_pkcs1_sha1",
    "rsa_pkcs1_sha224",
    "rsa_pkcs1_sha256",
    "rsa_pkcs1_sha384",
    "rsa_pkcs1_sha512",
];
const RSA_PSS: [&str; 3] = ["rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384", "rsa_pss_rsae_sha512"];
const RSA_PSS_KEYS: [&str; 3] = ["rsa_pss_pss_sha256", "rsa_pss_pss_sha384", "rsa_pss_pss_sha512"];
const ECDSA: [&str; 5] = [
    "ECDSA+SHA1",
    "ECDSA+SHA224",
    "ecdsa_secp256r1_sha256",
    "ecdsa_secp384r1_sha384",
    "ecdsa_secp521r1_sha512",
];
const OTHERS: [&str; 2] = ["ed25519", "ed448"];

fn digest_of(algorithm: &str) -> String {
    algorithm.rsplit(['_', '+']).next().unwrap_or_default().to_ascii_uppercase()
}

/// Connects with each algorithm of `taken`, and checks that each of `refused` fails.
fn check(
    scene: &Scene,
    (reference, name): (&str, &str),
    protocol: &str,
    (taken, refused): (&[&str], &[&str]),
) -> Result<()> {
    let identity = scene.identity(reference, name)?;
    let (server, address) = scene.serve(&identity, WEAK)?;
    for algorithm in taken {
        let arguments = format!("{protocol} {WEAK} -sigalgs {algorithm}");
        let seen = scene
            .connect(&address, &arguments)
            .with_context(|| format!("{name} {arguments}: {}", server.output()))?;
        assert_eq!(seen.digest, digest_of(algorithm), "{name} {arguments}");
        assert_eq!(seen.signature == "RSA-PSS", algorithm.contains("_pss_"), "{arguments}");
    }
    let signed = scene.site().vault().stats().sign;
    for algorithm in refused {
        let alert = scene.refused(&address, &format!("{protocol} {WEAK} -sigalgs {algorithm}"))?;
        assert_eq!(alert, HANDSHAKE_FAILURE, "{name} {protocol} {algorithm}");
    }
    assert_eq!(scene.site().vault().stats().sign, signed, "refused before any request");
    assert_eq!(entries(&server.output()), 0, "OpenSSL's own words do: {}", server.output());
    Ok(())
}

#[test]
fn rsa_server_in_tls_1_2_accepts_pkcs1_and_pss() -> Result<()> {
    let scene = Scene::start(Persona::Vault)?;
    let key = scene.site().rsa(2048)?;
    let taken = [&RSA_PKCS1[..], &RSA_PSS].concat();
    let refused = [&RSA_PSS_KEYS[..], &ECDSA, &OTHERS].concat();
    check(&scene, (&key, "rsa-12"), "-tls1_2", (&taken, &refused))
}

#[test]
fn rsa_server_in_tls_1_3_accepts_only_pss() -> Result<()> {
    let scene = Scene::start(Persona::Vault)?;
    let key = scene.site().rsa(2048)?;
    // PKCS#1 v1.5 and SHA-1 are for certificates only there.
    let refused = [&RSA_PKCS1[2..], &RSA_PSS_KEYS, &ECDSA[2..], &OTHERS].concat();
    check(&scene, (&key, "rsa-13"), "-tls1_3", (&RSA_PSS, &refused))
}

#[test]
fn ec_server_in_tls_1_2_accepts_every_digest_with_every_curve() -> Result<()> {
    let scene = Scene::start(Persona::Vault)?;
    let refused = [&RSA_PKCS1[..], &RSA_PSS, &RSA_PSS_KEYS, &OTHERS].concat();
    for (curve, name) in [(Curve::P256, "p256-12"), (Curve::P521, "p521-12")] {
        let key = scene.site().ec(curve)?;
        check(&scene, (&key, name), "-tls1_2", (&ECDSA, &refused))?;
    }
    Ok(())
}

#[test]
fn ec_server_in_tls_1_3_accepts_the_digest_of_its_curve() -> Result<()> {
    let scene = Scene::start(Persona::Vault)?;
    for (curve, name, right) in [
        (Curve::P256, "p256-13", "ecdsa_secp256r1_sha256"),
        (Curve::P384, "p384-13", "ecdsa_secp384r1_sha384"),
        (Curve::P521, "p521-13", "ecdsa_secp521r1_sha512"),
    ] {
        let key = scene.site().ec(curve)?;
        let others = ECDSA[2..].iter().copied().filter(|algorithm| *algorithm != right);
        let refused: Vec<&str> = others.chain(RSA_PSS).chain(OTHERS).collect();
        check(&scene, (&key, name), "-tls1_3", (&[right], &refused))?;
    }
    Ok(())
}

/// OpenSSL queries the digests that a key can sign, and skips those that a Managed HSM cannot.
#[test]
fn managed_hsm_gets_only_digests_that_it_signs() -> Result<()> {
    let scene = Scene::start(Persona::ManagedHsm)?;
    let key = scene.site().rsa(2048)?;
    let taken = [&RSA_PKCS1[2..], &RSA_PSS].concat();
    check(&scene, (&key, "hsm-12"), "-tls1_2", (&taken, &RSA_PKCS1[..2]))?;
    let identity = scene.identity(&key, "hsm-either")?;
    let either = format!("-tls1_2 {WEAK} -sigalgs rsa_pkcs1_sha1:rsa_pkcs1_sha256");
    scene.check(&identity, WEAK, &[(&either, ["TLSv1.2", "RSA", "SHA256"])])
}
