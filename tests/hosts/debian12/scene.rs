//! Key files for programs that take the old structures out of their keys (`EVP_PKEY_get0_RSA` and
//! its relatives). Plain OpenSSL verifies their signatures.

use std::fs;

use akv_emulator::{Curve, Persona};
use akv_tests::{Site, Task};
use anyhow::Result;

/// What the programs sign.
pub(crate) const MESSAGE: &str = "signed by a program of another's";

/// A site, and data common to the programs.
pub(crate) struct Scene {
    pub(crate) site: Site,
    /// An RSA key, then an EC key.
    pub(crate) keys: Vec<Key>,
}

/// A key of the vault.
pub(crate) struct Key {
    pub(crate) kind: &'static str,
    /// The key file.
    pub(crate) file: String,
    /// The file of the public key.
    pub(crate) public: String,
}

impl Scene {
    pub(crate) fn open() -> Result<Self> {
        let site = Site::start(Persona::Vault)?;
        fs::write(site.path("message"), MESSAGE)?;
        // Node reads its own section.
        let config = format!("nodejs_conf = openssl_init\n{}", site.read("openssl.cnf")?);
        fs::write(site.path("openssl.cnf"), config)?;
        let mut keys = Vec::new();
        for (kind, reference) in [("rsa", site.rsa(2048)?), ("ec", site.ec(Curve::P256)?)] {
            let file = site.key_file(&reference, &format!("{kind}.pem"))?;
            // OpenSSH requires it.
            fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
            keys.push(Key { kind, file, public: site.public_key(&reference)? });
        }
        Ok(Self { site, keys })
    }

    /// A program that loads the provider.
    pub(crate) fn task(&self, program: &str) -> Task {
        Task::new(program).env("OPENSSL_CONF", self.site.path("openssl.cnf"))
    }

    /// Verifies a program's signature with plain OpenSSL.
    pub(crate) fn verify(&self, key: &Key, signature: &str) -> Result<()> {
        let (public, signature) = (&key.public, self.site.text(signature));
        let message = self.site.text("message");
        let line = format!("dgst -sha256 -verify {public} -signature {signature} {message}");
        self.site.plain().ok(&line)?;
        Ok(())
    }
}
