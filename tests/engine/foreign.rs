//! Other keys, with the engine loaded and set as default for everything.

use akv_emulator::{Curve, Persona};
use akv_tests::{
    Site,
    engine::{openssl, plain, program},
};
use anyhow::Result;

#[test]
fn keys_of_a_program_are_left_unchanged() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let (rsa, ec) = (site.rsa(2048)?, site.ec(Curve::P256)?);
    program(&site, "engine/foreign")?.args([&rsa, &ec]).ok()?;
    assert!(site.vault().stats().sign >= 2);
    Ok(())
}

#[test]
fn other_key_files_are_read_and_used_unchanged() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let (engine, plain) = (openssl(&site)?, plain(&site)?);
    let (key, sig, cert) = (site.text("foreign.key"), site.text("foreign.sig"), site.text("f.pem"));
    let data = site.text("vault-ca.pem");
    for options in [
        "RSA -pkeyopt rsa_keygen_bits:2048",
        "EC -pkeyopt ec_paramgen_curve:P-256",
        "ED25519",
        "X25519",
    ] {
        engine.ok(&format!("genpkey -algorithm {options} -out {key}"))?;
        engine.ok(&format!("pkey -in {key} -noout -text"))?;
        if options.starts_with(['R', 'E']) {
            engine.ok(&format!("req -new -x509 -key {key} -subj /CN=foreign -out {cert}"))?;
            plain.ok(&format!("verify -CAfile {cert} {cert}"))?;
        }
        if options.starts_with("RSA") || options.starts_with("EC") {
            engine.ok(&format!("dgst -sha256 -engine e_akv -sign {key} -out {sig} {data}"))?;
            plain.ok(&format!("dgst -sha256 -prverify {key} -signature {sig} {data}"))?;
        }
    }
    assert_eq!(site.vault().stats().connections, 0, "no request to the vault");
    Ok(())
}
