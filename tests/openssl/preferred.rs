//! A host that prefers our provider for everything: by a property query, or by its default
//! properties. Its own keys still work.

use akv_emulator::{Curve, Operation, Persona};
use akv_tests::{OpenSsl, Site, Task, cc};
use anyhow::Result;

/// What prefers us.
const QUERY: &str = "-propquery ?provider=akv_provider";

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
    let preferring = site.preferring()?;
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
            (&site.preferring()?, ""),
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

/// A preference means that we are asked to make every key, and what libcrypto then has in its hands
/// is ours for good.
#[test]
fn keys_that_are_made_do_everything_in_memory_when_ours_are_preferred() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let program = cc::compile("preferred", site.folder())?;
    let output = Task::new(&program).env("OPENSSL_CONF", site.path("openssl.cnf")).ok()?;
    assert_eq!(output.text().trim(), "14", "{}", output.describe());
    for (openssl, query) in [(&site.openssl(), QUERY), (&site.preferring()?, "")] {
        let output = openssl.ok(&format!(
            "genpkey -genparam -algorithm EC -pkeyopt ec_paramgen_curve:P-256 {query}"
        ))?;
        assert!(output.text().contains("BEGIN EC PARAMETERS"), "{}", output.describe());
    }
    assert_eq!(site.vault().stats().connections, 0);
    Ok(())
}

/// The one thing that they do not do: whoever asks us for a key and forgets to say in which vault
/// is not to get one in a file.
#[test]
fn a_key_that_is_in_no_vault_is_not_written_when_ours_are_preferred() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let preferring = site.preferring()?;
    let out = site.text("made.key");
    let is_told = |openssl: &OpenSsl, line: &str| -> Result<()> {
        let output = openssl.fails(line)?;
        let said = output.stderr.matches("akv_provider:").count();
        assert_eq!(said, 1, "{}", output.describe());
        for way in ["akv-name:vault:NAME:KEY", "'?provider=default'"] {
            assert!(output.stderr.contains(way), "{}", output.describe());
        }
        // Not every release begins a file before it has something to write.
        let written = site.read("made.key").unwrap_or_default();
        assert!(!written.contains("PRIVATE"), "{line}: {written}");
        Ok(())
    };
    for algorithm in ["RSA", "EC -pkeyopt ec_paramgen_curve:P-256"] {
        for form in ["", "-outform DER", "-aes256 -pass pass:x"] {
            let line = format!("genpkey -algorithm {algorithm} {form} -out {out}");
            is_told(&preferring, &line)?;
            is_told(&site.openssl(), &format!("{line} {QUERY}"))?;
            // A cipher would have to be ours too.
            if !form.contains("aes") {
                is_told(&site.openssl(), &format!("{line} -propquery provider=akv_provider"))?;
            }
        }
        // Something of a vault was said, and not which.
        let line = format!("genpkey -algorithm {algorithm} -pkeyopt akv-hsm:yes -out {out}");
        is_told(&preferring, &line)?;
        let line = format!("genpkey -algorithm {algorithm} -propquery ?provider=default");
        preferring.ok(&format!("{line} -out {}", site.text("own.key")))?;
        assert!(site.read("own.key")?.starts_with("-----BEGIN PRIVATE KEY-----"));
    }
    let request = "req -x509 -subj /CN=own -nodes -newkey rsa:2048";
    is_told(&preferring, &format!("{request} -keyout {out} -out {}", site.text("made.crt")))?;
    assert_eq!(site.vault().stats().connections, 0);
    Ok(())
}

/// What was said is for the vault once its name comes, in whatever order.
#[test]
fn keys_are_made_in_a_vault_when_they_are_preferred() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let preferring = site.preferring()?;
    let out = site.text("made.key");
    // The service's name of a curve, which other providers do not know.
    for (name, options) in [
        ("rsa", "-algorithm RSA -pkeyopt rsa_keygen_bits:3072"),
        ("k1", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256K"),
    ] {
        let place = format!("-pkeyopt akv-name:{}", site.reference(name));
        preferring.ok(&format!("genpkey {options} {place} -out {out}"))?;
        assert!(site.read("made.key")?.starts_with("-----BEGIN AKV PRIVATE KEY-----"));
    }
    let (size, place) = ("-pkeyopt rsa_keygen_bits:1024", site.reference("small"));
    for options in
        [format!("{size} -pkeyopt akv-name:{place}"), format!("-pkeyopt akv-name:{place} {size}")]
    {
        let output = preferring.fails(&format!("genpkey -algorithm RSA {options} -out {out}"))?;
        assert!(output.stderr.contains("2048, 3072 and 4096"), "{}", output.describe());
    }
    let requests = site.vault().stats().operation(Operation::CreateKey);
    assert_eq!(requests, 2);
    Ok(())
}
