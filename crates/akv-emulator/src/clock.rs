//! The emulator's clock, which tests can move to make keys and tokens expire.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// System time plus an adjustable shift in seconds.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    shift: AtomicI64,
}

impl Clock {
    /// Seconds since the Unix epoch.
    pub(crate) fn now(&self) -> i64 {
        let system = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |elapsed| i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX));
        system.saturating_add(self.shift.load(Ordering::Relaxed))
    }

    /// The same time as the system's type, not before the Unix epoch.
    pub(crate) fn system_time(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(u64::try_from(self.now()).unwrap_or_default())
    }

    /// The shift in seconds.
    pub(crate) fn shifted(&self) -> i64 {
        self.shift.load(Ordering::Relaxed)
    }

    /// Sets the shift from the system's clock to `seconds`, which may be negative.
    pub(crate) fn set_shift(&self, seconds: i64) {
        self.shift.store(seconds, Ordering::Relaxed);
    }

    /// Moves the clock by `seconds`, which may be negative.
    pub(crate) fn shift(&self, seconds: i64) {
        self.shift.fetch_add(seconds, Ordering::Relaxed);
    }
}
