//! The service's limits on requests, which are optional.
//!
//! Source: <https://learn.microsoft.com/azure/key-vault/general/service-limits>: transactions in
//! ten seconds, per vault. A Managed HSM does not throttle.

use std::{
    collections::HashMap,
    sync::{Mutex, RwLock},
};

use serde::{Deserialize, Serialize};

use crate::{
    keys::{Curve, KeySpec},
    operation::Operation,
    sync::{lock, read, write},
};

/// Length of a limit's window in seconds.
const WINDOW: i64 = 10;

/// Limits of a vault: those of the service, all multiplied by a factor. In JSON `{"scale": 1,
/// "retryAfter": false}`; both members are optional.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[must_use]
pub struct Throttling {
    scale: f64,
    retry_after: bool,
}

impl Default for Throttling {
    fn default() -> Self {
        Self::service()
    }
}

impl Throttling {
    /// The service's own limits, whose 429 has no `Retry-After` header.
    pub const fn service() -> Self {
        Self { scale: 1.0, retry_after: false }
    }

    /// Multiplies all limits: 0.01 throttles a hundred times as early.
    pub const fn scale(mut self, factor: f64) -> Self {
        self.scale = factor;
        self
    }

    /// Adds `Retry-After` to 429, with the seconds until the next window.
    pub const fn retry_after(mut self, on: bool) -> Self {
        self.retry_after = on;
        self
    }

    pub(crate) fn is_valid(&self) -> bool {
        self.scale > 0.0 && self.scale.is_finite()
    }
}

/// The class of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Class {
    /// Creates a key; the limit for HSM keys is lower.
    Create { hsm: bool },
    /// Any other request about a key.
    Use { hsm: bool, spec: KeySpec },
    /// Requests without a key, or about a missing one.
    Other,
}

impl Class {
    /// `requested_hsm` is whether a new key is an HSM key; `key` is the same for an existing key,
    /// with its type.
    pub(crate) fn of(
        operation: Operation,
        requested_hsm: bool,
        key: Option<(bool, KeySpec)>,
    ) -> Self {
        match (operation, key) {
            (
                Operation::CreateKey
                | Operation::ImportKey
                | Operation::CreateCertificate
                | Operation::ImportCertificate,
                _,
            ) => Self::Create { hsm: requested_hsm },
            (Operation::RotateKey, Some((hsm, _))) => Self::Create { hsm },
            (_, Some((hsm, spec))) => Self::Use { hsm, spec },
            (_, None) => Self::Other,
        }
    }

    /// Maximum number of requests of this class in one window, if there are no others.
    const fn limit(self) -> f64 {
        match self {
            Self::Create { hsm: true } => 10.0,
            Self::Create { hsm: false } => 20.0,
            Self::Use { hsm, spec } => {
                let of_hsm = match spec {
                    KeySpec::Rsa(3072) => 500.0,
                    KeySpec::Rsa(4096) => 250.0,
                    KeySpec::Rsa(_)
                    | KeySpec::Ec(Curve::P256 | Curve::P256K | Curve::P384 | Curve::P521)
                    | KeySpec::Oct(_) => 2000.0,
                };
                if hsm { of_hsm } else { 2.0 * of_hsm }
            }
            Self::Other => 4000.0,
        }
    }
}

/// The usage of a vault in the window that began at this time.
struct Used {
    began: i64,
    /// The sum of the requests' shares in their limits; the window is full at 1.
    share: f64,
}

/// The current limits, and their usage.
#[derive(Default)]
pub(crate) struct Throttle {
    limits: RwLock<Option<Throttling>>,
    used: Mutex<HashMap<String, Used>>,
}

impl Throttle {
    pub(crate) fn get(&self) -> Option<Throttling> {
        *read(&self.limits)
    }

    pub(crate) fn set(&self, limits: Option<Throttling>) {
        *write(&self.limits) = limits;
        lock(&self.used).clear();
    }

    /// Counts a request, or refuses it with the value for `Retry-After`. Refused requests are not
    /// counted.
    pub(crate) fn admit(&self, vault: &str, class: Class, now: i64) -> Result<(), Option<i64>> {
        let Some(limits) = self.get() else { return Ok(()) };
        let mut used = lock(&self.used);
        let used = used.entry(vault.to_owned()).or_insert(Used { began: now, share: 0.0 });
        if !(used.began..used.began + WINDOW).contains(&now) {
            *used = Used { began: now, share: 0.0 };
        }
        let share = 1.0 / (class.limit() * limits.scale);
        // Sums of shares are not exact.
        if used.share + share > 1.0 + 1e-9 {
            let wait = used.began + WINDOW - now;
            return Err(limits.retry_after.then_some(wait));
        }
        used.share += share;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EC: Class = Class::Use { hsm: false, spec: KeySpec::Ec(Curve::P256) };

    fn admitted(throttle: &Throttle, class: Class, now: i64) -> usize {
        (0..5000).take_while(|_| throttle.admit("v", class, now).is_ok()).count()
    }

    #[test]
    fn limits_match_the_services() {
        let big = Class::Use { hsm: true, spec: KeySpec::Rsa(4096) };
        let small = Class::Use { hsm: true, spec: KeySpec::Rsa(2048) };
        let create = Class::Create { hsm: true };
        for (class, limit) in [(EC, 4000), (small, 2000), (big, 250), (create, 10)] {
            let throttle = Throttle::default();
            throttle.set(Some(Throttling::service()));
            assert_eq!(admitted(&throttle, class, 0), limit, "{class:?}");
        }
    }

    #[test]
    fn shares_add_up_and_windows_end() {
        let throttle = Throttle::default();
        assert_eq!(throttle.admit("v", EC, 0), Ok(()), "no limits");
        throttle.set(Some(Throttling::service().scale(0.01).retry_after(true)));
        for _ in 0..20 {
            throttle.admit("v", EC, 100).unwrap();
        }
        // Half of the window is left, and this is a fifth: 0.01 × 500 = 5.
        let rsa = Class::Use { hsm: true, spec: KeySpec::Rsa(3072) };
        assert_eq!(admitted(&throttle, rsa, 103), 2);
        assert_eq!(throttle.admit("v", rsa, 103), Err(Some(7)));
        assert_eq!(throttle.admit("w", rsa, 103), Ok(()), "another vault");
        assert_eq!(throttle.admit("v", rsa, 110), Ok(()), "the next window");
        throttle.set(None);
        assert_eq!(admitted(&throttle, rsa, 110), 5000);
    }
}
