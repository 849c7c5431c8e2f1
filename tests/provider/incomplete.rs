//! Key files that have to be completed by a request.

use std::fs;

use akv_core::{KeyFile, Settings, blocking::Client};
use akv_tests::Site;
use anyhow::Result;

/// A key file with nothing but the reference.
pub(crate) fn incomplete_file(site: &Site, key: &str) -> Result<String> {
    let client = Client::new(Settings::builder().build()?);
    let file = KeyFile::new(&client.reference(key)?, None);
    fs::write(site.path("incomplete.key"), file.to_pem())?;
    Ok(site.text("incomplete.key"))
}
