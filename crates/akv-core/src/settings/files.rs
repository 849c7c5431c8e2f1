//! The files that settings name. They are read at load: servers change their root directory and
//! drop privileges afterwards.

use std::{
    fs,
    io::{self, Read as _},
    path::Path,
    sync::Arc,
};

use rustls_pki_types::{
    CertificateDer,
    pem::{self, PemObject},
};
use zeroize::Zeroizing;

use super::{ClientCertificate, Roots, builder::Builder};
use crate::{Error, Result, outside};

/// Maximum size of a file with a certificate and a key, in bytes.
const MAX_CERTIFICATE: u64 = 256 * 1024;

impl Builder {
    pub(super) fn read_secret(&self, name: &str, path: &Path) -> Result<Zeroizing<String>> {
        let text = fs::read_to_string(path)
            .map(Zeroizing::new)
            .map_err(|error| self.unreadable(name, error))?;
        match text.trim() {
            "" => Err(self.refused(name, "the file is empty")),
            secret => Ok(Zeroizing::new(secret.to_owned())),
        }
    }

    pub(crate) fn client_certificate(&self) -> Option<Result<Arc<ClientCertificate>>> {
        const NAME: &str = "client-certificate-file";
        let path = self.path(NAME)?;
        let password = self.certificate_password.as_ref().map(|password| password.as_str());
        let content = read_limited(&path, MAX_CERTIFICATE);
        let content = content.map_err(|error| self.unreadable(NAME, error));
        Some(content.and_then(|content| {
            let certificate = ClientCertificate::parse(&content, password);
            certificate.map(Arc::new).map_err(|reason| self.refused(NAME, &reason))
        }))
    }

    fn unreadable(&self, name: &str, error: io::Error) -> Error {
        self.refused(name, &format!("the file cannot be read: {error}")).caused_by(error)
    }

    pub(crate) fn roots(&self) -> Result<Roots> {
        let extra = match self.path("ca-file") {
            None => Vec::new(),
            Some(path) => {
                let certificates: Vec<_> = CertificateDer::pem_file_iter(&path)
                    .and_then(Iterator::collect)
                    .map_err(|error| match error {
                        pem::Error::Io(error) => self.unreadable("ca-file", error),
                        other => {
                            let why = outside::pem_fault(&other);
                            self.refused("ca-file", &format!("the file cannot be read: {why}"))
                        }
                    })?;
                if certificates.is_empty() {
                    return Err(self.refused("ca-file", "the file contains no PEM certificate"));
                }
                certificates
            }
        };
        Ok(Roots { system: system_roots(self.certificate_variables), extra })
    }
}

/// Reads a file that contains a secret, without leaving copies of it in memory.
fn read_limited(path: &Path, limit: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = fs::File::open(path)?;
    let length = file.metadata()?.len();
    if length > limit {
        return Err(io::Error::other(format!("it is larger than {limit} bytes")));
    }
    let room = usize::try_from(length.max(4096)).unwrap_or_default() + 1;
    let mut content = Zeroizing::new(Vec::with_capacity(room));
    file.take(limit).read_to_end(&mut content)?;
    Ok(content)
}

/// The system's trusted certificates. Unreadable files do not matter as long as a connection finds
/// its root; otherwise the connection's error says so.
fn system_roots(variables: bool) -> Vec<CertificateDer<'static>> {
    if variables {
        return rustls_native_certs::load_native_certs().certs;
    }
    const BUNDLES: [&str; 4] = [
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
    ];
    BUNDLES
        .iter()
        .find(|path| Path::new(path).is_file())
        .map(|path| rustls_native_certs::load_certs_from_paths(Some(Path::new(path)), None).certs)
        .unwrap_or_default()
}
