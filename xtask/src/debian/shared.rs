//! A folder that this machine and some systems have at the same path, for everything that their
//! programs share.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use tempfile::TempDir;
use xshell::{Cmd, Shell, cmd};

/// Mounts the shared folder, the devices and the processes in each system, for one command. Nothing
/// stays mounted after it.
const ENTER: &str = r#"set -e; shared=$1; shift
while [ "$1" != -- ]; do
    mount --bind "$shared" "$1$shared"
    mount -t proc proc "$1/proc"
    mount --rbind /dev "$1/dev"
    shift
done
shift
exec "$@""#;

/// The folder, which is removed with its mount points.
pub(crate) struct Shared {
    folder: TempDir,
    roots: Vec<PathBuf>,
}

impl Shared {
    /// For the systems in these folders.
    pub(crate) fn with<'a>(roots: impl IntoIterator<Item = &'a Path>) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("akv-hosts-").tempdir_in("/tmp")?;
        // Servers that give up root read it.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711))?;
        let roots = roots.into_iter().map(Path::to_owned).collect();
        let shared = Self { folder, roots };
        for place in shared.places() {
            fs::create_dir_all(&place).with_context(|| format!("cannot create {place:?}"))?;
        }
        Ok(shared)
    }

    /// Its path, here and there.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Copies modules into it, and returns the folder with them.
    pub(crate) fn modules(&self, built: &Path, name: &str) -> Result<PathBuf> {
        let folder = self.path().join(name);
        fs::create_dir(&folder)?;
        for file in ["akv_provider.so", "e_akv.so"] {
            fs::copy(built.join(file), folder.join(file))
                .with_context(|| format!("cannot copy {file} from {built:?}"))?;
        }
        Ok(folder)
    }

    /// The start of a command of this machine in a mount namespace where the systems have the
    /// folder.
    pub(crate) fn command<'a>(&self, shell: &'a Shell) -> Cmd<'a> {
        let (shared, roots) = (self.path(), &self.roots);
        let options = ["--mount", "--propagation", "private", "--"];
        cmd!(shell, "unshare {options...} sh -c {ENTER} sh {shared} {roots...} --")
    }

    /// The mount points.
    fn places(&self) -> impl Iterator<Item = PathBuf> {
        let inside = self.path().strip_prefix("/").unwrap_or(self.path());
        self.roots.iter().map(move |root| root.join(inside))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        for place in self.places() {
            let _ = fs::remove_dir(place);
        }
    }
}
