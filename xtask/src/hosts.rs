//! `cargo xtask hosts`: the modules with the TLS libraries and the programs of real hosts, and the
//! embedded vault with real clients.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;

use crate::{aws_lc, debian11, dist, minimal, openssl, programs::Programs, sdk};

/// Arguments of `cargo xtask hosts`.
#[derive(Args)]
pub(crate) struct Hosts {
    /// Runs the tests of the modules with each version of OpenSSL. Missing versions are built
    /// first, which takes minutes each.
    #[arg(long)]
    openssl: bool,
    /// Runs only these versions, such as `system`, `3.5` or `4.0.3`; may be repeated.
    #[arg(long, requires = "openssl", value_name = "VERSION")]
    version: Vec<String>,
    /// Runs nginx, Apache, HAProxy, curl, stunnel and Node of Debian 11, which use OpenSSL 1.1.1,
    /// with the engine. The system is created in a folder first, which requires root and takes a
    /// minute.
    #[arg(long, conflicts_with = "openssl")]
    debian11: bool,
    /// Uses release builds of the modules; takes minutes more.
    #[arg(long, requires = "debian11")]
    release: bool,
    /// Runs a TLS server with AWS-LC's libssl and the C API. AWS-LC is built first, which takes
    /// minutes.
    #[arg(long, conflicts_with_all = ["openssl", "debian11"])]
    aws_lc: bool,
    /// Runs Microsoft's clients for Python and JavaScript against the embedded vault under the
    /// service's host names. They are installed first, from PyPI and npm's registry.
    #[arg(long, conflicts_with_all = ["openssl", "debian11", "aws_lc"])]
    sdk: bool,
    /// Installs the tests' requirements in a minimal Debian 12 and checks that they suffice. The
    /// system is created in a folder first, which requires root and takes a minute.
    #[arg(long, conflicts_with_all = ["openssl", "debian11", "aws_lc", "sdk"])]
    minimal: bool,
    /// Installs the packages of `cargo xtask dist` in Debian 11, 12, 13 and sid, upgrades, uses and
    /// removes them; those for rpm in a folder; and does the steps of the images. The systems are
    /// created in folders first, which requires root and takes minutes.
    #[arg(long, conflicts_with_all = ["openssl", "debian11", "aws_lc", "sdk", "minimal"])]
    packages: bool,
    /// Runs all of `cargo xtask test` there; takes as long as here.
    #[arg(long, requires = "minimal")]
    full: bool,
    #[command(flatten)]
    programs: Programs,
    /// For internal use, inside the network namespace: the folder with the clients.
    #[arg(long, requires = "sdk", hide = true, value_name = "FOLDER")]
    inside: Option<PathBuf>,
}

impl Hosts {
    pub(crate) fn run(&self) -> Result<()> {
        if self.programs.selected() {
            return self.programs.run();
        }
        if self.packages {
            return dist::packages();
        }
        match (self.openssl, self.debian11, self.aws_lc, self.sdk, self.minimal) {
            (true, ..) => openssl::matrix(&self.version),
            (_, true, ..) => debian11::matrix(self.release),
            (_, _, true, ..) => aws_lc::matrix(),
            (.., true, _) => match &self.inside {
                Some(cache) => sdk::inside(cache),
                None => sdk::matrix(),
            },
            (.., true) => minimal::matrix(self.full),
            _ => bail!(
                "choose what to run: `cargo xtask hosts --openssl`, `--debian11`, \
                 `--debian12`, `--debian13`, `--sid`, `--aws-lc`, `--sdk`, `--minimal` or \
                 `--packages`"
            ),
        }
    }
}
