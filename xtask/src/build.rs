//! `cargo xtask build`: builds the artifacts into one folder, under their public names.

mod audit;
mod c_library;
mod paths;
mod zig;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use akv_tests::Glibc;
use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use serde_json::Value;
use xshell::{Cmd, Shell, cmd};

pub(crate) use self::c_library::pkg_config_file;
use self::{paths::BuildPaths, zig::Zig};

/// An artifact: cargo package, cargo's file name, public name.
type Artifact = (&'static str, &'static str, &'static str);

/// Each list is built by a separate run of cargo: features are unified within a run, and the
/// modules must not get the program's features.
const MODULES: &[Artifact] = &[
    ("provider-shim", "libakv_provider.so", "akv_provider.so"),
    ("engine-shim", "libe_akv.so", "e_akv.so"),
];
const PROGRAMS: &[Artifact] = &[("akv-cli", "akv", "akv")];
const EMULATOR: &[Artifact] = &[("akv-emulator", "akv-emulator", "akv-emulator")];

/// The folders of a build.
struct Places {
    shell: Shell,
    /// Cargo's target folder.
    target: PathBuf,
    /// The folder in it with the build's results.
    built: PathBuf,
    /// The folder for the artifacts.
    folder: PathBuf,
    /// The program `cargo-auditable`, if every artifact is to contain the list of its dependencies.
    auditable: Option<PathBuf>,
}

/// Arguments of `cargo xtask build`.
#[derive(Args, Default)]
pub(crate) struct Build {
    /// Builds optimized and stripped artifacts, for installation. Takes minutes.
    #[arg(long)]
    pub(crate) release: bool,
    /// Builds for machines with this version of the GNU C library or a later one, such as 2.17,
    /// into a separate folder. Requires Python 3, and downloads a compiler (100 MB) from PyPI the
    /// first time.
    #[arg(long, value_name = "VERSION")]
    pub(crate) glibc: Option<Glibc>,
}

impl Build {
    /// Builds, copies, and prints the paths; the last line is `modules: FOLDER`.
    pub(crate) fn run(&self) -> Result<PathBuf> {
        let places = self.places()?;
        self.place_modules(&places)?;
        self.place(&places, PROGRAMS, &[])?;
        println!("modules: {}", places.folder.display());
        Ok(places.folder)
    }

    /// Builds and copies everything that is released, with `cargo-auditable`.
    pub(crate) fn run_for_release(&self, auditable: PathBuf) -> Result<PathBuf> {
        let places = Places { auditable: Some(auditable), ..self.places()? };
        self.place_modules(&places)?;
        self.place(&places, PROGRAMS, &[])?;
        self.place(&places, EMULATOR, &[])?;
        Ok(places.folder)
    }

    /// Builds and copies only the modules and the C library.
    pub(crate) fn modules(&self) -> Result<PathBuf> {
        let places = self.places()?;
        self.place_modules(&places)?;
        Ok(places.folder)
    }

    fn place_modules(&self, places: &Places) -> Result<()> {
        self.place(places, MODULES, &[c_library::PACKAGE])?;
        let linker = self.linker(&places.shell, &places.target)?;
        let audit = places.auditable.as_deref().map(audit::object).transpose()?;
        let library = c_library::make(linker, &places.built, self.release, audit.as_ref())?;
        for (file, name) in &library.files {
            install(file, &places.folder.join(name))
                .with_context(|| format!("no {name} in {:?}", places.folder))?;
        }
        let glibc = self.check(places, &places.folder.join(c_library::NAME))?;
        let profile = self.profile();
        println!("{}: {profile} build, for glibc {glibc} and later", c_library::NAME);
        Ok(())
    }

    fn places(&self) -> Result<Places> {
        let shell = Shell::new()?;
        shell.change_dir(akv_tests::modules::workspace());
        let target = target_folder(&shell)?;
        let (built, folder) = match self.glibc {
            None => (target.clone(), target.join("modules")),
            Some(glibc) => {
                let folder = target.join(format!("modules-glibc-{glibc}"));
                (target.join(zig::host(&shell)?), folder)
            }
        };
        fs::create_dir_all(&folder)?;
        let built = built.join(self.profile());
        Ok(Places { shell, target, built, folder, auditable: None })
    }

    /// Builds artifacts and `more` packages in one run of cargo, and copies the artifacts.
    fn place(&self, places: &Places, artifacts: &[Artifact], more: &[&str]) -> Result<()> {
        let (profile, folder) = (self.profile(), &places.folder);
        let packages = artifacts.iter().map(|(package, ..)| *package);
        self.compile(places, packages.chain(more.iter().copied()))?;
        for (package, file, name) in artifacts {
            let installed = folder.join(name);
            install(&places.built.join(file), &installed)
                .with_context(|| format!("cannot install {name} of {package} into {folder:?}"))?;
            let size = fs::metadata(&installed)?.len() as f64 / 1e6;
            let glibc = self.check(places, &installed)?;
            println!("{name}: {profile} build, {size:.1} MB, for glibc {glibc} and later");
        }
        Ok(())
    }

    const fn profile(&self) -> &'static str {
        if self.release { "release" } else { "debug" }
    }

    fn compile<'a>(&self, places: &Places, packages: impl Iterator<Item = &'a str>) -> Result<()> {
        let Places { shell, target, .. } = places;
        let cargo = akv_tests::modules::cargo();
        let release = self.release.then_some("--release");
        let packages = packages.flat_map(|package| ["--package", package]);
        let command = match self.glibc {
            None => cmd!(shell, "{cargo} build"),
            Some(glibc) => Zig::open(target, glibc)?.command(shell, places.auditable.as_deref())?,
        };
        let mut command = command.args(release).args(packages);
        if self.release {
            // Other builds share their artifacts with `cargo test`, which has no such flags.
            let flags = BuildPaths::of_this_machine(shell, target)?.rustflags();
            command = command.env("CARGO_ENCODED_RUSTFLAGS", flags);
        }
        Ok(command.quiet().run()?)
    }

    /// The C compiler that links libraries.
    fn linker<'a>(&self, shell: &'a Shell, target: &Path) -> Result<Cmd<'a>> {
        match self.glibc {
            None => Ok(cmd!(shell, "cc")),
            Some(glibc) => Zig::open(target, glibc)?.linker(shell),
        }
    }

    /// The oldest C library with which an artifact loads. It must not be newer than the requested
    /// one, or than this machine's. Release artifacts must contain no path of this machine.
    fn check(&self, places: &Places, module: &Path) -> Result<Glibc> {
        if self.release {
            BuildPaths::of_this_machine(&places.shell, &places.target)?.check(module)?;
        }
        let needed = Glibc::needed_by(module)?;
        let limit = self.glibc.map_or_else(Glibc::of_this_machine, Ok)?;
        ensure!(needed <= limit, "{module:?} needs glibc {needed}, which is later than {limit}");
        Ok(needed)
    }
}

/// Cargo's target folder.
pub(crate) fn target_folder(shell: &Shell) -> Result<PathBuf> {
    let cargo = akv_tests::modules::cargo();
    let metadata = cmd!(shell, "{cargo} metadata --format-version 1 --no-deps").quiet().read()?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    match metadata["target_directory"].as_str() {
        Some(folder) => Ok(folder.into()),
        None => bail!("`cargo metadata` names no target folder"),
    }
}

/// Replaces a file in one step: a running server may have the old one mapped.
fn install(built: &Path, installed: &Path) -> io::Result<()> {
    let folder = installed.parent().unwrap_or_else(|| Path::new("."));
    let beside = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
    fs::copy(built, beside.path())?;
    beside.persist(installed)?;
    Ok(())
}
