//! A compiler and linker for older C libraries: `zig cc` with `cargo-zigbuild`, both from PyPI in
//! pinned versions.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use akv_tests::{Glibc, process::which};
use anyhow::{Context as _, Result, bail, ensure};
use xshell::{Cmd, Shell, cmd};

/// Packages, versions and hashes, in pip's format.
const REQUIREMENTS: &str = include_str!("../../zigbuild.txt");

/// Rust's own libraries require this one.
const OLDEST: Glibc = Glibc::new(2, 17);

/// The installed compiler: a virtual environment of Python.
pub(super) struct Zig {
    folder: PathBuf,
    glibc: Glibc,
}

impl Zig {
    /// The compiler in cargo's target folder, for this C library. It is installed first if it is
    /// missing or has another version.
    pub(super) fn open(target: &Path, glibc: Glibc) -> Result<Self> {
        if glibc < OLDEST {
            bail!("Rust's own libraries need glibc {OLDEST}: nothing can be built for {glibc}");
        }
        let zig = Self { folder: target.join("zigbuild"), glibc };
        let installed = zig.folder.join("requirements.txt");
        if fs::read_to_string(&installed).is_ok_and(|there| there == REQUIREMENTS) {
            return Ok(zig);
        }
        println!("Installing cargo-zigbuild and ziglang from PyPI (100 MB) for the C part");
        zig.install().with_context(|| {
            format!(
                "building for an older glibc requires cargo-zigbuild and ziglang, which could not \
                 be installed into {:?}. Their installation requires Python 3 with its module \
                 venv (Debian's package python3-venv), and PyPI or a mirror of it (PIP_INDEX_URL). \
                 Without --glibc none of this is required",
                zig.folder
            )
        })?;
        // Written last, so that an incomplete installation is repeated.
        fs::write(installed, REQUIREMENTS)?;
        Ok(zig)
    }

    fn install(&self) -> Result<()> {
        ensure!(which("python3").is_some(), "python3 is not installed");
        let (shell, folder) = (Shell::new()?, &self.folder);
        cmd!(shell, "python3 -m venv --clear {folder}").quiet().run()?;
        let wanted = tempfile::NamedTempFile::new()?;
        fs::write(wanted.path(), REQUIREMENTS)?;
        let (pip, wanted) = (self.program("pip"), wanted.path());
        let options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"];
        let command = cmd!(shell, "{pip} install {options...} --only-binary :all: -r {wanted}");
        Ok(command.quiet().run()?)
    }

    fn program(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(name)
    }

    /// `cargo build` for this machine's platform and that C library, by way of `cargo-auditable` if that
    /// is given.
    pub(super) fn command<'a>(&self, shell: &'a Shell, by: Option<&Path>) -> Result<Cmd<'a>> {
        let target = format!("{}.{}", host(shell)?, self.glibc);
        let command = match by {
            None => {
                let program = self.program("cargo-zigbuild");
                cmd!(shell, "{program} zigbuild")
            }
            // It starts `cargo zigbuild`, and cargo looks for that in `PATH`.
            Some(auditable) => {
                let mut path = OsString::from(self.folder.join("bin"));
                if let Some(more) = env::var_os("PATH") {
                    path.push(":");
                    path.push(more);
                }
                cmd!(shell, "{auditable} auditable zigbuild").env("PATH", path)
            }
        };
        let command = command
            .args(["--target", &target])
            .env("CARGO", akv_tests::modules::cargo())
            .env("CARGO_ZIGBUILD_PYTHON_PATH", self.program("python"))
            .env("CARGO_ZIGBUILD_CACHE_DIR", self.folder.join("cache"))
            .env("ZIG_GLOBAL_CACHE_DIR", self.folder.join("cache"));
        Ok(command)
    }

    /// `zig cc` for this machine's processor and that C library.
    pub(super) fn linker<'a>(&self, shell: &'a Shell) -> Result<Cmd<'a>> {
        let host = host(shell)?;
        let processor = host.split('-').next().unwrap_or_default();
        let target = format!("{processor}-linux-gnu.{}", self.glibc);
        let python = self.program("python");
        let command = cmd!(shell, "{python} -m ziglang cc -target {target}");
        Ok(command.env("ZIG_GLOBAL_CACHE_DIR", self.folder.join("cache")))
    }
}

/// Rust's name of this platform, which is also the name of a folder below cargo's target folder.
pub(super) fn host(shell: &Shell) -> Result<String> {
    let rustc = env::var_os("RUSTC").map_or_else(|| "rustc".into(), PathBuf::from);
    let output = cmd!(shell, "{rustc} -vV").quiet().read()?;
    let host = output.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.with_context(|| format!("rustc does not name its host: {output}"))?;
    ensure!(host.ends_with("-linux-gnu"), "--glibc is for Linux with the GNU C library: {host}");
    Ok(host.to_owned())
}
