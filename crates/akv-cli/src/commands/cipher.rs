//! `akv encrypt`, `decrypt`, `wrap` and `unwrap`.

use std::path::PathBuf;

use akv_core::{AnyKey, Client, EncryptionAlgorithm, KeyWrapAlgorithm};
use clap::Args;
use serde_json::json;
use zeroize::Zeroizing;

use super::sealed;
use crate::{
    exit::{Failure, Result},
    input,
    key::Named,
    output::{Destination, Secrecy, Show, counters_json},
    settings::SettingsArguments,
    text::base64,
};

/// The common arguments.
#[derive(Args, Debug)]
struct Common {
    /// The key.
    key: String,
    /// The input; standard input if missing or `-`.
    file: Option<PathBuf>,
    #[command(flatten)]
    destination: Destination,
    #[command(flatten)]
    settings: SettingsArguments,
}

/// The additional arguments of symmetric encryption.
#[derive(Args, Debug)]
struct Authenticated {
    /// The algorithm: RSA-OAEP-256 (default), RSA-OAEP, RSA1_5; with a symmetric key A256GCM
    /// (default) and the other sizes of GCM, CBC and CBCPAD.
    #[arg(short, long, value_name = "NAME")]
    algorithm: Option<String>,
    /// Text that GCM authenticates but does not encrypt.
    #[arg(long, value_name = "TEXT", default_value = "")]
    aad: String,
}

/// Encrypt: locally with an RSA key, in the HSM with a symmetric one.
///
/// The output of a symmetric key consists of initialization vector (16 bytes, of which GCM uses
/// 12), ciphertext and, with GCM, tag (16 bytes).
#[derive(Args, Debug)]
pub(crate) struct Encrypt {
    #[command(flatten)]
    authenticated: Authenticated,
    #[command(flatten)]
    common: Common,
}

/// Decrypt in the vault. An output file is readable only by its owner.
#[derive(Args, Debug)]
pub(crate) struct Decrypt {
    #[command(flatten)]
    authenticated: Authenticated,
    #[command(flatten)]
    common: Common,
}

/// Wrap a key: locally with an RSA key, in the HSM with a symmetric one.
#[derive(Args, Debug)]
pub(crate) struct Wrap {
    #[command(flatten)]
    wrapping: Wrapping,
    #[command(flatten)]
    common: Common,
}

/// Unwrap a key in the vault. An output file is readable only by its owner.
#[derive(Args, Debug)]
pub(crate) struct Unwrap {
    #[command(flatten)]
    wrapping: Wrapping,
    #[command(flatten)]
    common: Common,
}

#[derive(Args, Debug)]
struct Wrapping {
    /// The algorithm: RSA-OAEP-256 (default), RSA-OAEP, RSA1_5; with a symmetric key A256KW
    /// (default), A192KW, A128KW.
    #[arg(short, long, value_name = "NAME")]
    algorithm: Option<String>,
}

impl Encrypt {
    pub(crate) async fn run(self, show: Show) -> Result<()> {
        let Authenticated { algorithm, aad } = self.authenticated;
        let (client, key, plaintext) = self.common.open().await?;
        let (name, ciphertext) = match &key {
            AnyKey::Asymmetric(pair) => {
                let algorithm = rsa(algorithm.as_deref())?;
                (algorithm.name(), pair.encrypt(algorithm, &plaintext)?)
            }
            AnyKey::Symmetric(key) => {
                let algorithm = sealed::Algorithm::read(algorithm.as_deref())?;
                (algorithm.name(), sealed::encrypt(key, algorithm, &plaintext, &aad).await?)
            }
        };
        self.common.finish(show, &client, &key, name, &ciphertext, Secrecy::Public)
    }
}

