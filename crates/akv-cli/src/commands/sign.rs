//! `akv sign`, and code shared with `akv verify`.

use std::path::{Path, PathBuf};

use akv_core::{PublicKey, SignatureAlgorithm, ecdsa};
use aws_lc_rs::digest::{Context, SHA256, SHA384, SHA512};
use clap::{Args, ValueEnum};
use serde_json::json;

use crate::{
    exit::{Failure, Result},
    input,
    key::Named,
    output::{Destination, Secrecy, Show, counters_json},
    settings::SettingsArguments,
    text::{base64, read_base64, read_hex},
};

/// Sign a file or a digest.
///
/// Without --algorithm, RSA keys sign with RS256, and EC keys with their curve's algorithm. ECDSA
/// signatures are written in DER, as in OpenSSL, or with --format raw as in JOSE.
#[derive(Args, Debug)]
pub(crate) struct Sign {
    #[command(flatten)]
    subject: Subject,
    /// The format of an ECDSA signature: DER, or r and s concatenated (JOSE).
    #[arg(long, value_enum, default_value = "der")]
    format: Format,
    /// The encoding of the signature; by default binary, and base64 on a terminal.
    #[arg(long, value_enum)]
    encoding: Option<Encoding>,
    #[command(flatten)]
    destination: Destination,
    #[command(flatten)]
    settings: SettingsArguments,
}

/// The key, the data to sign, and the algorithm.
#[derive(Args, Debug)]
pub(crate) struct Subject {
    /// The key.
    pub(super) key: String,
    /// The file to sign; standard input if missing or `-`.
    file: Option<PathBuf>,
    /// The digest in hexadecimal, instead of a file.
    #[arg(long, value_name = "HEX", value_parser = digest, conflicts_with = "file")]
    digest: Option<Digest>,
    /// The algorithm: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES256K, ES384, ES512.
    #[arg(short, long, value_name = "NAME", value_parser = algorithm)]
    algorithm: Option<SignatureAlgorithm>,
}

/// Bytes of a digest.
#[derive(Clone, Debug)]
pub(crate) struct Digest(Vec<u8>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Der,
    Raw,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Encoding {
    Binary,
    Base64,
    Hex,
}

impl Sign {
    pub(crate) async fn run(self, show: Show) -> Result<()> {
        self.destination.check()?;
        let client = self.settings.client()?;
        let named = Named::read(&client, &self.subject.key)?;
        self.subject.check()?;
        let key = named.open(&client).await?;
        let algorithm = self.subject.algorithm_of(key.public_key());
        let digest = self.subject.digest(algorithm)?;
        let raw = key.sign(algorithm, &digest).await?;
        let signature = match (key.public_key(), self.format) {
            (PublicKey::Ec(_), Format::Der) => ecdsa::raw_to_der(&raw)?,
            _ => raw,
        };
        let file = self.destination.file();
        if file.is_some() || !show.json {
            let encoding = self.encoding.unwrap_or(match self.destination.is_terminal() {
                true => Encoding::Base64,
                false => Encoding::Binary,
            });
            self.destination.write(&encoding.write(&signature), Secrecy::Public)?;
        }
        if show.json {
            let format = match key.public_key() {
                PublicKey::Ec(_) => self.format,
                _ => Format::Raw,
            };
            let value = json!({
                "reference": key.pinned_reference().to_string(),
                "algorithm": algorithm.name(),
                "format": if format == Format::Der { "der" } else { "raw" },
                "digest": hex::encode(&digest),
                "signature": base64(&signature),
                "file": file,
                "counters": counters_json(client.counters()),
            });
            show.result(&value, |_| Ok(()))?;
        }
        show.counters(&client);
        Ok(())
    }
}

impl Subject {
    /// Refuses unreadable input before any request.
    pub(super) fn check(&self) -> Result<()> {
        match &self.file {
            Some(path) if self.digest.is_none() => input::open(Some(path)).map(drop),
            _ => Ok(()),
        }
    }

    /// The requested algorithm, or the one that every verifier supports.
    pub(super) fn algorithm_of(&self, key: &PublicKey) -> SignatureAlgorithm {
        self.algorithm.unwrap_or_else(|| SignatureAlgorithm::default_for(key))
    }

    /// The given digest, or that of the file.
    pub(super) fn digest(&self, algorithm: SignatureAlgorithm) -> Result<Vec<u8>> {
        match &self.digest {
            Some(Digest(digest)) => Ok(digest.clone()),
            None => hash(algorithm, self.file.as_deref()),
        }
    }
}

/// Hashes a file of any length.
fn hash(algorithm: SignatureAlgorithm, path: Option<&Path>) -> Result<Vec<u8>> {
    let mut context = Context::new(match algorithm.digest_len() {
        Some(32) => &SHA256,
        Some(48) => &SHA384,
        Some(64) => &SHA512,
        _ => {
            return Err(Failure::Usage(format!("{algorithm} requires --digest instead of a file")));
        }
    });
    let mut source = input::open(path)?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok(context.finish().as_ref().to_vec()),
            Ok(length) => context.update(&buffer[..length]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(input::failed(path, &error)),
        }
    }
}

impl Encoding {
    pub(super) fn write(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Binary => bytes.to_vec(),
            Self::Base64 => (base64(bytes) + "\n").into_bytes(),
            Self::Hex => (hex::encode(bytes) + "\n").into_bytes(),
        }
    }

    pub(super) fn read(self, bytes: &[u8]) -> Result<Vec<u8>> {
        let text = || std::str::from_utf8(bytes).map_err(|_| "it is not text".to_owned());
        match self {
            Self::Binary => Ok(bytes.to_vec()),
            Self::Base64 => read_base64(bytes),
            Self::Hex => text().and_then(read_hex),
        }
        .map_err(|error| Failure::Usage(format!("the signature cannot be read: {error}")))
    }
}

fn digest(text: &str) -> Result<Digest, String> {
    read_hex(text).map(Digest)
}

pub(super) fn algorithm(text: &str) -> Result<SignatureAlgorithm, String> {
    text.to_ascii_uppercase().parse().map_err(|error: akv_core::Error| error.to_string())
}
