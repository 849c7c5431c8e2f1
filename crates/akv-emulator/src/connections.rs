//! The open connections, to close them on demand.

use std::sync::{Arc, Mutex, Weak};

use crate::{sync::lock, wire::Control};

#[derive(Default)]
pub(crate) struct Connections(Mutex<Vec<Weak<Control>>>);

impl Connections {
    /// Tracks a connection as long as it is open.
    pub(crate) fn add(&self, connection: &Arc<Control>) {
        let mut open = lock(&self.0);
        if open.len() % 64 == 63 {
            open.retain(|known| known.strong_count() > 0);
        }
        open.push(Arc::downgrade(connection));
    }

    /// Closes all connections gracefully: after the responses in flight are written, idle ones at
    /// once. Returns how many there were.
    pub(crate) fn close(&self) -> usize {
        let open = std::mem::take(&mut *lock(&self.0));
        open.iter().filter_map(Weak::upgrade).map(|connection| connection.close()).count()
    }
}
