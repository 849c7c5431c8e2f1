//! A key in the vault and one in a file, with certificates.

use std::fs;

use akv_core::{Settings, blocking::Client};
use akv_emulator::Curve;
use akv_tests::Site;
use anyhow::Result;

use crate::service::Key;

/// Files for a server.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) key: String,
    pub(crate) certificate: String,
    /// Certificate and key in one file.
    pub(crate) both: String,
}

/// The pairs with a key in a file, and in the vault.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) local: Pair,
    pub(crate) vault: Pair,
}

impl Keys {
    pub(crate) fn make(site: &Site, kind: Key) -> Result<Self> {
        let (reference, new) = match kind {
            Key::Rsa2048 => (site.rsa(2048)?, "rsa:2048"),
            Key::EcP256 => (site.ec(Curve::P256)?, "ec -pkeyopt group:P-256"),
        };
        let [local_key, local_certificate] = ["local.key", "local.pem"].map(|name| site.text(name));
        let subject = "-subj /CN=localhost -days 2";
        site.plain().ok(&format!(
            "req -new -x509 {subject} -newkey {new} -noenc -keyout {local_key} \
             -out {local_certificate}"
        ))?;
        let [key, certificate] = ["vault.key", "vault.pem"].map(|name| site.text(name));
        fs::write(&key, key_file(site, &reference)?)?;
        site.openssl().ok(&format!("req -new -x509 {subject} -key {key} -out {certificate}"))?;
        Ok(Self {
            local: Pair::new(site, local_key, local_certificate, "local.both")?,
            vault: Pair::new(site, key, certificate, "vault.both")?,
        })
    }
}

impl Pair {
    fn new(site: &Site, key: String, certificate: String, both: &str) -> Result<Self> {
        let pair = fs::read_to_string(&certificate)? + &fs::read_to_string(&key)?;
        let both = site.text(both);
        fs::write(&both, pair)?;
        Ok(Self { key, certificate, both })
    }
}

/// In PKCS#8: HAProxy 2.2 takes no other form.
fn key_file(site: &Site, reference: &str) -> Result<String> {
    let mut settings = Settings::builder();
    for (name, value) in site.settings() {
        settings = settings.option(name, &value)?;
    }
    let client = Client::new(settings.build()?);
    let key = client.key(&client.reference(reference)?)?;
    Ok(key.key_file().to_pkcs8_pem().to_string())
}
