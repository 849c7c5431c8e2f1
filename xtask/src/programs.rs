//! `cargo xtask hosts --debian13`: host programs with keys in the vault; see the crate `akv-matrix`.

mod matrix;

use std::path::PathBuf;

use akv_matrix::{Host, Release};
use anyhow::{Context as _, Result};
use clap::Args;

/// Which programs run, and where.
#[derive(Args)]
#[group(id = "debian", multiple = false)]
pub(crate) struct Releases {
    /// Runs the programs of `docs/recipes` in Debian 12, as their packages start them. The system is
    /// created in a folder first, which requires root and takes minutes.
    #[arg(long)]
    debian12: bool,
    /// The same in Debian 13.
    #[arg(long)]
    debian13: bool,
    /// The same in Debian's release in development.
    #[arg(long)]
    sid: bool,
}

/// Arguments of `cargo xtask hosts --debian13` and so on.
#[derive(Args)]
pub(crate) struct Programs {
    #[command(flatten)]
    releases: Releases,
    /// Runs only these programs, such as `nginx`.
    #[arg(value_name = "PROGRAM", requires = "debian")]
    programs: Vec<String>,
    /// Writes the results into `docs/hosts.md`.
    #[arg(long, requires = "debian")]
    write_docs: bool,
    /// For internal use, inside of the namespaces: the folders of the system, of the modules and for
    /// files, and the file for the results.
    #[arg(long, requires = "debian", hide = true, num_args = 4, value_name = "PATH")]
    within: Vec<PathBuf>,
}

impl Programs {
    /// Whether a release is named.
    pub(crate) fn selected(&self) -> bool {
        self.release().is_some()
    }

    /// Runs the programs.
    ///
    /// # Errors
    /// Something is missing, or a program did not pass.
    pub(crate) fn run(&self) -> Result<()> {
        let release = self.release().context("no release is named")?;
        let hosts = self.hosts()?;
        match &self.within[..] {
            [system, modules, work, results] => {
                matrix::inside(hosts[0], release, [system, modules, work], results)
            }
            _ => matrix::run(&hosts, release, self.write_docs),
        }
    }

    const fn release(&self) -> Option<Release> {
        match self.releases {
            Releases { debian12: true, .. } => Some(Release::Debian12),
            Releases { debian13: true, .. } => Some(Release::Debian13),
            Releases { sid: true, .. } => Some(Release::Sid),
            _ => None,
        }
    }

    fn hosts(&self) -> Result<Vec<&'static Host>> {
        if self.programs.is_empty() {
            return Ok(akv_matrix::HOSTS.iter().collect());
        }
        let find = |name: &String| {
            akv_matrix::find(name).with_context(|| {
                let known: Vec<&str> = akv_matrix::HOSTS.iter().map(|host| host.name).collect();
                format!("no program {name:?}; there are {}", known.join(", "))
            })
        };
        self.programs.iter().map(find).collect()
    }
}
