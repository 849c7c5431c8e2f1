//! Debian systems in folders, whose programs run beside those of this machine.

mod clean;
mod mirror;
mod root;
mod shared;
mod suite;

use anyhow::{Result, ensure};
use nix::unistd::geteuid;

pub(crate) use self::{
    clean::{DEBIAN_13_MINIMAL, DEBIAN_13_RPM, DEBIAN_SID},
    mirror::Mirror,
    root::Root,
    shared::Shared,
    suite::{DEBIAN_11, DEBIAN_12, DEBIAN_13, HOSTS_12, HOSTS_13, HOSTS_SID, Suite},
};
use crate::needs::{self, Need};

/// Checks that systems can be created and used here, and installs what that requires, and `more`.
///
/// # Errors
/// This is not root, or something is missing and cannot be installed.
pub(crate) fn prepare(more: &[Need]) -> Result<()> {
    ensure!(
        geteuid().is_root(),
        "run this as root: it creates a system in a folder and runs programs in it"
    );
    let missing = needs::install(&[&needs::FOR_DEBIAN, more].concat())?;
    ensure!(missing.is_empty(), "{}", needs::explain(&missing));
    Ok(())
}
