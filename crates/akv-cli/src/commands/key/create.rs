//! `akv key create`.

use std::time::SystemTime;

use akv_core::{
    AesSize, AnyKey, Client, Curve, Key, KeyOperation, KeyReference, NewKey, RsaSize, SymmetricKey,
    VaultKey,
};
use clap::{Args, ValueEnum};

use super::print;
use crate::{
    exit::{Failure, Result},
    output::Show,
    settings::SettingsArguments,
    text::read_moment,
};

#[derive(Args, Debug)]
pub(crate) struct Create {
    /// The new key's reference, without a version.
    key: String,
    /// Type and size.
    #[arg(long = "type", value_name = "TYPE", default_value = "rsa-2048")]
    kind: Kind,
    /// Create the key in hardware, which requires a premium vault; a Managed HSM always does this.
    #[arg(long)]
    hsm: bool,
    /// Permitted operations, such as sign,verify; by default all that the type supports.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    ops: Vec<String>,
    /// The time from which it signs: 2030-12-31 or 2030-12-31T23:59:59Z.
    #[arg(long, value_name = "TIME", value_parser = read_moment)]
    not_before: Option<SystemTime>,
    /// The time from which it no longer signs.
    #[arg(long, value_name = "TIME", value_parser = read_moment)]
    expires: Option<SystemTime>,
    /// A tag; may be repeated.
    #[arg(long = "tag", value_name = "NAME=VALUE", value_parser = tag)]
    tags: Vec<(String, String)>,
    /// Create the key disabled.
    #[arg(long)]
    disabled: bool,
    /// If the name exists, create a new version. Without this option an existing name is refused,
    /// which costs one more request.
    #[arg(long)]
    new_version: bool,
    #[command(flatten)]
    settings: SettingsArguments,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    #[value(name = "rsa-2048")]
    Rsa2048,
    #[value(name = "rsa-3072")]
    Rsa3072,
    #[value(name = "rsa-4096")]
    Rsa4096,
    #[value(name = "ec-p256")]
    P256,
    #[value(name = "ec-p256k")]
    P256K,
    #[value(name = "ec-p384")]
    P384,
    #[value(name = "ec-p521")]
    P521,
    #[value(name = "aes-128")]
    Aes128,
    #[value(name = "aes-192")]
    Aes192,
    #[value(name = "aes-256")]
    Aes256,
}

/// A description of a key, of either kind.
enum Description {
    Pair(NewKey<Key>),
    Symmetric(NewKey<SymmetricKey>),
}

impl Kind {
    fn describe(self, hsm: bool) -> Description {
        let rsa = |size| Description::Pair(NewKey::rsa(size).hardware(hsm));
        let ec = |curve| Description::Pair(NewKey::ec(curve).hardware(hsm));
        let aes = |size| Description::Symmetric(NewKey::aes(size));
        match self {
            Self::Rsa2048 => rsa(RsaSize::Bits2048),
            Self::Rsa3072 => rsa(RsaSize::Bits3072),
            Self::Rsa4096 => rsa(RsaSize::Bits4096),
            Self::P256 => ec(Curve::P256),
            Self::P256K => ec(Curve::P256K),
            Self::P384 => ec(Curve::P384),
            Self::P521 => ec(Curve::P521),
            Self::Aes128 => aes(AesSize::Bits128),
            Self::Aes192 => aes(AesSize::Bits192),
            Self::Aes256 => aes(AesSize::Bits256),
        }
    }
}

impl Create {
    pub(super) async fn run(self, show: Show) -> Result<()> {
        let client = self.settings.client()?;
        let reference = client.reference(&self.key)?;
        new_name(&reference, "created")?;
        let key = match self.kind.describe(self.hsm) {
            Description::Pair(new) => {
                AnyKey::Asymmetric(self.make(&client, &reference, new).await?)
            }
            Description::Symmetric(new) => {
                AnyKey::Symmetric(self.make(&client, &reference, new).await?)
            }
        };
        print(show, &client, &key)
    }

    async fn make<K: VaultKey>(
        &self,
        client: &Client,
        reference: &KeyReference,
        new: NewKey<K>,
    ) -> Result<K> {
        let mut new = new.enabled(!self.disabled);
        if !self.ops.is_empty() {
            new = new.operations(self.ops.iter().map(KeyOperation::from));
        }
        if let Some(time) = self.not_before {
            new = new.not_before(time);
        }
        if let Some(time) = self.expires {
            new = new.expires(time);
        }
        for (name, value) in &self.tags {
            new = new.tag(name, value);
        }
        // Before any request.
        new.check(reference.kind())?;
        if !self.new_version {
            refuse_taken(client, reference).await?;
        }
        let name = new_name(reference, "created")?;
        Ok(client.vault(&reference.vault())?.create(name, new).await?)
    }
}

/// The name of a key to create or rotate. These operations apply to names and not to versions.
pub(super) fn new_name<'a>(reference: &'a KeyReference, verb: &str) -> Result<&'a str> {
    match (reference.key_name(), reference.version()) {
        (Some(name), None) => Ok(name),
        (Some(_), Some(_)) => Err(Failure::Usage(format!(
            "{reference} names a version; keys are {verb} by name, so omit it"
        ))),
        (None, _) => Err(Failure::Usage(format!(
            "{reference} names a vault; add the name of the key: vault:NAME:KEY"
        ))),
    }
}

/// A new version would change every user of the key that pins no version.
async fn refuse_taken(client: &Client, reference: &KeyReference) -> Result<()> {
    match client.any_key(reference).await {
        Ok(_) => Err(Failure::Usage(format!(
            "{reference} already exists; --new-version creates a new version"
        ))),
        Err(error) if error.status() == Some(404) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn tag(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
