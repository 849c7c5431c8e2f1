//! The `openssl` program.

use akv_emulator::Persona;
use akv_tests::engine::KEY;
use anyhow::Result;

use crate::stage::Stage;

/// Signs and creates a certificate with both keys; this machine's OpenSSL verifies both.
fn sign(persona: Persona) -> Result<()> {
    let stage = Stage::open(persona)?;
    let openssl = |line: &str| stage.task("openssl").args(line.split_whitespace()).ok();
    let [public, signature, cert] = ["pub", "sig", "pem"].map(|file| stage.site.text(file));
    let data = stage.write("data", "to be signed")?;
    for key in stage.keys() {
        let reference = &key.reference;
        openssl(&format!(
            "pkey -engine e_akv -inform engine -in {reference} -pubout -out {public}"
        ))?;
        openssl(&format!(
            "dgst -sha384 -engine e_akv -keyform engine -sign {reference} -out {signature} {data}"
        ))?;
        stage.client.ok(&format!("dgst -sha384 -verify {public} -signature {signature} {data}"))?;
        openssl(&format!("req -x509 -new {KEY} -key {reference} -subj /CN=d11 -out {cert}"))?;
        stage.client.ok(&format!("verify -CAfile {cert} {cert}"))?;
    }
    Ok(())
}

#[test]
fn signs_with_keys_of_a_vault() -> Result<()> {
    sign(Persona::Vault)
}

#[test]
fn signs_with_keys_of_a_managed_hsm() -> Result<()> {
    sign(Persona::ManagedHsm)
}
