//! A host that prefers our provider for everything: by a property query, or by its default
//! properties. Its own keys still work.

use akv_emulator::{Curve, Persona};
use akv_tests::{OpenSsl, Site};
use anyhow::Result;

/// What prefers us.
const QUERY: &str = "-propquery ?provider=akv_provider";

/// A site, its `openssl` under default properties that prefer us, and nothing said twice.
fn preferring(site: &Site) -> Result<OpenSsl> {
    let text = site.read("openssl.cnf")?.replace(
        "[openssl_init]\n",
        "[openssl_init]\nalg_section = algorithms\n\
         [algorithms]\ndefault_properties = ?provider=akv_provider\n[openssl_init]\n",
    );
    std::fs::write(site.path("preferring.cnf"), text)?;
    Ok(OpenSsl::new(site.path("preferring.cnf"), site.folder()))
}

/// Does with a key of the host what can be done with it.
fn use_key(site: &Site, openssl: &OpenSsl, query: &str, name: &str) -> Result<()> {
    let file = |suffix: &str| site.text(&format!("{name}.{suffix}"));
    let (key, public, data) = (file("key"), file("pub"), site.text("plain.cnf"));
    let (signature, certificate) = (file("sig"), file("crt"));
    site.plain().ok(&format!("pkey -in {key} -pubout -out {public}"))?;
    for line in [
        format!("pkey -in {key} -check -noout {query}"),
        format!("pkey -pubin -in {public} -pubcheck -noout {query}"),
        format!("dgst -sha256 -sign {key} {query} -out {signature} {data}"),
        format!("dgst -sha256 -verify {public} {query} -signature {signature} {data}"),
        format!("req -new -x509 -key {key} -subj /CN=own {query} -out {certificate}"),
        format!(
            "pkcs12 -export -inkey {key} -in {certificate} -passout pass:x {query} -out {data}.p12"
        ),
        format!("cms -encrypt -in {data} -outform PEM {query} -out {data}.cms {certificate}"),
        format!(
            "cms -decrypt -in {data}.cms -inform PEM -inkey {key} -recip {certificate} {query}"
        ),
    ] {
        openssl.ok(&line)?;
    }
    let plain = format!("dgst -sha256 -verify {public} -signature {signature} {data}");
    site.plain().ok(&plain)?;
    Ok(())
}

#[test]
fn the_hosts_own_keys_work_when_ours_are_preferred() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let preferring = preferring(&site)?;
    for (name, options) in [
        ("rsa", "RSA -pkeyopt rsa_keygen_bits:2048"),
        ("p256", "EC -pkeyopt ec_paramgen_curve:P-256"),
        ("brainpool", "EC -pkeyopt ec_paramgen_curve:brainpoolP256r1"),
    ] {
        let key = site.text(&format!("{name}.key"));
        site.plain().ok(&format!("genpkey -algorithm {options} -out {key}"))?;
        use_key(&site, &site.openssl(), QUERY, name)?;
        use_key(&site, &preferring, "", name)?;
    }
    let (key, public) = (site.text("p256.key"), site.text("p256.pub"));
    for (openssl, query) in [(&site.openssl(), QUERY), (&preferring, "")] {
        openssl.ok(&format!("pkeyutl -derive -inkey {key} -peerkey {public} -hexdump {query}"))?;
        // A type that we do not have.
        openssl.ok(&format!("genpkey -algorithm ED25519 {query} -out {}", site.text("ed.key")))?;
    }
    assert_eq!(site.vault().stats().connections, 0);
    Ok(())
}

#[test]
fn keys_of_a_vault_work_when_they_are_preferred() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let (signature, data) = (site.text("preferred.sig"), site.text("plain.cnf"));
    for key in [site.rsa(2048)?, site.ec(Curve::P384)?] {
        let public = site.public_key(&key)?;
        for (openssl, query) in [
            (&site.openssl(), QUERY),
            (&site.openssl(), "-propquery provider=akv_provider"),
            (&preferring(&site)?, ""),
        ] {
            openssl.ok(&format!(
                "pkeyutl -sign -rawin -digest sha256 -inkey {key} {query} \
                                 -in {data} -out {signature}"
            ))?;
            let verify = format!("dgst -sha256 -verify {public} -signature {signature} {data}");
            site.plain().ok(&verify)?;
        }
    }
    Ok(())
}

/// A preference means that we are asked to make the key. What libcrypto then has in its hands is
/// ours for good, so we cannot leave it to others any more.
#[test]
fn making_a_key_fails_with_the_way_out_when_ours_are_preferred() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let preferring = preferring(&site)?;
    for algorithm in ["RSA", "EC -pkeyopt ec_paramgen_curve:P-256"] {
        let out = site.text("made.key");
        for (openssl, query) in [(&site.openssl(), QUERY), (&preferring, "")] {
            let line = format!("genpkey -algorithm {algorithm} {query} -out {out}");
            let output = openssl.fails(&line)?;
            let said = output.stderr.matches("akv_provider:").count();
            assert_eq!(said, 1, "{}", output.describe());
            assert!(output.stderr.contains("'?provider=default'"), "{}", output.describe());
        }
        preferring.ok(&format!(
            "genpkey -algorithm {algorithm} -propquery ?provider=default -out {out}"
        ))?;
    }
    Ok(())
}
