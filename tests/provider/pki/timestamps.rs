//! `openssl ts`: a time-stamping authority, which accepts only key files.

use std::fs;

use akv_emulator::Curve;
use anyhow::Result;

use super::Pki;

#[test]
fn replies_are_signed_in_the_vault() -> Result<()> {
    let pki = Pki::start()?;
    let site = &pki.site;
    let (data, query, reply) = (site.text("plain.cnf"), site.text("ts.tsq"), site.text("ts.tsr"));
    let config = site.text("tsa.cnf");
    fs::write(site.path("tsa.serial"), "01\n")?;
    let text = format!(
        "{}\n[tsa]\ndefault_tsa = authority\n[authority]\nserial = {}\n\
         crypto_device = builtin\nsigner_digest = sha256\ndefault_policy = 1.2.3.4.1\n\
         digests = sha256, sha384, sha512\naccuracy = secs:1\nordering = yes\ntsa_name = yes\n\
         ess_cert_id_chain = no\ness_cert_id_alg = sha256\n",
        site.read("openssl.cnf")?,
        site.text("tsa.serial"),
    );
    fs::write(&config, text)?;
    for (key, name) in [(site.rsa(2048)?, "tsa-rsa"), (site.ec(Curve::P256)?, "tsa-ec")] {
        let extensions =
            "extendedKeyUsage=critical,timeStamping\nkeyUsage=critical,digitalSignature\n";
        let authority = pki.certify(&key, name, extensions)?;
        for digest in ["sha256", "sha512"] {
            site.plain().ok(&format!("ts -query -data {data} -{digest} -cert -out {query}"))?;
            let before = site.vault().stats().sign;
            site.openssl().ok(&format!(
                "ts -reply -config {config} -section authority -queryfile {query} -signer {} \
                 -inkey {} -out {reply}",
                authority.certificate, authority.key
            ))?;
            assert_eq!(site.vault().stats().sign - before, 1, "{name} {digest}");
            let verify = format!("ts -verify -in {reply} -CAfile {}", pki.root);
            for against in [format!("-queryfile {query}"), format!("-data {data}")] {
                let checked = site.plain().ok(&format!("{verify} {against}"))?;
                let said = checked.text() + &checked.stderr;
                assert!(said.contains("Verification: OK"), "{}", checked.describe());
            }
            // The same reply is not valid for other data.
            site.plain().fails(&format!("{verify} -data {config}"))?;
        }
    }
    Ok(())
}
