//! `warm = yes` for servers that fork a process for each connection: one request to the identity
//! endpoint for each token, however many children there are.

use std::{path::PathBuf, time::Duration};

use anyhow::Result;

use crate::{modules, process::wait_until, site::Site};

/// Lifetime of tokens. They are renewed after half of that plus up to a fifth of the rest.
const LIFE: Duration = Duration::from_secs(40);
/// How long a program may take for each step.
pub const LIMIT: Duration = Duration::from_secs(90);

/// A configuration whose tokens come from the metadata service of a virtual machine.
///
/// # Errors
/// The module cannot be built, or a file cannot be written.
pub fn configure(site: &Site, file: &str, warm: &str) -> Result<PathBuf> {
    site.vault().set_token_lifetime(LIFE);
    let mut settings = site.settings();
    settings.retain(|(name, _)| *name != "access-token-file");
    settings.push(("credential", "managed-identity".into()));
    settings.push(("warm", warm.into()));
    // Not every server runs as root, and only root may read the build folder.
    let module = site.path("akv_provider.so");
    if !module.exists() {
        std::fs::copy(modules::provider()?, &module)?;
    }
    site.configure(file, &module, &settings)
}

/// The number of requests to the identity endpoint.
pub fn token_requests(site: &Site) -> u64 {
    site.vault().stats().token_requests
}

/// Waits until the parent has requested its token of this number.
///
/// # Errors
/// It does not do so in time.
pub fn wait_for_token(site: &Site, number: u64) -> Result<()> {
    let requested = || (token_requests(site) >= number).then_some(());
    wait_until(&format!("token {number} is requested"), LIMIT, requested)
}

/// Waits until the parent has its first token, with which it requests the key.
///
/// # Errors
/// It does not get one in time.
pub fn wait_for_first_token(site: &Site) -> Result<()> {
    let has_token = || (site.vault().stats().get_key >= 1).then_some(());
    wait_until("the parent has a token", LIMIT, has_token)
}
