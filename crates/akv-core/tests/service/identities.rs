//! An emulator with a registered application, and settings for it.

use std::{ffi::OsString, sync::LazyLock};

use akv_core::{Settings, SignatureAlgorithm::Es256, blocking::Client, blocking::Key};
use akv_emulator::{Application, Curve, NewKey};
use tempfile::NamedTempFile;

use super::{Vault, file};

pub(crate) const TENANT: &str = "11111111-2222-3333-4444-555555555555";
pub(crate) const CLIENT_ID: &str = "26790ce1-d05c-4de7-ba73-51837152f0bc";
pub(crate) const SECRET: &str = "a-s3cret~of&the=application";
/// A token of another issuer, in the format of a JSON Web Token.
pub(crate) const FEDERATED: &str =
    "eyJhbGciOiJub25lIn0.eyJzdWIiOiJwb2QiLCJleHAiOjQwMDAwMDAwMDB9.c2lnbmVk";

/// A self-signed certificate and its key, in PEM. RSA keys take long to generate.
pub(crate) static CERTIFICATE: LazyLock<(String, String)> = LazyLock::new(|| {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).expect("an RSA key");
    let params = rcgen::CertificateParams::new(vec!["app.example".to_owned()]).expect("a name");
    let certificate = params.self_signed(&key).expect("a certificate");
    (certificate.pem(), key.serialize_pem())
});

/// A list of variables.
pub(crate) type Variables = Vec<(String, String)>;

/// The emulator and the files that applications read.
pub(crate) struct Site {
    pub(crate) vault: Vault,
    pub(crate) certificate: NamedTempFile,
    pub(crate) federated: NamedTempFile,
}

impl Site {
    /// With a key named `ec`, and the application with all its credentials.
    pub(crate) fn start() -> Self {
        let vault = Vault::start();
        vault.emulator.create_key(NewKey::ec("ec", Curve::P256)).expect("a key");
        vault.emulator.register(application()).expect("an application");
        let (certificate, key) = &*CERTIFICATE;
        let certificate = file(&format!("{certificate}{key}"));
        Self { vault, certificate, federated: file(&format!("{FEDERATED}\n")) }
    }

    /// The variables of a credential, followed by those of the test.
    pub(crate) fn variables(&self, credential: &str, more: &[(&str, &str)]) -> Variables {
        let mut all = vec![
            ("AKV_CREDENTIAL", credential),
            ("AKV_ENDPOINT", self.vault.emulator.endpoint()),
            ("AKV_CA_FILE", path(&self.vault.ca_file)),
            ("AZURE_AUTHORITY_HOST", self.vault.emulator.authority()),
        ];
        let application = [("AZURE_TENANT_ID", TENANT), ("AZURE_CLIENT_ID", CLIENT_ID)];
        match credential {
            "client-secret" => all.push(("AZURE_CLIENT_SECRET", SECRET)),
            "client-certificate" => {
                all.push(("AZURE_CLIENT_CERTIFICATE_PATH", path(&self.certificate)));
            }
            "workload-identity" => all.push(("AZURE_FEDERATED_TOKEN_FILE", path(&self.federated))),
            _ => {}
        }
        if ["client-secret", "client-certificate", "workload-identity"].contains(&credential) {
            all.extend(application);
        }
        all.extend(more);
        all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    pub(crate) fn key(&self, credential: &str, more: &[(&str, &str)]) -> akv_core::Result<Key> {
        open(&self.variables(credential, more))
    }
}

/// The application with a secret, a certificate and a federated token.
pub(crate) fn application() -> Application {
    Application::new(TENANT, CLIENT_ID)
        .secret(SECRET)
        .certificate(&CERTIFICATE.0)
        .federated_token(FEDERATED)
}

pub(crate) fn path(file: &NamedTempFile) -> &str {
    file.path().to_str().expect("a UTF-8 path")
}

/// Opens the key `ec` in an environment with only these variables; the last of a name is used.
pub(crate) fn open(variables: &[(String, String)]) -> akv_core::Result<Key> {
    let read = |name: &str| {
        variables.iter().rev().find(|(n, _)| n == name).map(|(_, value)| OsString::from(value))
    };
    let client = Client::new(Settings::builder().environment_from(read).build()?);
    client.key(&client.reference("vault:myVault:ec")?)
}

pub(crate) fn sign(key: &Key) -> akv_core::Result<()> {
    key.sign(Es256, &[7; 32]).map(|_| ())
}
