//! The library against the embedded vault: results, counts, faults and errors.

#![allow(clippy::print_stdout, reason = "the fault matrix prints its table")]

mod allowed;
mod credentials;
mod credentials_auto;
mod credentials_entra;
mod credentials_tools;
mod ecosystem;
mod faults;
mod identities;
mod key_exchange;
mod keys_api;
mod lengths;
mod openssl;
mod outage;
mod pending;
mod probe;
mod proxy;
mod results;
mod symmetric;
mod trust;
mod vault;

use std::{future::Future, io::Write as _};

use akv_core::{
    PublicKey, Settings,
    blocking::{Client, Key},
};
use akv_emulator::{Emulator, Persona};
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use tempfile::NamedTempFile;

/// An emulator and the settings for it.
struct Vault {
    emulator: Emulator,
    ca_file: NamedTempFile,
    token_file: NamedTempFile,
}

impl Vault {
    fn start() -> Self {
        Self::of(Persona::Vault)
    }

    fn of(persona: Persona) -> Self {
        let emulator = Emulator::builder().persona(persona).start().expect("an emulator");
        let ca_file = file(emulator.ca_pem());
        let token_file = file(&emulator.token());
        Self { emulator, ca_file, token_file }
    }

    /// The settings of every test, followed by those of this one.
    fn settings(&self, options: &[(&str, &str)]) -> Settings {
        let path = |file: &NamedTempFile| file.path().to_str().expect("a UTF-8 path").to_owned();
        let mut all = vec![
            ("endpoint", self.emulator.endpoint().to_owned()),
            ("ca-file", path(&self.ca_file)),
            ("access-token-file", path(&self.token_file)),
        ];
        all.extend(options.iter().map(|(name, value)| (*name, (*value).to_owned())));
        all.iter()
            .try_fold(Settings::builder(), |builder, (name, value)| builder.option(name, value))
            .and_then(|builder| builder.build())
            .expect("settings")
    }

    fn client(&self, options: &[(&str, &str)]) -> Client {
        Client::new(self.settings(options))
    }

    fn key(&self, options: &[(&str, &str)], reference: &str) -> akv_core::Result<Key> {
        let client = self.client(options);
        client.key(&client.reference(reference)?)
    }
}

fn file(content: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a temporary file");
    file.write_all(content.as_bytes()).expect("a written file");
    file
}

/// RSA-OAEP-256 with a different implementation from the emulator's.
fn encrypt(key: &PublicKey, plaintext: &[u8]) -> Vec<u8> {
    let key = PublicEncryptingKey::from_der(&key.to_spki_der()).expect("an RSA key");
    let key = OaepPublicEncryptingKey::new(key).expect("an RSA key");
    let mut ciphertext = vec![0; key.ciphertext_size()];
    key.encrypt(&OAEP_SHA256_MGF1SHA256, plaintext, &mut ciphertext, None).expect("a ciphertext");
    ciphertext
}

/// Runs the async API without an existing runtime.
fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(future)
}

/// Imports a known key, which the library itself does not support.
fn import(vault: &Vault, name: &str, body: &str) {
    let request = async {
        let ca = CertificateDer::from_pem_slice(vault.emulator.ca_pem().as_bytes());
        let mut roots = rustls::RootCertStore::empty();
        roots.add(ca.expect("a certificate")).expect("a root certificate");
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let tls = rustls::ClientConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()
            .expect("protocol versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = reqwest::Client::builder().tls_backend_preconfigured(tls).build()?;
        let url = format!("{}/keys/{name}?api-version=7.4", vault.emulator.endpoint());
        client
            .put(url)
            .bearer_auth(vault.emulator.token())
            .body(body.to_owned())
            .send()
            .await?
            .error_for_status()
    };
    run(request).expect("an imported key");
}
