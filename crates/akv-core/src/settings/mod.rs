//! Settings: how to reach the service and how to behave.
//!
//! A setting can be given in three ways: by name in an `openssl.cnf` section, as an ENGINE control
//! command, and as an environment variable. [`OPTIONS`] lists them. The environment takes
//! precedence over the file, except in a process that the kernel marks as secure-execution.
//! [`Builder::build`] reads everything once: servers clear the environment of their workers and
//! change their root directory. Only token files that rotate are read again.
//!
//! Durations are written `500ms`, `3s` or `1m`; a bare number means seconds. They must be more than
//! zero and at most a day. Switches are `yes` or `no`.
//!
//! ```
//! use akv_core::Settings;
//! use std::time::Duration;
//!
//! let settings = Settings::builder()
//!     .option("credential", "managed-identity")?
//!     .option("timeout", "3s")?
//!     .environment_from(|name| (name == "AKV_TIMEOUT").then(|| "5s".into())) // takes precedence
//!     .build()?;
//! assert_eq!(settings.timeout(), Duration::from_secs(5));
//! # Ok::<(), akv_core::Error>(())
//! ```

mod allowed;
mod builder;
mod client_certificate;
mod environment;
mod files;
mod identity;
mod options;
mod origin;
mod resolver_files;
mod typed;
mod values;

pub use builder::Builder;
pub use options::{OPTIONS, OptionInfo};
pub use origin::{Origin, Setting};
pub use values::CredentialKind;

pub(crate) use allowed::AllowedKeys;
pub(crate) use client_certificate::ClientCertificate;
pub(crate) use environment::Environment;
pub(crate) use identity::IdentityId;
pub(crate) use resolver_files::ResolverFiles;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use url::Url;
use zeroize::Zeroizing;

use crate::{Cloud, KeyReference, Result, VaultKind, reference::TrustedHosts};

/// The configuration of a [`crate::Client`]. Cheap to clone.
///
/// ```
/// use akv_core::{Client, Settings};
/// use std::{path::Path, time::Duration};
///
/// let settings = Settings::builder()
///     .option("credential", "managed-identity")?
///     .option("timeout", "3s")?
///     .option("log-file", "/var/log/akv.log")?
///     .build()?;
/// assert_eq!(settings.timeout(), Duration::from_secs(3));
/// assert_eq!(settings.log_file(), Some(Path::new("/var/log/akv.log")));
/// assert_eq!((settings.log_level(), settings.warm()), (None, false));
/// let client = Client::new(settings);
/// # Ok::<(), akv_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Settings(Arc<Values>);

/// The values of all settings.
pub(crate) struct Values {
    allowed_keys: AllowedKeys,
    pub(crate) credential: CredentialKind,
    pub(crate) client_id: Option<IdentityId>,
    pub(crate) tenant_id: Option<String>,
    pub(crate) client_secret: Option<Zeroizing<String>>,
    /// Or the error about the file, which is returned only when the certificate is used: libcrypto
    /// silently ignores a provider that fails to load.
    pub(crate) client_certificate: Option<Result<Arc<ClientCertificate>>>,
    pub(crate) access_token: Option<Zeroizing<String>>,
    pub(crate) access_token_file: Option<PathBuf>,
    pub(crate) hosts: TrustedHosts,
    pub(crate) endpoint: Option<Url>,
    pub(crate) roots: Roots,
    pub(crate) timeout: Duration,
    pub(crate) max_concurrency: usize,
    pub(crate) hedge_after: Option<Duration>,
    pub(crate) verify_signatures: bool,
    pub(crate) warm: bool,
    pub(crate) rsa_key_exchange: bool,
    pub(crate) fail_fast: bool,
    pub(crate) async_jobs: bool,
    pub(crate) fips: bool,
    pub(crate) log_level: Option<String>,
    pub(crate) log_file: Option<PathBuf>,
    /// The variables of the identity endpoints and of proxies, as they were at load.
    pub(crate) environment: Environment,
    /// The files for name resolution inside a `chroot`.
    pub(crate) names: ResolverFiles,
    /// The kernel marked the process as secure-execution: its environment is not trusted.
    pub(crate) secure: bool,
    /// The values as they were written, and where each came from.
    origins: BTreeMap<&'static str, builder::Value>,
}

/// The destination of requests about an allowed reference. Only [`Settings::destination`] creates
/// one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub(crate) struct Destination {
    /// The vault.
    pub(crate) url: Url,
    /// The scope of its access tokens.
    pub(crate) scope: String,
}

/// Trusted certificates as found at load, read while the files are reachable.
#[derive(Default)]
pub(crate) struct Roots {
    /// Certificates of the system, or of `SSL_CERT_FILE` and `SSL_CERT_DIR`.
    pub(crate) system: Vec<rustls_pki_types::CertificateDer<'static>>,
    /// Certificates of the `ca-file` setting.
    pub(crate) extra: Vec<rustls_pki_types::CertificateDer<'static>>,
}

