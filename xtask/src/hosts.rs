//! `cargo xtask hosts`: the modules with what real hosts bring along.

use anyhow::{Result, bail};
use clap::Args;

use crate::openssl;

/// Arguments of `cargo xtask hosts`.
#[derive(Args)]
pub(crate) struct Hosts {
    /// Runs the tests of the modules with each version of OpenSSL. Versions that the machine
    /// lacks are built first, which takes minutes each.
    #[arg(long)]
    openssl: bool,
    /// One of these versions only, such as `system`, `3.5` or `4.0.3`; may be given repeatedly.
    #[arg(long, requires = "openssl", value_name = "VERSION")]
    version: Vec<String>,
}

impl Hosts {
    pub(crate) fn run(&self) -> Result<()> {
        if !self.openssl {
            bail!("say what to run: `cargo xtask hosts --openssl`");
        }
        openssl::matrix(&self.version)
    }
}
