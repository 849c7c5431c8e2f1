//! Azure Arc's proof of permission: a secret file that only its group may read.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use azure_core::http::headers::{Headers, WWW_AUTHENTICATE};
use nix::libc::{O_NOFOLLOW, O_NONBLOCK};
use process_abi::descriptor::StandardStreams;
use zeroize::Zeroizing;

use crate::{Error, ErrorKind, Result};

/// The folder of the agent's secrets.
pub(super) const FOLDER: &str = "/var/opt/azcmagent/tokens";
/// Maximum length of a secret in bytes.
const MAX_SECRET: usize = 4096;

/// Reads the secret from the file that a challenge names. A different server may listen at the
/// agent's address, and must not get the content of any other file. So only regular files in
/// `folder` are read, not through a link, with the agent's extension and of a sensible size.
pub(super) fn secret(headers: &Headers, folder: &Path) -> Result<Zeroizing<String>> {
    let path = headers
        .get_optional_str(&WWW_AUTHENTICATE)
        .and_then(|challenge| challenge.strip_prefix("Basic realm="))
        .map(|path| Path::new(path.trim_matches('"')))
        .ok_or_else(|| refuse("the challenge names no secret file".into()))?;
    read(path, folder)
}

fn read(path: &Path, folder: &Path) -> Result<Zeroizing<String>> {
    let agents = path.parent() == Some(folder) && path.extension().is_some_and(|end| end == "key");
    if !agents {
        return Err(refuse(format!("the secret file {path:?} is not a .key file in {folder:?}")));
    }
    let unreadable = |error: io::Error| {
        let refusal = refuse(format!("{path:?} cannot be read: {error}"));
        match error.kind() {
            io::ErrorKind::PermissionDenied => {
                refusal.hint("add this program's user to the group himds")
            }
            _ => refusal,
        }
    };
    let file = open(path).map_err(unreadable)?;
    let mut secret = Zeroizing::new(String::with_capacity(MAX_SECRET + 1));
    file.take(MAX_SECRET as u64 + 1).read_to_string(&mut secret).map_err(unreadable)?;
    if secret.len() > MAX_SECRET {
        return Err(refuse(format!("{path:?} is larger than {MAX_SECRET} bytes")));
    }
    // The secret becomes a header value.
    let text = secret.trim();
    match !text.is_empty() && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        true => Ok(Zeroizing::new(text.to_owned())),
        false => Err(refuse(format!("{path:?} contains no secret"))),
    }
}

/// Opens a regular file that is not a link. A pipe must not block us.
fn open(path: &Path) -> io::Result<File> {
    let _streams = StandardStreams::hold();
    let file = OpenOptions::new().read(true).custom_flags(O_NOFOLLOW | O_NONBLOCK).open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("it is not a regular file")),
    }
}

fn refuse(reason: String) -> Error {
    Error::new(ErrorKind::Credential, format!("Azure Arc: {reason}"))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn only_the_agents_own_files_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("good.key"), "s3cret\n").unwrap();
        assert_eq!(*read(&at("good.key"), folder.path()).unwrap(), "s3cret");
        fs::write(at("longest.key"), "x".repeat(MAX_SECRET)).unwrap();
        assert_eq!(read(&at("longest.key"), folder.path()).unwrap().len(), MAX_SECRET);

        fs::write(at("other.txt"), "s3cret").unwrap();
        fs::write(at("large.key"), "x".repeat(MAX_SECRET + 1)).unwrap();
        fs::write(at("empty.key"), "\n").unwrap();
        fs::write(at("header.key"), "s3cret\r\nX-Other: s3cret").unwrap();
        fs::write(at("binary.key"), [0xff, 0xfe]).unwrap();
        fs::write(elsewhere.path().join("s3cret.key"), "s3cret").unwrap();
        symlink(elsewhere.path().join("s3cret.key"), at("link.key")).unwrap();
        fs::create_dir(at("folder.key")).unwrap();
        symlink(elsewhere.path(), at("linked")).unwrap();
        let made = std::process::Command::new("mkfifo").arg(at("pipe.key")).status().unwrap();
        assert!(made.success());
        for (path, reason) in [
            (at("other.txt"), "not a .key file"),
            (elsewhere.path().join("s3cret.key"), "not a .key file"),
            (at("linked/s3cret.key"), "not a .key file"),
            (at("../s3cret.key"), "not a .key file"),
            ("good.key".into(), "not a .key file"),
            (at("link.key"), "cannot be read"),
            (at("missing.key"), "cannot be read"),
            (at("binary.key"), "cannot be read"),
            (at("folder.key"), "not a regular file"),
            (at("pipe.key"), "not a regular file"),
            (at("large.key"), "larger than 4096 bytes"),
            (at("empty.key"), "contains no secret"),
            (at("header.key"), "contains no secret"),
        ] {
            let text = read(&path, folder.path()).unwrap_err().to_string();
            assert!(text.contains(reason), "{path:?}: {text}");
            let shown = text.replace("s3cret.key", "");
            assert!(!shown.contains("s3cret"), "{text}");
        }
    }
}
