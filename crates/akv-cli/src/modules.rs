//! Finds the modules.

use std::path::{Path, PathBuf};

/// The installation folder in the documentation.
const USUAL: &str = "/usr/local/lib/akv";

/// The file name of the provider, or of the engine.
pub(crate) fn name(engine: bool) -> &'static str {
    if engine { "e_akv.so" } else { "akv_provider.so" }
}

/// The module's path in the documentation.
pub(crate) fn usual(engine: bool) -> PathBuf {
    Path::new(USUAL).join(name(engine))
}

/// Folders to search for the modules, apart from those of OpenSSL: this program's own, those around
/// it, and the usual ones.
pub(crate) fn folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Some(own) = std::env::current_exe().ok().as_deref().and_then(Path::parent) {
        folders.push(own.to_owned());
        if let Some(root) = own.parent() {
            folders.extend([root.join("lib/akv"), root.join("modules")]);
        }
    }
    folders.extend([USUAL, "/usr/lib/akv"].map(PathBuf::from));
    folders
}

/// The module in the first of the folders that has it.
pub(crate) fn find(engine: bool) -> Option<PathBuf> {
    folders().into_iter().map(|folder| folder.join(name(engine))).find(|file| file.is_file())
}
