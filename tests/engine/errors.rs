//! Every failure leaves one readable entry of the engine in OpenSSL's error queue.

use akv_emulator::{Curve, Fault, FaultKind, Operation, Persona};
use akv_tests::{
    Output, Site,
    engine::{KEY, entries, is_entry, openssl, plain, public_key},
};
use anyhow::Result;

/// Checks that there is exactly one entry, with these words.
fn one_entry(failed: &Output, words: &[&str]) {
    assert_eq!(entries(&failed.stderr), 1, "{}", failed.describe());
    let line = failed.stderr.lines().find(|line| is_entry(line)).unwrap_or_default();
    for word in words {
        assert!(line.contains(word), "{word}: {}", failed.describe());
    }
    assert!(line.len() < 1200, "{line}");
}

#[test]
fn keys_that_cannot_be_loaded_are_reported() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let engine = openssl(&site)?;
    for (reference, words) in [
        ("vault:testvault:missing", &["HTTP 404", "KeyNotFound", "request id"][..]),
        ("vault:testvault:", &["vault:testvault:"]),
        ("vault:t:k", &["invalid key reference", "the vault name"]),
        ("https://evil.example/keys/k", &["evil.example"]),
        ("nonsense", &["nonsense"]),
    ] {
        for kind in ["", "-pubin"] {
            let command =
                format!("pkey -engine e_akv -inform engine {kind} -in {reference} -noout");
            one_entry(&engine.fails(&command)?, words);
        }
    }
    Ok(())
}

#[test]
fn unsupported_operations_are_reported() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let (engine, plain) = (openssl(&site)?, plain(&site)?);
    let (rsa, ec) = (site.rsa(2048)?, site.ec(Curve::P256)?);
    let hash = site.text("hash.bin");
    std::fs::write(&hash, [7; 32])?;
    let block = site.text("block.bin");
    std::fs::write(&block, [7; 256])?;
    let public = public_key(&site, &rsa)?;
    let cipher = site.text("cipher.bin");
    plain.ok(&format!(
        "pkeyutl -encrypt -pubin -inkey {public} -in {hash} -out {cipher} \
         -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha512"
    ))?;
    let peer = site.text("peer.pem");
    let peer_key = site.text("peer.key");
    plain.ok(&format!("ecparam -name prime256v1 -genkey -noout -out {peer_key}"))?;
    plain.ok(&format!("pkey -in {peer_key} -pubout -out {peer}"))?;
    let sign = format!("pkeyutl -sign {KEY} -inkey {rsa} -in {hash} -pkeyopt digest:sha256");
    for (command, words) in [
        (
            format!("{sign} -pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:20"),
            &["not supported", "salt", "rsa_pss_saltlen:digest"][..],
        ),
        (
            format!("{sign} -pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:max"),
            &["not supported", "salt"],
        ),
        (
            format!("{sign} -pkeyopt rsa_padding_mode:pss -pkeyopt rsa_mgf1_md:sha1"),
            &["not supported", "MGF1"],
        ),
        (
            format!("pkeyutl -sign {KEY} -inkey {rsa} -in {hash} -pkeyopt rsa_padding_mode:none"),
            &["not supported", "raw RSA", &rsa],
        ),
        (
            format!(
                "pkeyutl -decrypt {KEY} -inkey {rsa} -in {cipher} \
                 -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha512"
            ),
            &["not supported", "OAEP"],
        ),
        (
            format!("pkeyutl -decrypt {KEY} -inkey {rsa} -in {block}"),
            &["refused by the service", "HTTP 400", &rsa],
        ),
        (
            format!("pkeyutl -derive {KEY} -inkey {ec} -peerkey {peer}"),
            &["not supported", "ECDH", &ec],
        ),
    ] {
        one_entry(&engine.fails(&command)?, words);
    }
    Ok(())
}

#[test]
fn refusals_and_outages_of_the_service_are_reported() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let engine = openssl(&site)?;
    let hash = site.text("hash.bin");
    std::fs::write(&hash, [7; 32])?;
    for key in [site.rsa(2048)?, site.ec(Curve::P256)?] {
        let command = format!("pkeyutl -sign {KEY} -inkey {key} -in {hash} -pkeyopt digest:sha256");
        site.vault().fault(Fault::new(FaultKind::Forbidden).on(Operation::Sign));
        one_entry(&engine.fails(&command)?, &["HTTP 403", "Forbidden", "request id"]);
        engine.ok(&format!("{command} -out {}", site.text("sig")))?;
    }
    let away = engine.env("AKV_ENDPOINT", "https://127.0.0.1:1").env("AKV_TIMEOUT", "2s");
    let command = "pkey -engine e_akv -inform engine -noout -in vault:testvault:k";
    one_entry(&away.fails(command)?, &["timeout", "127.0.0.1:1"]);
    Ok(())
}

#[test]
fn a_managed_hsm_refuses_sha_1() -> Result<()> {
    let site = Site::start(Persona::ManagedHsm)?;
    let engine = openssl(&site)?;
    let key = site.rsa(2048)?;
    let data = site.text("engine.cnf");
    for digest in ["sha256", "sha384", "sha512"] {
        engine.ok(&format!("dgst -{digest} {KEY} -sign {key} -out {} {data}", site.text("sig")))?;
    }
    let failed = engine.fails(&format!("dgst -sha1 {KEY} -sign {key} {data}"))?;
    one_entry(&failed, &["not supported", "SHA-1", &key]);
    Ok(())
}