impl Settings {
    /// Starts with every setting at its default.
    ///
    /// ```
    /// use akv_core::Settings;
    /// use std::time::Duration;
    ///
    /// let settings = Settings::builder().build()?;
    /// assert_eq!(settings.timeout(), Duration::from_secs(10));
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The defaults, overridden by the environment.
    ///
    /// ```no_run
    /// use akv_core::{Settings, blocking::Client};
    ///
    /// # fn main() -> akv_core::Result<()> {
    /// let client = Client::new(Settings::from_environment()?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// A variable has an invalid value, or a file that it names cannot be read.
    pub fn from_environment() -> Result<Self> {
        Self::builder().environment().build()
    }

    /// The deadline of one operation with all its retries; 10 seconds by default.
    pub fn timeout(&self) -> Duration {
        self.0.timeout
    }

    /// Every setting of [`OPTIONS`] with its value and where that came from. Secrets in the
    /// environment are not included.
    ///
    /// ```
    /// use akv_core::{Settings, settings::Origin};
    ///
    /// let settings = Settings::builder().option("timeout", "3s")?.build()?;
    /// for setting in settings.in_force() {
    ///     match setting.origin {
    ///         Origin::Default => {}
    ///         origin => println!("{} = {:?} ({origin})", setting.name, setting.value),
    ///     }
    /// }
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    pub fn in_force(&self) -> Vec<Setting> {
        let in_force = |option: &OptionInfo| match self.0.origins.get(option.name) {
            Some(value) => {
                Setting { name: option.name, value: Some(value.text.clone()), origin: value.origin }
            }
            None => Setting {
                name: option.name,
                value: option.default.map(str::to_owned),
                origin: Origin::Default,
            },
        };
        OPTIONS.iter().map(in_force).collect()
    }

    /// Whether runtime, token and connection are prepared in the background when a key is loaded,
    /// rather than by its first operation; no by default.
    pub fn warm(&self) -> bool {
        self.0.warm
    }

    /// Whether the administrator declares that the keys are in a validated HSM, so that OpenSSL may
    /// find them under the property `fips=yes`; no by default.
    pub fn fips(&self) -> bool {
        self.0.fips
    }

    /// The log level or filter; `None` logs nothing. See [`logging`](crate::logging).
    pub fn log_level(&self) -> Option<&str> {
        self.0.log_level.as_deref()
    }

    /// The log file; `None` for standard error.
    pub fn log_file(&self) -> Option<&std::path::Path> {
        self.0.log_file.as_deref()
    }

    /// Parses a key reference; URLs must be under a host suffix that these settings trust.
    ///
    /// ```
    /// use akv_core::{ErrorKind, Settings};
    ///
    /// let settings = Settings::builder().option("cloud", "china")?.build()?;
    /// let key = settings.reference("https://myVault.vault.azure.cn/keys/myKey")?;
    /// assert_eq!(key, "vault:myVault:myKey".parse()?);
    /// let error = settings.reference("https://myVault.vault.azure.net/keys/myKey").unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Reference);
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// The reference is malformed; the error says which section and why. Sends no request.
    pub fn reference(&self, text: &str) -> Result<KeyReference> {
        KeyReference::parse(text, &self.0.hosts)
    }

    /// The URL of the vault that a reference names, or the configured endpoint.
    ///
    /// ```
    /// let settings = akv_core::Settings::builder().option("allowed-keys", "vault:a01:web")?.build()?;
    /// let key = settings.reference("vault:a01:web")?;
    /// assert_eq!(settings.vault_url(&key)?.as_str(), "https://a01.vault.azure.net/");
    /// let error = settings.vault_url(&settings.reference("vault:a01:mail")?).unwrap_err();
    /// assert_eq!(error.kind(), akv_core::ErrorKind::NotAllowed);
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// The setting `allowed-keys` does not list the key or its vault ([`ErrorKind::NotAllowed`]).
    ///
    /// [`ErrorKind::NotAllowed`]: crate::ErrorKind::NotAllowed
    pub fn vault_url(&self, reference: &KeyReference) -> Result<Url> {
        self.destination(reference).map(|destination| destination.url)
    }

    /// The destination of requests about a reference. There is no other way to send requests to a
    /// vault or to get a token for it.
    ///
    /// # Errors
    /// The setting `allowed-keys` does not list the key or its vault.
    pub(crate) fn destination(&self, reference: &KeyReference) -> Result<Destination> {
        self.0.allowed_keys.check(reference)?;
        let suffix =
            reference.private_suffix().unwrap_or(self.cloud().dns_suffix(reference.kind()));
        let url = match &self.0.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => Url::parse(&format!("https://{}/", reference.host(suffix)))
                .expect("checked names make a valid URL"),
        };
        Ok(Destination { url, scope: format!("https://{suffix}/.default") })
    }

    pub(crate) fn cloud(&self) -> Cloud {
        self.0.hosts.cloud
    }

    pub(crate) fn values(&self) -> &Values {
        &self.0
    }
}

impl std::fmt::Debug for Values {
    /// Prints no secret and no certificate.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("credential", &self.credential)
            .field("endpoint", &self.endpoint.as_ref().map(Url::as_str))
            .field("cloud", &self.hosts.cloud)
            .field("timeout", &self.timeout)
            .field("suffix", &self.hosts.cloud.dns_suffix(VaultKind::Vault))
            .finish_non_exhaustive()
    }
}