impl Decrypt {
    pub(crate) async fn run(self, show: Show) -> Result<()> {
        let Authenticated { algorithm, aad } = self.authenticated;
        let (client, key, ciphertext) = self.common.open().await?;
        let (name, plaintext) = match &key {
            AnyKey::Asymmetric(pair) => {
                let algorithm = rsa(algorithm.as_deref())?;
                (algorithm.name(), pair.decrypt(algorithm, &ciphertext).await?)
            }
            AnyKey::Symmetric(key) => {
                let algorithm = sealed::Algorithm::read(algorithm.as_deref())?;
                (algorithm.name(), sealed::decrypt(key, algorithm, &ciphertext, &aad).await?)
            }
        };
        self.common.finish(show, &client, &key, name, &plaintext, Secrecy::Secret)
    }
}

impl Wrap {
    pub(crate) async fn run(self, show: Show) -> Result<()> {
        let algorithm = self.wrapping.algorithm;
        let (client, key, unwrapped) = self.common.open().await?;
        let (name, wrapped) = match &key {
            AnyKey::Asymmetric(pair) => {
                let algorithm = rsa(algorithm.as_deref())?;
                (algorithm.name(), pair.encrypt(algorithm, &unwrapped)?)
            }
            AnyKey::Symmetric(key) => {
                let algorithm = wrapping(algorithm.as_deref())?;
                (algorithm.name(), key.wrap_key(algorithm, &unwrapped).await?)
            }
        };
        self.common.finish(show, &client, &key, name, &wrapped, Secrecy::Public)
    }
}

impl Unwrap {
    pub(crate) async fn run(self, show: Show) -> Result<()> {
        let algorithm = self.wrapping.algorithm;
        let (client, key, wrapped) = self.common.open().await?;
        let (name, unwrapped): (_, Zeroizing<Vec<u8>>) = match &key {
            AnyKey::Asymmetric(pair) => {
                let algorithm = rsa(algorithm.as_deref())?;
                (algorithm.name(), pair.unwrap_key(algorithm, &wrapped).await?)
            }
            AnyKey::Symmetric(key) => {
                let algorithm = wrapping(algorithm.as_deref())?;
                (algorithm.name(), key.unwrap_key(algorithm, &wrapped).await?)
            }
        };
        self.common.finish(show, &client, &key, name, &unwrapped, Secrecy::Secret)
    }
}

impl Common {
    /// Reads the input, then opens the key.
    async fn open(&self) -> Result<(Client, AnyKey, Zeroizing<Vec<u8>>)> {
        self.destination.check()?;
        let client = self.settings.client()?;
        let named = Named::read(&client, &self.key)?;
        let content = input::read(self.file.as_deref())?;
        let key = named.open_any(&client).await?;
        Ok((client, key, content))
    }

    /// Writes the result.
    fn finish(
        &self,
        show: Show,
        client: &Client,
        key: &AnyKey,
        algorithm: &str,
        result: &[u8],
        secrecy: Secrecy,
    ) -> Result<()> {
        let file = self.destination.file();
        if file.is_some() || !show.json {
            if secrecy == Secrecy::Public && self.destination.is_terminal() {
                return Err(Failure::Usage(
                    "the result is binary: write it to a file (--out) or a pipe".to_owned(),
                ));
            }
            self.destination.write(result, secrecy)?;
        }
        if show.json {
            // A secret that was written to a file is not printed.
            let shown = (secrecy == Secrecy::Public || file.is_none()).then(|| base64(result));
            let value = json!({
                "reference": key.pinned_reference().to_string(),
                "algorithm": algorithm,
                "result": shown,
                "file": file,
                "counters": counters_json(client.counters()),
            });
            show.result(&value, |_| Ok(()))?;
        }
        show.counters(client);
        Ok(())
    }
}

fn rsa(name: Option<&str>) -> Result<EncryptionAlgorithm> {
    Ok(name.map_or(Ok(EncryptionAlgorithm::RsaOaep256), str::parse)?)
}

fn wrapping(name: Option<&str>) -> Result<KeyWrapAlgorithm> {
    Ok(name.map_or(Ok(KeyWrapAlgorithm::A256Kw), str::parse)?)
}
