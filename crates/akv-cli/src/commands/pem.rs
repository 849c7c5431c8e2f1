//! `akv pem`: key files.

use akv_core::AnyKey;
use clap::Args;
use serde_json::json;

use crate::{
    exit::{Failure, Result},
    key::Named,
    output::{Destination, Secrecy, Show, counters_json},
    settings::SettingsArguments,
};

/// Write a key file, which programs load in place of a private key file.
///
/// It contains the key's reference with its version and the public half if there is one, but no
/// secret.
#[derive(Args, Debug)]
pub(crate) struct Pem {
    /// The key.
    key: String,
    /// Write it as PKCS#8 (`PRIVATE KEY`), for OpenSSL 1.1.1 and programs that require the usual
    /// label.
    #[arg(long)]
    pkcs8: bool,
    /// Write the public key instead (`PUBLIC KEY`).
    #[arg(long, conflicts_with = "pkcs8")]
    public: bool,
    #[command(flatten)]
    destination: Destination,
    #[command(flatten)]
    settings: SettingsArguments,
}

impl Pem {
    pub(crate) async fn run(self, show: Show) -> Result<()> {
        self.destination.check()?;
        let client = self.settings.client()?;
        let key = Named::read(&client, &self.key)?.open_any(&client).await?;
        let pem = match (&key, self.public, self.pkcs8) {
            (AnyKey::Asymmetric(key), true, _) => public_pem(&key.public_key().to_spki_der()),
            (AnyKey::Symmetric(_), true, _) => {
                return Err(Failure::Usage("a symmetric key has no public half".to_owned()));
            }
            (_, _, true) => key.key_file().to_pkcs8_pem(),
            _ => key.key_file().to_pem(),
        };
        let file = self.destination.file();
        if file.is_some() || !show.json {
            self.destination.write(pem.as_bytes(), Secrecy::Public)?;
        }
        if show.json {
            let value = json!({
                "reference": key.pinned_reference().to_string(),
                "file": file,
                "pem": pem,
                "counters": counters_json(client.counters()),
            });
            show.result(&value, |_| Ok(()))?;
        }
        show.counters(&client);
        Ok(())
    }
}

/// A public key in PEM (RFC 7468 section 13).
pub(crate) fn public_pem(spki: &[u8]) -> String {
    der::pem::encode_string("PUBLIC KEY", der::pem::LineEnding::LF, spki)
        .expect("a public key is short enough for PEM")
}
