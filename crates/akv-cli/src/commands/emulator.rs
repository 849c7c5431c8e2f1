//! `akv emulator`: the embedded vault.

use akv_emulator::program;
use clap::Args;

use crate::{
    exit::{Failure, Result},
    output::Show,
};

/// Serve an embedded vault for tests.
///
/// Prints the variables that point akv, OpenSSL's modules and the Azure SDKs at it, then serves
/// until Ctrl-C or SIGTERM. With --write-env a script can start it in the background and read the
/// file.
#[derive(Args, Debug)]
pub(crate) struct Emulator {
    #[command(flatten)]
    arguments: program::Arguments,
}

impl Emulator {
    pub(crate) fn run(self, show: Show) -> Result<()> {
        program::run(self.arguments.json(show.json)).map_err(|error| {
            let closed = error.downcast_ref::<std::io::Error>();
            match closed.map(std::io::Error::kind) {
                Some(std::io::ErrorKind::BrokenPipe) => Failure::ClosedPipe,
                _ => Failure::System(error.to_string()),
            }
        })
    }
}
