//! Without an endpoint setting, key references mean the service's real host names, port 443.
//!
//! The test runs itself again in its own network and mount namespace, where those names mean this
//! machine.

use akv_emulator::{Curve, Emulator, NewKey, Persona};
use akv_tests::{
    OpenSsl, Site, modules,
    namespace::{self, Files},
};
use anyhow::Result;

const NAMES: [&str; 2] = ["myvault.vault.azure.net", "myhsm.managedhsm.azure.net"];

#[test]
fn references_resolve_to_the_real_host_names() -> Result<()> {
    let hosts = format!("127.0.0.1 localhost {}\n", NAMES.join(" "));
    let files = Files { hosts: &hosts, ..Files::default() };
    namespace::run_inside("references_resolve_to_the_real_host_names", files, inside)
}

fn inside() -> Result<()> {
    let builder = Emulator::builder().listen(namespace::HTTPS);
    let module = modules::provider()?;
    let site = Site::with(builder, Persona::Vault, &module)?;
    let config = site.configure("real.cnf", &module, &[])?;
    let openssl = OpenSsl::new(config, site.folder())
        .env("SSL_CERT_FILE", site.text("vault-ca.pem"))
        .env("AKV_CREDENTIAL", "managed-identity")
        .env("IMDS_ENDPOINT", site.vault().imds_endpoint());
    for host in NAMES {
        site.vault().create_key(NewKey::rsa("web", 2048).hsm(true).vault_host(host))?;
        let key = NewKey::ec("sign", Curve::P384).hsm(true).vault_host(host);
        site.vault().create_key(key)?;
    }
    for reference in [
        "vault:myVault:web",
        "vault:myVault:sign",
        "managedHsm:myHsm:web",
        "engine:e_akv:managedHsm:myHsm:sign",
        "akv:type=managedhsm,vault=myHsm,name=web",
        "akv:https://myVault.vault.azure.net/keys/sign",
    ] {
        check(&site, &openssl, reference)?;
    }
    let stats = site.vault().stats();
    assert_eq!(stats.sign, 12, "{stats:?}");
    Ok(())
}

/// Signs and creates a certificate; plain OpenSSL verifies both.
fn check(site: &Site, openssl: &OpenSsl, reference: &str) -> Result<()> {
    let (public, signature) = (site.text("real.pub"), site.text("real.sig"));
    let (data, certificate) = (site.text("plain.cnf"), site.text("real.pem"));
    openssl.ok(&format!("pkey -in {reference} -pubout -out {public}"))?;
    openssl.ok(&format!("dgst -sha384 -sign {reference} -out {signature} {data}"))?;
    site.plain().ok(&format!("dgst -sha384 -verify {public} -signature {signature} {data}"))?;
    openssl.ok(&format!("req -x509 -new -key {reference} -subj /CN=real -out {certificate}"))?;
    site.plain().ok(&format!("verify -CAfile {certificate} {certificate}"))?;
    Ok(())
}
