//! Handshakes that succeed.

use std::time::Duration;

use akv_emulator::{Curve, Fault, Operation};
use anyhow::Result;

use crate::stage::{Kind, Stage};

/// Arguments of the client, and the signature that follows: its kind and digest.
type Case = (&'static str, &'static str, &'static str);

/// Handshakes one after the other, each with one request.
fn agrees(kind: Kind, cases: &[Case]) -> Result<()> {
    let stage = Stage::open(kind)?;
    let running = stage.serve(&[], &[])?;
    stage.site.vault().reset_stats();
    for (arguments, signature, digest) in cases {
        let handshake = running.connect(arguments)?;
        let found = (handshake.signature.as_str(), handshake.digest.as_str());
        assert_eq!(found, (*signature, *digest), "{arguments}");
        let protocol = if arguments.contains("-tls1_2") { "TLSv1.2" } else { "TLSv1.3" };
        assert_eq!(handshake.protocol, protocol, "{arguments}");
    }
    assert_eq!(stage.site.vault().stats().sign, cases.len() as u64);
    Ok(())
}

#[test]
fn rsa_keys_sign_with_both_paddings_and_all_digests() -> Result<()> {
    agrees(
        Kind::Rsa,
        &[
            ("-tls1_3", "RSA-PSS", "SHA256"),
            ("-tls1_3 -sigalgs rsa_pss_rsae_sha384", "RSA-PSS", "SHA384"),
            ("-tls1_3 -sigalgs rsa_pss_rsae_sha512", "RSA-PSS", "SHA512"),
            ("-tls1_2 -sigalgs rsa_pss_rsae_sha256", "RSA-PSS", "SHA256"),
            ("-tls1_2 -sigalgs rsa_pkcs1_sha256", "RSA", "SHA256"),
            ("-tls1_2 -sigalgs rsa_pkcs1_sha384", "RSA", "SHA384"),
            ("-tls1_2 -sigalgs rsa_pkcs1_sha512", "RSA", "SHA512"),
        ],
    )
}

#[test]
fn ec_keys_sign_with_the_digest_of_their_curve() -> Result<()> {
    for (curve, digest) in
        [(Curve::P256, "SHA256"), (Curve::P384, "SHA384"), (Curve::P521, "SHA512")]
    {
        agrees(Kind::Ec(curve), &[("-tls1_3", "ECDSA", digest), ("-tls1_2", "ECDSA", digest)])?;
    }
    Ok(())
}

/// The number of clients whose handshakes are in progress at the same time.
const CLIENTS: usize = 24;

fn serves_together(kind: Kind) -> Result<()> {
    let stage = Stage::open(kind)?;
    let running = stage.serve(&[], &[])?;
    stage.site.vault().reset_stats();
    // Long enough for all clients to start.
    stage.site.vault().fault(Fault::latency(Duration::from_secs(8)).on(Operation::Sign).forever());
    running.connect_together(&["-tls1_2", "-tls1_3"].repeat(CLIENTS / 2))?;
    assert_eq!(stage.site.vault().stats().sign, CLIENTS as u64);
    Ok(())
}

#[test]
fn one_thread_serves_many_handshakes_with_an_rsa_key_at_a_time() -> Result<()> {
    serves_together(Kind::Rsa)
}

#[test]
fn one_thread_serves_many_handshakes_with_an_ec_key_at_a_time() -> Result<()> {
    serves_together(Kind::Ec(Curve::P256))
}
