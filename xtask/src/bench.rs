//! `cargo xtask bench`: the cost of a signature, as a ratio to a bare client in the same run, and TLS
//! handshakes with one server thread.

use anyhow::Result;
use clap::Args;
use xshell::{Shell, cmd};

use crate::build::Build;

/// Arguments of `cargo xtask bench`.
#[derive(Args)]
pub(crate) struct Bench {
    /// Passed on to the benchmark program; `--help` lists them. With `handshakes`, release builds of
    /// the modules are made first.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Bench {
    /// Builds with optimization and measures.
    pub(crate) fn run(&self) -> Result<()> {
        let shell = Shell::new()?;
        shell.change_dir(akv_tests::modules::workspace());
        let (cargo, mut arguments) = (akv_tests::modules::cargo(), self.arguments.clone());
        println!("Building with optimization; the first time takes minutes.");
        let names_modules = arguments.iter().any(|argument| argument.starts_with("--modules"));
        if arguments.first().is_some_and(|command| command == "handshakes") && !names_modules {
            let modules = Build { release: true, glibc: None }.modules()?;
            arguments.extend(["--modules".to_owned(), modules.display().to_string()]);
        }
        let run =
            cmd!(shell, "{cargo} run --release --quiet --package akv-bench -- {arguments...}");
        Ok(run.quiet().run()?)
    }
}
