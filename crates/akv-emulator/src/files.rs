//! Writes files atomically, private ones readable only by their owner.

use std::{
    fs::{self, Permissions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::Path,
};

/// Replaces a file that contains a key or a token. Only the owner can read it, regardless of the
/// mode of an existing file.
pub(crate) fn write_private(path: &Path, contents: &[u8]) -> io::Result<()> {
    replace(path, contents, 0o600)
}

/// Replaces a file that is world-readable, subject to the umask.
pub(crate) fn write_public(path: &Path, contents: &[u8]) -> io::Result<()> {
    replace(path, contents, 0o644)
}

/// Creates a folder for files with private keys, and the folders above it.
pub(crate) fn create_private_folder(folder: &Path) -> io::Result<()> {
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent)?;
    }
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

/// The new file is renamed atomically, so a crash leaves the old one or the new one. An old file's
/// mode, owner and other names stay with the old file. A symbolic link is replaced, and its target
/// is left unchanged.
fn replace(path: &Path, contents: &[u8], mode: u32) -> io::Result<()> {
    // A device or a pipe is opened for writing, not replaced.
    if fs::metadata(path).is_ok_and(|about| !about.is_file()) {
        return fs::OpenOptions::new().write(true).open(path)?.write_all(contents);
    }
    let folder = folder(path);
    let mut file = tempfile::Builder::new()
        .prefix(".akv-")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(folder)?;
    file.write_all(contents)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_folder(folder)
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes created and removed names durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

/// An error that names the file.
pub(crate) fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn private_files_are_readable_only_by_their_owner() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let theirs = at("theirs");
        fs::write(&theirs, "theirs").unwrap();
        fs::set_permissions(&theirs, Permissions::from_mode(0o666)).unwrap();
        for mode in [0o644, 0o666, 0o777, 0o400] {
            let file = at(&format!("{mode:o}"));
            fs::write(&file, "old").unwrap();
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        }
        symlink(&theirs, at("link")).unwrap();
        symlink(at("nowhere"), at("dangling")).unwrap();
        fs::hard_link(&theirs, at("hard")).unwrap();
        for name in ["644", "666", "777", "400", "link", "dangling", "hard", "new"] {
            let file = at(name);
            write_private(&file, b"secret").unwrap();
            assert_eq!(mode(&file), 0o600, "{name}");
            assert_eq!(fs::read(&file).unwrap(), b"secret", "{name}");
        }
        assert_eq!(fs::read(&theirs).unwrap(), b"theirs", "links are not followed");
        assert!(!fs::exists(at("nowhere")).unwrap());
        let left = fs::read_dir(&folder).unwrap().count();
        assert_eq!(left, 9, "no temporary file is left");
    }

    #[test]
    fn private_folders_are_accessible_only_to_their_owner() {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("state/keys");
        for _ in 0..2 {
            create_private_folder(&keys).unwrap();
            assert_eq!(mode(&keys), 0o700);
        }
        assert_eq!(write_private(&keys, b"x").unwrap_err().kind(), io::ErrorKind::IsADirectory);
    }
}
