//! `cargo xtask test`: everything that continuous integration runs.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Args;
use xshell::{Shell, cmd};

use crate::{
    aws_lc::TESTS as AWS_LC,
    build::Build,
    debian11::TESTS as DEBIAN11,
    needs::{self, FOR_TESTS},
    sdk,
};

/// Arguments of `cargo xtask test`.
#[derive(Args)]
pub(crate) struct Test {}

impl Test {
    /// Runs all steps, even after a failure, and ends with one line per step.
    pub(crate) fn run(&self) -> Result<()> {
        let started = Instant::now();
        let shell = Shell::new()?;
        shell.change_dir(akv_tests::modules::workspace());
        let cargo = akv_tests::modules::cargo();
        let mut steps = Steps::default();
        steps.run("needs", || match needs::install(&FOR_TESTS)? {
            missing if missing.is_empty() => Ok(()),
            missing => bail!("{}: the cases that use them fail", needs::explain(&missing)),
        });
        steps.run("fmt", || Ok(cmd!(shell, "{cargo} fmt --all -- --check").quiet().run()?));
        steps.run("clippy", || {
            let deny = ["-D", "warnings"];
            let clippy = cmd!(shell, "{cargo} clippy --workspace --all-targets -- {deny...}");
            clippy.quiet().run()?;
            // Not part of all targets, since `cargo test` must leave them out.
            for tests in [DEBIAN11, AWS_LC] {
                cmd!(shell, "{cargo} clippy {tests...} -- {deny...}").quiet().run()?;
            }
            Ok(())
        });
        steps.run("docs", || {
            let doc = cmd!(shell, "{cargo} doc --package akv-core --no-deps --quiet");
            Ok(doc.env("RUSTDOCFLAGS", "-D warnings").quiet().run()?)
        });
        let mut modules = None;
        steps.run("build", || {
            modules = Some(Build::default().run()?);
            Ok(())
        });
        if let Some(modules) = modules {
            shell.set_var(akv_tests::modules::VARIABLE, modules);
        }
        steps.run("tests", || {
            Ok(cmd!(shell, "{cargo} test --workspace --no-fail-fast").quiet().run()?)
        });
        steps.run("demo", || {
            let xtask = std::env::current_exe()?;
            Ok(cmd!(shell, "{xtask} demo").quiet().run()?)
        });
        steps.run("e2e", || {
            let xtask = std::env::current_exe()?;
            Ok(cmd!(shell, "{xtask} e2e --emulator").quiet().run()?)
        });
        steps.run("sdk", sdk::matrix);
        steps.finish(started)
    }
}

/// The steps so far.
#[derive(Default)]
struct Steps(Vec<Step>);

struct Step {
    name: &'static str,
    took: Duration,
    result: Result<(), String>,
}

impl Steps {
    fn run(&mut self, name: &'static str, step: impl FnOnce() -> Result<()>) {
        println!("== {name}");
        let started = Instant::now();
        let result = step().map_err(|error| format!("{error:#}"));
        if let Err(error) = &result {
            println!("== {name} failed: {error}");
        }
        self.0.push(Step { name, took: started.elapsed(), result });
    }

    fn finish(self, started: Instant) -> Result<()> {
        println!("== summary, after {} s", started.elapsed().as_secs());
        let mut failed = 0;
        for Step { name, took, result } in &self.0 {
            match result {
                Ok(()) => println!("{name}: passed in {} s", took.as_secs()),
                Err(error) => {
                    failed += 1;
                    println!("{name}: NOT PASSED: {error}");
                }
            }
        }
        if failed > 0 {
            bail!("{failed} of {} steps did not pass", self.0.len());
        }
        println!("all {} steps passed", self.0.len());
        Ok(())
    }
}
