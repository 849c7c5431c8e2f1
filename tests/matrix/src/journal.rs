//! The machine's `/dev/log`: what its services report to the system's log.

use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, net::UnixDatagram},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use anyhow::{Context as _, Result};

/// Messages, one per line.
pub(crate) struct Journal(Arc<Mutex<String>>);

impl Journal {
    pub(crate) fn listen(socket: &Path) -> Result<Self> {
        let listener = UnixDatagram::bind(socket).with_context(|| format!("{socket:?}"))?;
        fs::set_permissions(socket, fs::Permissions::from_mode(0o666))?;
        let journal = Self(Arc::default());
        let text = Arc::clone(&journal.0);
        // Ends with this process, which runs one host.
        thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(length) = listener.recv(&mut buffer) {
                let line = String::from_utf8_lossy(&buffer[..length]);
                let mut text = text.lock().unwrap_or_else(PoisonError::into_inner);
                text.push_str(line.trim_end_matches(['\n', '\0']));
                text.push('\n');
            }
        });
        Ok(journal)
    }

    /// All messages so far.
    pub(crate) fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
