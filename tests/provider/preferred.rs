//! A host that prefers our provider for everything: by a property query, or by its default
//! properties. Its own keys still work.

use akv_emulator::{Curve, Operation, Persona};
use akv_tests::{OpenSsl, Site, Task, cc};
use anyhow::Result;

/// The option that prefers our provider.
const QUERY: &str = "-propquery ?provider=akv_provider";

/// Uses a key of the host in every way.
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

/// With a preference, libcrypto requests every new key from us, and such a key stays ours.
#[test]
fn generated_keys_work_in_memory_when_ours_are_preferred() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let program = cc::compile("provider/preferred", site.folder())?;
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

/// The only unsupported operation: a user who requests a key from us and forgets the vault must not
/// get one in a file.
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
        // Some releases create the file before they have something to write.
        let written = site.read("made.key").unwrap_or_default();
        assert!(!written.contains("PRIVATE"), "{line}: {written}");
        Ok(())
    };
    for algorithm in ["RSA", "EC -pkeyopt ec_paramgen_curve:P-256"] {
        for form in ["", "-outform DER", "-aes256 -pass pass:x"] {
            let line = format!("genpkey -algorithm {algorithm} {form} -out {out}");
            is_told(&preferring, &line)?;
            is_told(&site.openssl(), &format!("{line} {QUERY}"))?;
            // The cipher would also have to be ours.
            if !form.contains("aes") {
                is_told(&site.openssl(), &format!("{line} -propquery provider=akv_provider"))?;
            }
        }
        // A vault option without the vault's name.
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

/// Options apply to the vault once its name is set, in any order.
#[test]
fn keys_are_made_in_a_vault_when_they_are_preferred() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let preferring = site.preferring()?;
    let out = site.text("made.key");
    // The service's name of a curve, which other providers do not support.
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

/// MGF1 with a digest other than the message's, and any salt: vaults do not create such signatures,
/// but others do.
#[test]
fn pss_of_any_mgf1_digest_is_verified_when_ours_are_preferred() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let (key, public) = (site.text("pss.key"), site.text("pss.pub"));
    let (data, signature) = (site.text("plain.cnf"), site.text("pss.sig"));
    let certificate = site.text("pss.crt");
    site.plain().ok(&format!("genpkey -algorithm RSA -out {key}"))?;
    site.plain().ok(&format!("pkey -in {key} -pubout -out {public}"))?;
    let preferring = site.preferring()?;
    for (digest, mgf1, salt) in
        [("sha256", "sha1", "20"), ("sha512", "sha256", "0"), ("sha1", "sha384", "max")]
    {
        let options = format!(
            "-sigopt rsa_padding_mode:pss -sigopt rsa_mgf1_md:{mgf1} -sigopt rsa_pss_saltlen:{salt}"
        );
        site.plain()
            .ok(&format!("dgst -{digest} -sign {key} {options} -out {signature} {data}"))?;
        let verify = format!("dgst -{digest} -verify {public} {options} -signature {signature}");
        preferring.ok(&format!("{verify} {data}"))?;
        let output = preferring.fails(&format!("{verify} {key}"))?;
        assert!(output.describe().contains("erification failure"), "{}", output.describe());
        let request = format!("req -x509 -new -key {key} -subj /CN=pss -{digest} {options}");
        site.plain().ok(&format!("{request} -out {certificate}"))?;
        preferring.ok(&format!(
            "verify -auth_level 0 -check_ss_sig -CAfile {certificate} {certificate}"
        ))?;
    }
    // A vault key cannot sign this way, and the error says why.
    let sign = format!("dgst -sha256 -sign {} -sigopt rsa_padding_mode:pss", site.rsa(2048)?);
    let output = preferring.fails(&format!("{sign} -sigopt rsa_mgf1_md:sha1 {data}"))?;
    let reason = "uses SHA-256 for MGF1 when signing SHA-256, not SHA-1";
    assert!(output.stderr.contains(reason), "{}", output.describe());
    assert_eq!(site.vault().stats().sign, 0);
    Ok(())
}

