//! Hosts that require validated modules.
//!
//! No test needs a FIPS provider: it is enough that libcrypto requires `fips=yes`, and that only
//! `base` and ours are loaded.

use akv_emulator::{Curve, Persona};
use akv_tests::{OpenSsl, Site};
use anyhow::Result;

/// A host with these default properties, whose only other provider is `base`.
fn host(site: &Site, properties: &str, setting: &str) -> Result<OpenSsl> {
    let text = site
        .read("openssl.cnf")?
        .replace("default = default_provider\n", "base = base_provider\n")
        .replace("[default_provider]\n", "[base_provider]\n")
        .replace("[akv_provider]\n", &format!("[akv_provider]\n{setting}"))
        .replace(
            "[openssl_init]\n",
            &format!(
                "[openssl_init]\nalg_section = algorithms\n\
                 [algorithms]\ndefault_properties = {properties}\n[openssl_init]\n"
            ),
        );
    std::fs::write(site.path("fips.cnf"), text)?;
    Ok(OpenSsl::new(site.path("fips.cnf"), site.folder()))
}

#[test]
fn keys_are_found_by_a_fips_query_only_with_the_setting() -> Result<()> {
    let site = Site::start(Persona::ManagedHsm)?;
    let (digest, signature) = (site.text("digest.bin"), site.text("fips.sig"));
    let data = site.text("plain.cnf");
    site.plain().ok(&format!("dgst -sha256 -binary -out {digest} {data}"))?;
    for (reference, options) in [
        (site.rsa(2048)?, "-pkeyopt digest:sha256 -pkeyopt rsa_padding_mode:pss"),
        (site.rsa(3072)?, "-pkeyopt digest:sha256"),
        (site.ec(Curve::P256)?, "-pkeyopt digest:sha256"),
    ] {
        let public = site.public_key(&reference)?;
        let openssl = host(&site, "fips=yes", "fips = yes\n")?;
        let file = site.text("fips.key");
        openssl.ok(&format!("pkey -in {reference} -out {file}"))?;
        assert!(site.read("fips.key")?.starts_with("-----BEGIN AKV PRIVATE KEY-----"));
        let written = openssl.ok(&format!("pkey -in {file} -pubout"))?.text();
        assert_eq!(written, std::fs::read_to_string(&public)?);
        let listed = openssl.ok(&format!("storeutl -noout {reference}"))?.text();
        assert!(listed.contains("0: Pkey"), "{listed}");
        let sign = format!("pkeyutl -sign -inkey {file} {options} -in {digest} -out {signature}");
        openssl.ok(&sign)?;
        let salt = "-pkeyopt rsa_pss_saltlen:digest";
        let salt = if options.contains("pss") { salt } else { "" };
        site.plain().ok(&format!(
            "pkeyutl -verify -pubin -inkey {public} {options} {salt} -in {digest} \
             -sigfile {signature}"
        ))?;
        // No FIPS provider is loaded that could hash or verify for programs that name no digest of
        // the host's.
        let message = format!("-rawin -inkey {file} -in {data}");
        openssl.ok(&format!("pkeyutl -sign {message} -out {signature}"))?;
        site.plain().ok(&format!("dgst -sha256 -verify {public} -signature {signature} {data}"))?;
        openssl.ok(&format!("pkeyutl -verify {message} -sigfile {signature}"))?;
        // Without the setting there is no such property, and a host that does not require it works
        // as before.
        host(&site, "fips=yes", "")?.fails(&format!("pkey -in {reference} -noout"))?;
        host(&site, "fips=yes", "fips = no\n")?.fails(&sign)?;
        host(&site, "?fips=yes", "")?.ok(&sign)?;
    }
    Ok(())
}

#[test]
fn the_setting_changes_nothing_for_hosts_without_a_fips_query() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let text =
        site.read("openssl.cnf")?.replace("[akv_provider]\n", "[akv_provider]\nfips = yes\n");
    std::fs::write(site.path("declared.cnf"), text)?;
    let openssl = OpenSsl::new(site.path("declared.cnf"), site.folder());
    let key = site.key_file(&site.ec(Curve::P256)?, "declared.key")?;
    openssl.ok(&format!("pkey -in {key} -noout"))?;
    // Another provider now verifies and encrypts, with the same results.
    let rsa = site.key_file(&site.rsa(2048)?, "declared-rsa.key")?;
    let (signature, data) = (site.text("declared.sig"), site.text("plain.cnf"));
    for (key, options) in [
        (&key, ""),
        (&rsa, ""),
        (&rsa, "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest"),
    ] {
        openssl.ok(&format!("dgst -sha256 {options} -sign {key} -out {signature} {data}"))?;
        let verify = format!("dgst -sha256 {options} -prverify {key} -signature {signature}");
        openssl.ok(&format!("{verify} {data}"))?;
        let output = openssl.fails(&format!("{verify} {key}"))?;
        assert!(!output.stderr.contains("akv_provider"), "{}", output.describe());
    }
    let (secret, encrypted) = (site.text("secret"), site.text("encrypted"));
    std::fs::write(&secret, "secret")?;
    openssl.ok(&format!("pkeyutl -encrypt -inkey {rsa} -in {secret} -out {encrypted}"))?;
    let decrypted = openssl.ok(&format!("pkeyutl -decrypt -inkey {rsa} -in {encrypted}"))?;
    assert_eq!(decrypted.text(), "secret");
    // The host's own keys stay with their own provider.
    let own = site.text("own.key");
    for algorithm in ["RSA", "EC -pkeyopt ec_paramgen_curve:P-256"] {
        openssl.ok(&format!("genpkey -algorithm {algorithm} -out {own}"))?;
        openssl.ok(&format!("dgst -sha256 -sign {own} -out {signature} {data}"))?;
        openssl.ok(&format!("dgst -sha256 -prverify {own} -signature {signature} {data}"))?;
    }
    Ok(())
}
