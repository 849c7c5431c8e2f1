//! The output of the program: how to use it.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use crate::{Emulator, files::write_public};

/// The file with the CA's certificate; a temporary one is removed at the end.
pub(super) enum CaFile {
    Kept(PathBuf),
    Temporary(tempfile::NamedTempFile),
}

impl CaFile {
    pub(super) fn write(
        emulator: &Emulator,
        requested: Option<PathBuf>,
        state_dir: Option<&Path>,
    ) -> io::Result<Self> {
        let kept = requested.or_else(|| state_dir.map(|directory| directory.join("ca.pem")));
        if let Some(file) = kept {
            write_public(&file, emulator.ca_pem().as_bytes())?;
            return Ok(Self::Kept(fs::canonicalize(file)?));
        }
        // It is public, and clients may run under other accounts.
        let file = tempfile::Builder::new()
            .prefix("akv-emulator-ca-")
            .suffix(".pem")
            .permissions(fs::Permissions::from_mode(0o644))
            .tempfile()?;
        file.as_file().write_all(emulator.ca_pem().as_bytes())?;
        Ok(Self::Temporary(file))
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(file) => file.path(),
        }
    }
}

pub(super) fn variables(
    emulator: &Emulator,
    ca_file: &Path,
    token: &str,
) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("AKV_ENDPOINT", emulator.endpoint().to_owned()),
        ("AKV_CA_FILE", ca_file.to_string_lossy().into_owned()),
        ("AZURE_CLI_ACCESS_TOKEN", token.to_owned()),
    ])
}

pub(super) fn shell_lines(emulator: &Emulator, variables: &BTreeMap<&str, String>) -> String {
    let mut lines = String::new();
    for (name, value) in variables {
        lines.push_str(&format!("export {name}={}\n", quote(value)));
    }
    lines.push_str(&format!(
        "# instead of the token, managed identity: IDENTITY_ENDPOINT={} IDENTITY_HEADER={}\n\
         # or a virtual machine's metadata service: IMDS_ENDPOINT={}\n\
         # or an application registered with --application: AZURE_AUTHORITY_HOST={}\n",
        emulator.identity_endpoint(),
        emulator.identity_header(),
        emulator.imds_endpoint(),
        emulator.authority()
    ));
    lines
}

/// Quotes the value for a POSIX shell if necessary.
fn quote(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,[]".contains(c);
    if value.chars().all(plain) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', r"'\''"))
}
