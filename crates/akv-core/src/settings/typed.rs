//! Typed setters, for programs in Rust.

use std::time::Duration;

use super::{Builder, CredentialKind, Origin};
use crate::Cloud;

/// Each setter is a variant of [`Builder::option`] that cannot fail.
///
/// ```
/// use akv_core::{Cloud, Settings, settings::CredentialKind};
/// use std::time::Duration;
///
/// let settings = Settings::builder()
///     .credential(CredentialKind::ManagedIdentity)
///     .cloud(Cloud::UsGov)
///     .timeout(Duration::from_millis(1_500))
///     .verify_signatures(false)
///     .build()?;
/// assert_eq!(settings.timeout(), Duration::from_millis(1_500));
/// # Ok::<(), akv_core::Error>(())
/// ```
impl Builder {
    /// Where access tokens come from (setting `credential`).
    #[must_use]
    pub fn credential(self, kind: CredentialKind) -> Self {
        self.with("credential", kind.name())
    }

    /// The Azure cloud (setting `cloud`).
    #[must_use]
    pub fn cloud(self, cloud: Cloud) -> Self {
        self.with("cloud", cloud.name())
    }

    /// The deadline of one operation with all its retries (setting `timeout`), in whole
    /// milliseconds. [`build`](Self::build) refuses zero and more than a day.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with("timeout", &format!("{}ms", timeout.as_millis()))
    }

    /// The number of requests in flight per vault (setting `max-concurrency`).
    /// [`build`](Self::build) refuses zero.
    #[must_use]
    pub fn max_concurrency(self, requests: usize) -> Self {
        self.with("max-concurrency", &requests.to_string())
    }

    /// Sends a request again, on another connection, if there is no response after this time
    /// (setting `hedge-after`), in whole milliseconds.
    #[must_use]
    pub fn hedge_after(self, time: Duration) -> Self {
        self.with("hedge-after", &format!("{}ms", time.as_millis()))
    }

    /// Whether each signature is verified locally before it is returned (setting
    /// `verify-signatures`).
    #[must_use]
    pub fn verify_signatures(self, yes: bool) -> Self {
        self.with("verify-signatures", text(yes))
    }

    /// Whether token and connection are prepared when a key is loaded (setting `warm`).
    #[must_use]
    pub fn warm(self, yes: bool) -> Self {
        self.with("warm", text(yes))
    }

    /// Whether operations fail at once while a vault does not respond (setting `fail-fast`).
    #[must_use]
    pub fn fail_fast(self, yes: bool) -> Self {
        self.with("fail-fast", text(yes))
    }

    /// Whether an operation inside an OpenSSL ASYNC job pauses the job (setting `async`).
    #[must_use]
    pub fn async_jobs(self, yes: bool) -> Self {
        self.with("async", text(yes))
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.set(name, Origin::File, value.to_owned());
        self
    }
}

fn text(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, Settings, settings::OPTIONS};

    #[test]
    fn typed_setters_set_what_options_do() {
        let typed = Settings::builder()
            .credential(CredentialKind::AzureCli)
            .cloud(Cloud::China)
            .timeout(Duration::from_millis(2_250))
            .max_concurrency(7)
            .hedge_after(Duration::from_secs(1))
            .verify_signatures(false)
            .warm(true)
            .fail_fast(false)
            .async_jobs(false);
        let mut named = Settings::builder();
        for (name, value) in [
            ("credential", "azure-cli"),
            ("cloud", "china"),
            ("timeout", "2250ms"),
            ("max-concurrency", "7"),
            ("hedge-after", "1000ms"),
            ("verify-signatures", "no"),
            ("warm", "yes"),
            ("fail-fast", "no"),
            ("async", "no"),
        ] {
            assert!(OPTIONS.iter().any(|option| option.name == name), "{name}");
            named = named.option(name, value).unwrap();
        }
        let (typed, named) = (typed.build().unwrap(), named.build().unwrap());
        assert_eq!(typed.timeout(), Duration::from_millis(2_250));
        assert_eq!(format!("{:?}", typed.in_force()), format!("{:?}", named.in_force()));
    }

    #[test]
    fn values_out_of_range_are_refused_when_settings_are_built() {
        for builder in [
            Settings::builder().timeout(Duration::ZERO),
            Settings::builder().timeout(Duration::MAX),
            Settings::builder().max_concurrency(0),
        ] {
            assert_eq!(builder.build().unwrap_err().kind(), ErrorKind::Settings);
        }
    }
}
