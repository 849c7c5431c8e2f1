//! Response times: by default without any delay.

use std::{f64::consts::TAU, sync::RwLock, time::Duration};

use aws_lc_rs::rand;
use serde::{Deserialize, Serialize};

use crate::sync::{read, write};

/// The quantile of the normal distribution at 0.99.
const NORMAL_P99: f64 = 2.326_347_9;

/// The distribution of the time from a request to its response: log-normal, given by p50 and p99.
/// In JSON `{"p50": 15, "p99": 60}`, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    p50: f64,
    p99: f64,
}

impl Latency {
    /// A Managed HSM in the client's region: 4 ms.
    pub const HSM_IN_REGION: Self = Self { p50: 4.0, p99: 4.0 };
    /// A vault in the client's region: p50 15 ms, p99 60 ms.
    pub const VAULT_IN_REGION: Self = Self { p50: 15.0, p99: 60.0 };
    /// A service on another continent: 90 ms.
    pub const CROSS_REGION: Self = Self { p50: 90.0, p99: 90.0 };

    /// The named profiles of the program and the control interface.
    pub const PROFILES: [(&'static str, Self); 3] = [
        ("hsm-in-region", Self::HSM_IN_REGION),
        ("vault-in-region", Self::VAULT_IN_REGION),
        ("cross-region", Self::CROSS_REGION),
    ];

    /// A latency with this p50 and p99, which must not be less than p50.
    #[must_use]
    pub fn new(p50: Duration, p99: Duration) -> Self {
        let millis = |time: Duration| time.as_secs_f64() * 1000.0;
        Self { p50: millis(p50), p99: millis(p99.max(p50)) }
    }

    /// The profile of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::PROFILES.into_iter().find(|(known, _)| *known == name).map(|(_, profile)| profile)
    }

    /// Whether the numbers are valid: not negative, in order, at most ten minutes.
    pub(crate) fn is_valid(&self) -> bool {
        (0.0..=600_000.0).contains(&self.p50) && (self.p50..=600_000.0).contains(&self.p99)
    }

    /// A random latency, at most twice the p99.
    fn draw(&self) -> Duration {
        let millis = if self.p99 > self.p50 && self.p50 > 0.0 {
            let sigma = (self.p99 / self.p50).ln() / NORMAL_P99;
            (self.p50 * (sigma * normal()).exp()).min(2.0 * self.p99)
        } else {
            self.p50
        };
        Duration::from_secs_f64(millis / 1000.0)
    }
}

/// A random number of the standard normal distribution (Box and Muller).
fn normal() -> f64 {
    let mut random = [0; 8];
    if rand::fill(&mut random).is_err() {
        return 0.0;
    }
    let [a, b] = [0, 4].map(|at| {
        let number = [random[at], random[at + 1], random[at + 2], random[at + 3]];
        (f64::from(u32::from_be_bytes(number)) + 0.5) / (f64::from(u32::MAX) + 1.0)
    });
    (-2.0 * a.ln()).sqrt() * (TAU * b).cos()
}

/// The current latency.
#[derive(Debug, Default)]
pub(crate) struct Pace(RwLock<Option<Latency>>);

impl Pace {
    pub(crate) fn get(&self) -> Option<Latency> {
        *read(&self.0)
    }

    pub(crate) fn set(&self, latency: Option<Latency>) {
        *write(&self.0) = latency;
    }

    /// The delay of a response; zero by default.
    pub(crate) fn draw(&self) -> Duration {
        self.get().map_or(Duration::ZERO, |latency| latency.draw())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_the_requested_median_and_percentile() {
        let mut draws: Vec<f64> =
            (0..20_000).map(|_| Latency::VAULT_IN_REGION.draw().as_secs_f64() * 1000.0).collect();
        draws.sort_by(f64::total_cmp);
        let (p50, p99) = (draws[10_000], draws[19_800]);
        assert!((14.0..16.0).contains(&p50), "{p50}");
        assert!((54.0..67.0).contains(&p99), "{p99}");
        assert!(draws[19_999] <= 120.0);
        assert_eq!(Latency::HSM_IN_REGION.draw(), Duration::from_millis(4));
    }

    #[test]
    fn profiles_have_names_and_numbers_have_limits() {
        assert_eq!(Latency::from_name("cross-region"), Some(Latency::CROSS_REGION));
        assert_eq!(Latency::from_name("moon"), None);
        let read = |text| serde_json::from_str::<Latency>(text).unwrap();
        assert_eq!(read(r#"{"p50":15,"p99":60}"#), Latency::VAULT_IN_REGION);
        assert!(!read(r#"{"p50":60,"p99":15}"#).is_valid());
        assert!(!read(r#"{"p50":-1,"p99":15}"#).is_valid());
    }
}
