//! `akv completions`: shell completions.

use std::io::{self, Write as _};

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::{arguments::Akv, exit::Result};

/// Print the completions for a shell.
#[derive(Args, Debug)]
pub(crate) struct Completions {
    /// The shell.
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self) -> Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Akv::command(), "akv", &mut script);
        let mut stdout = io::stdout().lock();
        stdout.write_all(&script)?;
        Ok(stdout.flush()?)
    }
}
