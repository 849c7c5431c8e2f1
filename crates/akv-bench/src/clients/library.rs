//! Signatures through akv-core, as in a program.

use std::io::Write as _;

use akv_core::{Client, Settings, SignatureAlgorithm, blocking};
use anyhow::Result;
use tempfile::NamedTempFile;

use crate::service::{Key, Service};

const DIGEST: [u8; 32] = [7; 32];

fn algorithm(key: Key) -> SignatureAlgorithm {
    match key {
        Key::Rsa2048 => SignatureAlgorithm::Rs256,
        Key::EcP256 => SignatureAlgorithm::Es256,
    }
}

fn settings(service: &Service, check: bool) -> Result<Settings> {
    let mut ca = NamedTempFile::new()?;
    ca.write_all(service.ca().as_bytes())?;
    let ca = ca.path().to_string_lossy().into_owned();
    let variables = [
        ("AKV_ENDPOINT", service.endpoint()),
        ("AKV_CA_FILE", &ca),
        ("AZURE_CLI_ACCESS_TOKEN", service.token()),
        ("AKV_VERIFY_SIGNATURES", if check { "yes" } else { "no" }),
    ];
    let read = |name: &str| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
    };
    Ok(Settings::builder().environment_from(read).build()?)
}

/// The async API, on the caller's runtime.
pub(crate) struct Contender {
    key: akv_core::Key,
    algorithm: SignatureAlgorithm,
}

impl Contender {
    pub(crate) async fn open(service: &Service, key: Key, check: bool) -> Result<Self> {
        let client = Client::new(settings(service, check)?);
        let reference = client.reference(&service.reference(key))?;
        Ok(Self { key: client.key(&reference).await?, algorithm: algorithm(key) })
    }

    pub(crate) async fn sign(&self) -> Result<()> {
        self.key.sign(self.algorithm, &DIGEST).await?;
        Ok(())
    }
}

/// The blocking API, whose requests run on its own thread, as used by the OpenSSL modules.
pub(crate) struct BlockingContender {
    key: blocking::Key,
    algorithm: SignatureAlgorithm,
}

impl BlockingContender {
    pub(crate) fn open(service: &Service, key: Key) -> Result<Self> {
        let client = blocking::Client::new(settings(service, false)?);
        let reference = client.reference(&service.reference(key))?;
        Ok(Self { key: client.key(&reference)?, algorithm: algorithm(key) })
    }

    pub(crate) fn sign(&self) -> Result<()> {
        self.key.sign(self.algorithm, &DIGEST)?;
        Ok(())
    }
}
