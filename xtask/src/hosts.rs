//! `cargo xtask hosts`: the modules with what real hosts bring along.

use anyhow::{Result, bail};
use clap::Args;

use crate::{debian11, openssl};

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
    /// Runs nginx, Apache, HAProxy, curl, stunnel and Node of Debian 11, which use OpenSSL 1.1.1, with
    /// the engine. The system is made in a folder first, which takes root and a minute.
    #[arg(long, conflicts_with = "openssl")]
    debian11: bool,
    /// The modules as they are meant to be installed; takes minutes more.
    #[arg(long, requires = "debian11")]
    release: bool,
}

impl Hosts {
    pub(crate) fn run(&self) -> Result<()> {
        match (self.openssl, self.debian11) {
            (true, _) => openssl::matrix(&self.version),
            (_, true) => debian11::matrix(self.release),
            _ => bail!("say what to run: `cargo xtask hosts --openssl` or `--debian11`"),
        }
    }
}
