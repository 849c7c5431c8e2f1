//! Servers and clients of Debian 11, which are linked with OpenSSL 1.1.1, with keys in the vault.

mod cases;

use akv_tests::Glibc;
use anyhow::Result;

pub(crate) use self::cases::TESTS;
use crate::{
    build::Build,
    debian::{self, DEBIAN_11, Root},
    needs,
};

/// The C library for which the modules are built. Debian 11 has 2.31; other systems with OpenSSL
/// 1.1.1 have older ones.
pub(crate) const GLIBC: Glibc = Glibc::new(2, 17);

/// Creates the system if necessary, runs the cases in it, and prints the results.
///
/// # Errors
/// The system or the modules cannot be built, or a case did not pass.
pub(crate) fn matrix(release: bool) -> Result<()> {
    debian::prepare(&needs::FOR_DEBIAN11)?;
    let root = Root::open(&DEBIAN_11)?;
    let modules = Build { release, glibc: Some(GLIBC) }.run()?;
    cases::run(&root, &modules)
}
