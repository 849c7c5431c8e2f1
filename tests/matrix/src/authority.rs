//! A certificate authority that signs the machine's requests. Its key never enters the machine.

use std::{cell::Cell, fs, path::Path};

use akv_tests::{OpenSsl, site};
use anyhow::Result;
use tempfile::TempDir;

/// The authority.
pub(crate) struct Authority {
    folder: TempDir,
    openssl: OpenSsl,
    issued: Cell<u32>,
}

impl Authority {
    pub(crate) fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let config = folder.path().join("openssl.cnf");
        fs::write(&config, site::configuration(None))?;
        let openssl = OpenSsl::new(config, folder.path());
        openssl.ok("req -x509 -newkey rsa:2048 -noenc -keyout ca.key -out ca.pem -days 2 \
                    -subj /CN=Example -addext basicConstraints=critical,CA:TRUE \
                    -addext keyUsage=critical,keyCertSign,cRLSign")?;
        Ok(Self { folder, openssl, issued: Cell::new(0) })
    }

    /// `openssl` of this machine, without our modules, in a folder of its own.
    pub(crate) const fn openssl(&self) -> &OpenSsl {
        &self.openssl
    }

    /// Its folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its certificate, as PEM.
    pub(crate) fn certificate(&self) -> Result<String> {
        Ok(fs::read_to_string(self.folder.path().join("ca.pem"))?)
    }

    /// A certificate for a request, with the extensions that it asks for: as PEM and DER.
    pub(crate) fn issue(&self, request: &Path) -> Result<(String, Vec<u8>)> {
        let serial = self.issued.get() + 1;
        self.issued.set(serial);
        let request = request.display();
        self.openssl.ok(&format!(
            "x509 -req -in {request} -CA ca.pem -CAkey ca.key -set_serial {serial} -days 2 \
             -copy_extensions copyall -out issued.pem"
        ))?;
        self.openssl.ok("x509 -in issued.pem -outform DER -out issued.der")?;
        let read = |name| fs::read(self.folder.path().join(name));
        Ok((String::from_utf8(read("issued.pem")?)?, read("issued.der")?))
    }
}
