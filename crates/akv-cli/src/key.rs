//! Keys on the command line: a reference or a key file.

use std::{fs::File, io::Read as _, path::Path};

use akv_core::{AnyKey, Client, Key, KeyFile, KeyReference};

use crate::exit::{Failure, Result};

/// Maximum size of a key file in bytes.
const LONGEST: u64 = 64 * 1024;

/// The parsed KEY argument.
#[derive(Clone, Debug)]
pub(crate) enum Named {
    Reference(KeyReference),
    File(KeyFile),
}

impl Named {
    /// Parses the argument. Sends no request.
    pub(crate) fn read(client: &Client, text: &str) -> Result<Self> {
        let path = Path::new(text);
        if !path.is_file() {
            return Ok(Self::Reference(client.reference(text)?));
        }
        let failed = |error| Failure::file("read", path, &error);
        let mut content = Vec::new();
        File::open(path)
            .and_then(|file| file.take(LONGEST).read_to_end(&mut content))
            .map_err(failed)?;
        let file = match KeyFile::from_pem(&content)? {
            Some(file) => Some(file),
            None => KeyFile::from_pkcs8_der(&content)?,
        };
        file.map(Self::File)
            .ok_or_else(|| Failure::Usage(format!("{text} is not a key file written by `akv pem`")))
    }

    /// The reference.
    pub(crate) fn reference(&self, client: &Client) -> Result<KeyReference> {
        Ok(match self {
            Self::Reference(reference) => reference.clone(),
            Self::File(file) => client.reference(file.reference())?,
        })
    }

    /// The key pair.
    pub(crate) async fn open(&self, client: &Client) -> Result<Key> {
        Ok(match self {
            Self::Reference(reference) => client.key(reference).await?,
            Self::File(file) => client.key_from_file(file).await?,
        })
    }

    /// The key, of any kind. It is requested if its file has no public half.
    pub(crate) async fn open_any(&self, client: &Client) -> Result<AnyKey> {
        Ok(match self {
            Self::Reference(reference) => client.any_key(reference).await?,
            Self::File(file) => client.any_key_from_file(file).await?,
        })
    }

    /// Requests the key from the service, with its attributes.
    pub(crate) async fn fetch(&self, client: &Client) -> Result<AnyKey> {
        Ok(client.any_key(&self.reference(client)?).await?)
    }
}
