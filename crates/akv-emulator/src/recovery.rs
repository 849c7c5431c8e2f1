//! The rules for deleted keys.

use std::sync::RwLock;

use crate::sync::{read, write};

/// Default number of days between deletion and purge.
pub(crate) const RETENTION_DAYS: u32 = 90;

const DAY: i64 = 86_400;

/// A vault's rules for deleted keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Recovery {
    /// Days between deletion and purge.
    pub(crate) days: u32,
    /// Whether purging before that is forbidden.
    pub(crate) purge_protection: bool,
    /// Duration of a deletion in seconds. Meanwhile the name is taken and the key cannot be
    /// recovered.
    pub(crate) deletion_delay: i64,
}

impl Default for Recovery {
    fn default() -> Self {
        Self { days: RETENTION_DAYS, purge_protection: false, deletion_delay: 0 }
    }
}

impl Recovery {
    /// `recoveryLevel` in the attributes of the vault's keys.
    pub(crate) const fn level(&self) -> &'static str {
        match (self.days < RETENTION_DAYS, self.purge_protection) {
            (false, false) => "Recoverable+Purgeable",
            (false, true) => "Recoverable",
            (true, false) => "CustomizedRecoverable+Purgeable",
            (true, true) => "CustomizedRecoverable",
        }
    }

    /// When a key that was deleted at this time is purged; seconds since the Unix epoch.
    pub(crate) fn purge_date(&self, deleted: i64) -> i64 {
        deleted.saturating_add(i64::from(self.days) * DAY)
    }

    /// Whether a deletion that began at this time is still in progress.
    pub(crate) const fn is_deleting(&self, deleted: i64, now: i64) -> bool {
        now < deleted.saturating_add(self.deletion_delay)
    }
}

/// The rules of all vaults of one emulator.
#[derive(Debug, Default)]
pub(crate) struct Rules(RwLock<Recovery>);

impl Rules {
    pub(crate) fn new(rules: Recovery) -> Self {
        Self(RwLock::new(rules))
    }

    pub(crate) fn get(&self) -> Recovery {
        *read(&self.0)
    }

    pub(crate) fn set_deletion_delay(&self, seconds: i64) {
        write(&self.0).deletion_delay = seconds.max(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recovery_levels_match_days_and_purge_protection() {
        let short = Recovery { days: 7, ..Recovery::default() };
        assert_eq!(short.level(), "CustomizedRecoverable+Purgeable");
        assert_eq!(short.purge_date(100), 100 + 7 * 86_400);
        let protected = Recovery { purge_protection: true, ..short };
        assert_eq!(protected.level(), "CustomizedRecoverable");
        assert_eq!(Recovery::default().level(), "Recoverable+Purgeable");
        let slow = Recovery { deletion_delay: 5, ..short };
        assert!(slow.is_deleting(100, 104) && !slow.is_deleting(100, 105));
        assert!(!short.is_deleting(100, 100));
    }
}
