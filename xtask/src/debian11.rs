//! Servers and clients of Debian 11, which are linked with OpenSSL 1.1.1, with keys in the vault.

mod cases;
mod mirror;
mod root;

use akv_tests::Glibc;
use anyhow::{Result, ensure};
use nix::unistd::geteuid;

use self::root::Root;
pub(crate) use self::{cases::TESTS, mirror::Mirror};
use crate::{build::Build, needs};

/// The C library for which the modules are built. Debian 11 has 2.31; other systems with OpenSSL
/// 1.1.1 have older ones.
const GLIBC: Glibc = Glibc::new(2, 17);

/// Creates the system if necessary, runs the cases in it, and prints the results.
///
/// # Errors
/// The system or the modules cannot be built, or a case did not pass.
pub(crate) fn matrix(release: bool) -> Result<()> {
    ensure!(
        geteuid().is_root(),
        "run this as root: it creates a system in a folder and runs programs in it"
    );
    let missing = needs::install(&needs::FOR_DEBIAN11)?;
    ensure!(missing.is_empty(), "{}", needs::explain(&missing));
    let root = Root::open()?;
    let modules = Build { release, glibc: Some(GLIBC) }.run()?;
    cases::run(&root, &modules)
}
