//! The input of commands: files and standard input.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use crate::exit::{Failure, Result};

/// Maximum input that is read as a whole, in bytes. Keys encrypt and wrap little data.
const LIMIT: u64 = 1024 * 1024;

/// Whether a path means standard input or output.
pub(crate) fn is_standard(path: Option<&Path>) -> bool {
    path.is_none_or(|path| path == Path::new("-"))
}

/// Opens a file, or standard input for `-` or no path.
pub(crate) fn open(path: Option<&Path>) -> Result<Box<dyn Read>> {
    match path {
        Some(path) if !is_standard(Some(path)) => {
            let file = File::open(path).map_err(|error| Failure::file("read", path, &error))?;
            Ok(Box::new(file))
        }
        _ => Ok(Box::new(io::stdin().lock())),
    }
}

/// The whole input, which may be a secret.
pub(crate) fn read(path: Option<&Path>) -> Result<Zeroizing<Vec<u8>>> {
    let mut content = Zeroizing::new(Vec::with_capacity(16 * 1024));
    open(path)?.take(LIMIT + 1).read_to_end(&mut content).map_err(|error| failed(path, &error))?;
    if content.len() as u64 > LIMIT {
        return Err(Failure::Usage(format!("{} is longer than {LIMIT} bytes", name(path))));
    }
    Ok(content)
}

/// Why reading failed.
pub(crate) fn failed(path: Option<&Path>, error: &io::Error) -> Failure {
    Failure::file("read", &PathBuf::from(name(path)), error)
}

fn name(path: Option<&Path>) -> String {
    match path {
        Some(path) if !is_standard(Some(path)) => path.display().to_string(),
        _ => "standard input".to_owned(),
    }
}
