//! Keys that are not ours work as if the provider were not there.

use akv_emulator::Persona;
use akv_tests::Site;
use anyhow::Result;

#[test]
fn key_files_of_others_are_left_alone() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.text("foreign.key");
    let (data, signature) = (site.text("plain.cnf"), site.text("foreign.sig"));
    let certificate = site.text("foreign.pem");
    for options in ["RSA -pkeyopt rsa_keygen_bits:2048", "EC -pkeyopt ec_paramgen_curve:P-256"] {
        site.openssl().ok(&format!("genpkey -algorithm {options} -out {key}"))?;
        let text = site.read("foreign.key")?;
        assert!(text.starts_with("-----BEGIN PRIVATE KEY-----"), "a foreign key stays PKCS#8");
        for properties in ["", "-propquery ?provider=akv_provider"] {
            site.openssl().ok(&format!(
                "req -x509 -new -key {key} -subj /CN=foreign {properties} -out {certificate}"
            ))?;
            site.plain().ok(&format!("verify -CAfile {certificate} {certificate}"))?;
        }
        site.openssl().ok(&format!("dgst -sha256 -sign {key} -out {signature} {data}"))?;
        site.plain().ok(&format!("dgst -sha256 -prverify {key} -signature {signature} {data}"))?;
    }
    assert_eq!(site.vault().stats().connections, 0);
    Ok(())
}
