//! `akv man`: one man page per command.

use std::{fs, path::PathBuf};

use clap::{Args, CommandFactory as _};
use serde_json::json;

use crate::{
    arguments::Akv,
    exit::{Failure, Result},
    output::Show,
};

/// Write the man pages into a folder.
#[derive(Args, Debug)]
pub(crate) struct Man {
    /// The folder, which is created if missing.
    folder: PathBuf,
}

impl Man {
    pub(crate) fn run(self, show: Show) -> Result<()> {
        let failed = |error: std::io::Error| Failure::file("write into", &self.folder, &error);
        fs::create_dir_all(&self.folder).map_err(failed)?;
        // `akv help` has nothing that is not in the pages.
        let command = Akv::command().disable_help_subcommand(true);
        clap_mangen::generate_to(command, &self.folder).map_err(failed)?;
        show.result(&json!({ "folder": self.folder }), |out| {
            writeln!(out, "the man pages are in {}", self.folder.display())
        })
    }
}
