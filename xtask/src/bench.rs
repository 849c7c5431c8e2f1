//! `cargo xtask bench`: what signatures and TLS handshakes with keys in a vault cost.

mod whole;

use anyhow::Result;
use clap::{Args, Subcommand};
use xshell::{Shell, cmd};

use self::whole::Whole;
use crate::build::Build;

/// Arguments of `cargo xtask bench`.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Bench {
    #[command(subcommand)]
    command: Option<Command>,
    /// Passed on to the benchmark program; `--help` lists them. With `handshakes`, release builds of
    /// the modules are made first.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Measures everything in one run, with HAProxy of three Debian releases, and writes a report
    /// in JSON and HTML.
    All(Whole),
}

impl Bench {
    /// Builds with optimization and measures.
    pub(crate) fn run(&self) -> Result<()> {
        match &self.command {
            Some(Command::All(whole)) => whole.run(),
            None => self.single(),
        }
    }

    fn single(&self) -> Result<()> {
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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        bench: Bench,
    }

    fn parse(line: &str) -> Bench {
        Line::try_parse_from(line.split(' ')).expect("valid arguments").bench
    }

    #[test]
    fn arguments_without_all_are_passed_on() {
        for (line, expected) in [
            ("bench --count 3", vec!["--count", "3"]),
            ("bench handshakes --rsa --clients 64", vec!["handshakes", "--rsa", "--clients", "64"]),
            ("bench", vec![]),
        ] {
            let bench = parse(line);
            assert!(bench.command.is_none(), "{line}");
            assert_eq!(bench.arguments, expected, "{line}");
        }
    }

    #[test]
    fn all_has_arguments_of_its_own() {
        assert!(parse("bench all --quick -- --only nginx").command.is_some());
        let error = Line::try_parse_from(["bench", "all", "--only", "nginx"]).err();
        assert!(error.is_some(), "options of the benchmark program follow --");
    }
}
