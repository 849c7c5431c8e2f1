//! How a driver counts its tasks.

use std::sync::Arc;

use super::attended::Attended;

/// A task of a driver, until this is dropped.
#[must_use]
pub(crate) struct Counted(Option<Arc<Attended>>);

impl Counted {
    pub(super) fn by(driver: Arc<Attended>) -> Self {
        Self(Some(driver))
    }

    /// For a driver that counts nothing.
    pub(super) fn by_nobody() -> Self {
        Self(None)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if let Some(driver) = &self.0 {
            driver.end();
        }
    }
}
