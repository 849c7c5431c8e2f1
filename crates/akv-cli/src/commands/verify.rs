//! `akv verify`: verifies signatures locally.

use std::path::PathBuf;

use akv_core::{ErrorKind, Key, PublicKey, SignatureAlgorithm, ecdsa};
use clap::Args;
use serde_json::json;

use super::sign::{Encoding, Subject};
use crate::{
    exit::{Failure, Result},
    input,
    key::Named,
    output::{Show, counters_json},
    settings::SettingsArguments,
};

/// Verify a signature locally, with the key's public half. With a key file no request is sent.
///
/// The exit code is 0 for a valid signature and 1 for an invalid one.
#[derive(Args, Debug)]
pub(crate) struct Verify {
    #[command(flatten)]
    subject: Subject,
    /// The file with the signature; an ECDSA signature may be in DER or r and s concatenated.
    #[arg(short, long, value_name = "FILE")]
    signature: PathBuf,
    /// The encoding of the signature.
    #[arg(long, value_enum, default_value = "binary")]
    encoding: Encoding,
    #[command(flatten)]
    settings: SettingsArguments,
}

impl Verify {
    pub(crate) async fn run(self, show: Show) -> Result<()> {
        let client = self.settings.client()?;
        let named = Named::read(&client, &self.subject.key)?;
        self.subject.check()?;
        let signature = self.encoding.read(&input::read(Some(&self.signature))?)?;
        let key = named.open(&client).await?;
        let algorithm = self.subject.algorithm_of(key.public_key());
        let digest = self.subject.digest(algorithm)?;
        let good = good(&key, algorithm, &digest, &signature)?;
        let value = json!({
            "reference": key.pinned_reference().to_string(),
            "algorithm": algorithm.name(),
            "verified": good,
            "counters": counters_json(client.counters()),
        });
        let word = if good { "good" } else { "BAD" };
        show.result(&value, |out| {
            writeln!(out, "{word} signature ({algorithm}) by {}", key.pinned_reference())
        })?;
        show.counters(&client);
        if good { Ok(()) } else { Err(Failure::No) }
    }
}

/// Whether a signature verifies in one of its possible formats.
fn good(key: &Key, algorithm: SignatureAlgorithm, digest: &[u8], signature: &[u8]) -> Result<bool> {
    let mut forms = vec![signature.to_vec()];
    if let PublicKey::Ec(ec) = key.public_key() {
        forms.extend(ecdsa::der_to_raw(signature, ec.curve()));
    }
    for form in forms {
        match key.verify(algorithm, digest, &form) {
            Ok(()) => return Ok(true),
            Err(error) if error.kind() == ErrorKind::Signature => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(false)
}