/// `base` decodes all key files but manages no keys. libcrypto then loads them into the preferred
/// provider.
#[test]
fn the_hosts_own_key_files_work_with_base_in_any_order() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let vaults = site.key_file(&site.rsa(2048)?, "vault.key")?;
    for (name, algorithm) in [
        ("rsa", "RSA -pkeyopt rsa_keygen_bits:2048"),
        ("ec", "EC -pkeyopt ec_paramgen_curve:P-256"),
        ("brainpool", "EC -pkeyopt ec_paramgen_curve:brainpoolP256r1"),
        ("ed25519", "ED25519"),
    ] {
        let key = site.text(&format!("{name}.key"));
        site.plain().ok(&format!("genpkey -algorithm {algorithm} -out {key}"))?;
    }
    let (rsa, ec) = (site.text("rsa.key"), site.text("ec.key"));
    let mut forms = vec![site.text("ed25519.key"), site.text("brainpool.key")];
    for key in [&rsa, &ec] {
        forms.push(key.clone());
        let (old, der, encrypted) =
            (format!("{key}.old"), format!("{key}.der"), format!("{key}.encrypted"));
        site.plain().ok(&format!("pkey -in {key} -traditional -out {old}"))?;
        site.plain().ok(&format!("pkey -in {key} -outform DER -out {der}"))?;
        site.plain().ok(&format!("pkey -in {key} -aes256 -passout pass:x -out {encrypted}"))?;
        forms.extend([old, der, encrypted]);
    }
    let (data, signature) = (site.text("plain.cnf"), site.text("base.sig"));
    let certificate = site.text("base.crt");
    let public = |key: &str| format!("{key}.pub");
    for key in &forms {
        let written = public(key);
        site.plain().ok(&format!("pkey -in {key} -passin pass:x -pubout -out {written}"))?;
    }
    for (providers, query) in [
        (["default", "akv_provider", "base"], ""),
        (["default", "akv_provider", "base"], QUERY),
        (["default", "base", "akv_provider"], QUERY),
        (["akv_provider", "base", "default"], QUERY),
        (["base", "akv_provider", "default"], QUERY),
    ] {
        let openssl = with_providers(&site, &providers)?;
        for key in &forms {
            let digest = if key.contains("ed25519") { "" } else { "-digest sha256" };
            openssl.ok(&format!(
                "pkeyutl -sign -rawin {digest} -inkey {key} -passin pass:x {query} -in {data} \
                 -out {signature}"
            ))?;
            site.plain().ok(&format!(
                "pkeyutl -verify -rawin {digest} -pubin -inkey {} -in {data} -sigfile {signature}",
                public(key)
            ))?;
        }
        for key in [&rsa, &ec] {
            openssl.ok(&format!("dgst -sha256 -sign {key} {query} -out {signature} {data}"))?;
            let request = format!("req -x509 -new -key {key} -subj /CN=own {query}");
            openssl.ok(&format!("{request} -out {certificate}"))?;
            openssl.ok(&format!(
                "cms -sign -signer {certificate} -inkey {key} {query} -in {data} -out {data}.cms"
            ))?;
            site.plain().ok(&format!("cms -verify -in {data}.cms -CAfile {certificate}"))?;
        }
        openssl.ok(&format!("dgst -sha256 -sign {vaults} {query} -out {signature} {data}"))?;
    }
    Ok(())
}

/// The site's configuration with these providers in this order.
fn with_providers(site: &Site, providers: &[&str]) -> Result<OpenSsl> {
    let text = site.read("openssl.cnf")?;
    let listed = "default = default_provider\nakv_provider = akv_provider\n";
    assert!(text.contains(listed), "{text}");
    let sections = |name: &&str| match *name {
        "akv_provider" => "akv_provider = akv_provider\n".to_owned(),
        name => format!("{name} = {name}_provider\n"),
    };
    let order = providers.iter().map(sections).collect::<String>();
    let base = "\n[base_provider]\nactivate = 1\n";
    let name = format!("{}.cnf", providers.join("-"));
    std::fs::write(site.path(&name), format!("{}{base}", text.replace(listed, &order)))?;
    Ok(OpenSsl::new(site.path(&name), site.folder()))
}
