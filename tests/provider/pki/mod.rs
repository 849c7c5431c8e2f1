//! Complete workflows of a public-key infrastructure with keys in the vault; plain OpenSSL, without
//! the provider, verifies the results.

mod ca;
mod cmp;
mod cms;
mod export;
mod ocsp;
mod requests;
mod timestamps;

use std::fs;

use akv_emulator::{Curve, Persona};
use akv_tests::{Output, Site};
use anyhow::Result;

/// A root of trust in the vault, and its certificates.
struct Pki {
    site: Site,
    /// The root's certificate.
    root: String,
    /// Its key file.
    root_key: String,
}

/// A certificate and its key.
struct Identity {
    certificate: String,
    key: String,
}

impl Pki {
    /// With an EC key on P-384 as root.
    fn start() -> Result<Self> {
        let site = Site::start(Persona::Vault)?;
        let root_key = site.key_file(&site.ec(Curve::P384)?, "root.key")?;
        let root = site.text("root.pem");
        site.openssl().ok(&format!(
            "req -x509 -new -key {root_key} -sha384 -days 3 -subj /CN=root \
             -addext subjectKeyIdentifier=hash \
             -addext basicConstraints=critical,CA:TRUE \
             -addext keyUsage=critical,keyCertSign,cRLSign -out {root}"
        ))?;
        Ok(Self { site, root, root_key })
    }

    /// Issues a certificate of the root for this key and name, with these lines as extensions.
    fn certify(&self, key: &str, name: &str, extensions: &str) -> Result<Identity> {
        let site = &self.site;
        let (certificate, request, lines) = (
            site.text(&format!("{name}.pem")),
            site.text(&format!("{name}.csr")),
            site.text(&format!("{name}.ext")),
        );
        let key = site.key_file(key, &format!("{name}.key"))?;
        fs::write(&lines, extensions)?;
        site.openssl().ok(&format!("req -new -key {key} -subj /CN={name} -out {request}"))?;
        site.openssl().ok(&format!(
            "x509 -req -in {request} -CA {} -CAkey {} -days 2 -extfile {lines} -out {certificate}",
            self.root, self.root_key
        ))?;
        site.plain().ok(&format!("verify -CAfile {} {certificate}", self.root))?;
        Ok(Identity { certificate, key })
    }

    /// A certificate of an RSA key for any purpose.
    fn rsa(&self, name: &str) -> Result<Identity> {
        self.certify(&self.site.rsa(2048)?, name, "subjectKeyIdentifier=hash\n")
    }

    /// A certificate of a key on P-256 for any purpose.
    fn ec(&self, name: &str) -> Result<Identity> {
        self.certify(&self.site.ec(Curve::P256)?, name, "subjectKeyIdentifier=hash\n")
    }
}

/// Our only error entry in `openssl`'s output.
fn entry(output: &Output) -> String {
    let lines = output.stderr.lines().filter(|line| line.contains(":akv_provider:"));
    let entries: Vec<&str> = lines.collect();
    assert_eq!(entries.len(), 1, "one entry wanted: {}", output.describe());
    entries[0].to_owned()
}
