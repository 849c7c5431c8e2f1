//! Everything in one run: builds what it needs, makes the systems, and starts the benchmark program
//! beside them.

use std::path::{Path, PathBuf};

use akv_tests::modules;
use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use xshell::{Cmd, Shell, cmd};

use crate::{
    build::{Build, target_folder},
    debian::{self, DEBIAN_11, DEBIAN_13, Root, Shared, Suite},
    debian11::GLIBC,
    needs,
};

/// Arguments of `cargo xtask bench all`.
#[derive(Args)]
pub(crate) struct Whole {
    /// The folder for `report.json` and `report.html`; by default `bench` in cargo's target folder.
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// Measures little and for a short time, to see that everything works.
    #[arg(long)]
    quick: bool,
    /// Also measures HAProxy of this other system, which is created in a folder first; both by
    /// default, which requires root. May be repeated.
    #[arg(long, value_name = "SYSTEM")]
    system: Option<Vec<System>>,
    /// Uses no other system.
    #[arg(long, conflicts_with = "system")]
    here: bool,
    /// Uses the modules in this folder instead of making a release build.
    #[arg(long, value_name = "FOLDER")]
    modules: Option<PathBuf>,
    /// Uses the modules in this folder for Debian 11 instead of making a release build.
    #[arg(long, value_name = "FOLDER")]
    old_modules: Option<PathBuf>,
    /// Builds the benchmark program without optimization, with an embedded vault that is slow.
    #[arg(long)]
    debug: bool,
    /// Measures nothing, but renders this `report.json` again.
    #[arg(long, value_name = "FILE")]
    render: Option<PathBuf>,
    /// Passed on to the benchmark program, such as `--only nginx --rounds 5`.
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Another system with hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum System {
    Debian11,
    Debian13,
}

impl System {
    const ALL: [Self; 2] = [Self::Debian11, Self::Debian13];

    const fn suite(self) -> &'static Suite {
        match self {
            Self::Debian11 => &DEBIAN_11,
            Self::Debian13 => &DEBIAN_13,
        }
    }

    /// As the benchmark program calls it.
    const fn name(self) -> &'static str {
        match self {
            Self::Debian11 => "debian11",
            Self::Debian13 => "debian13",
        }
    }
}

impl Whole {
    pub(crate) fn run(&self) -> Result<()> {
        let shell = Shell::new()?;
        let caller = shell.current_dir();
        shell.change_dir(modules::workspace());
        let output = match &self.output {
            Some(output) => caller.join(output),
            None => target_folder(&shell)?.join("bench"),
        };
        if let Some(report) = &self.render {
            let cargo = modules::cargo();
            let report = caller.join(report);
            let run = cmd!(shell, "{cargo} run --quiet --package akv-bench -- all");
            return Ok(run
                .arg("--render")
                .arg(report)
                .arg("--output")
                .arg(output)
                .quiet()
                .run()?);
        }
        let systems = self.systems();
        if !systems.is_empty() {
            debian::prepare(&needs::FOR_BENCH)?;
        }
        let roots = systems
            .iter()
            .map(|system| Ok((*system, Root::open(system.suite())?)))
            .collect::<Result<Vec<_>>>()?;
        let shared = Shared::with(roots.iter().map(|(_, root)| root.folder()))?;
        let command = self.command(&shell, &shared, &roots, &caller)?;
        Ok(command.arg("--output").arg(output).args(&self.arguments).quiet().run()?)
    }

    fn systems(&self) -> Vec<System> {
        match &self.system {
            _ if self.here => Vec::new(),
            Some(systems) => systems.clone(),
            None => System::ALL.into(),
        }
    }

    /// The benchmark program beside the systems, with modules for each.
    fn command<'a>(
        &self,
        shell: &'a Shell,
        shared: &Shared,
        roots: &[(System, Root)],
        caller: &Path,
    ) -> Result<Cmd<'a>> {
        println!("Building with optimization; the first time takes minutes.");
        let built = match &self.modules {
            Some(folder) => caller.join(folder),
            None => Build { release: true, glibc: None }.modules()?,
        };
        let program = program(shell, self.debug)?;
        let mut command = match roots {
            [] => cmd!(shell, "{program}"),
            _ => shared.command(shell).arg(program),
        };
        command = command.args(["all", "--modules"]).arg(shared.modules(&built, "modules")?);
        if roots.iter().any(|(system, _)| *system == System::Debian11) {
            let built = match &self.old_modules {
                Some(folder) => caller.join(folder),
                None => Build { release: true, glibc: Some(GLIBC) }.modules()?,
            };
            command = command.arg("--old-modules").arg(shared.modules(&built, "old-modules")?);
        }
        for (system, root) in roots {
            let root = format!("{}={}", system.name(), root.folder().display());
            command = command.args(["--root", &root]);
        }
        Ok(command.args(self.quick.then_some("--quick")).env("TMPDIR", shared.path()))
    }
}

/// Builds the benchmark program, and returns its path.
fn program(shell: &Shell, debug: bool) -> Result<PathBuf> {
    let cargo = modules::cargo();
    let release = (!debug).then_some("--release");
    let options = ["build", "--quiet", "--package", "akv-bench"];
    cmd!(shell, "{cargo} {options...}").args(release).quiet().run()?;
    let profile = if debug { "debug" } else { "release" };
    let program = target_folder(shell)?.join(profile).join("akv-bench");
    program.canonicalize().with_context(|| format!("cargo built no {program:?}"))
}
