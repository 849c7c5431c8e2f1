//! Gathers settings from a configuration file and the environment and checks them.

use std::{
    collections::BTreeMap, ffi::OsString, fmt, path::PathBuf, str::FromStr, sync::Arc,
    time::Duration,
};

use process_abi::{descriptor::StandardStreams, is_secure_execution};
use zeroize::Zeroizing;

use super::{
    AllowedKeys, Environment, IdentityId, OPTIONS, OptionInfo, Origin, ResolverFiles, Roots,
    Settings, Values, allowed,
    values::{self, CredentialKind},
};
use crate::{
    Error, ErrorKind, Result,
    error::{one_line, shortened},
    outside,
    reference::TrustedHosts,
};

/// A variable that contains a secret, and therefore has no counterpart in a configuration file.
const SECRET: &str = "AZURE_CLIENT_SECRET";
const TOKEN: &str = "AZURE_CLI_ACCESS_TOKEN";
const CERTIFICATE_PASSWORD: &str = "AZURE_CLIENT_CERTIFICATE_PASSWORD";

/// Gathers settings. Later calls of [`Builder::option`] take precedence over earlier ones, the
/// environment over all of them, in any order of calls, and [`Builder::argument`] over both.
///
/// ```
/// use akv_core::Settings;
/// use std::time::Duration;
///
/// let mut builder = Settings::builder();
/// for (name, value) in [("credential", "managed-identity"), ("timeout", "3s")] {
///     builder = builder.option(name, value)?; // a section of a configuration file
/// }
/// let settings = builder.build()?;
/// assert_eq!(settings.timeout(), Duration::from_secs(3));
/// # Ok::<(), akv_core::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Builder {
    values: BTreeMap<&'static str, Value>,
    /// The setting `allowed-keys` of every source, empty values too.
    allowed_keys: Vec<Value>,
    client_secret: Option<Zeroizing<String>>,
    access_token: Option<Zeroizing<String>>,
    pub(super) certificate_password: Option<Zeroizing<String>>,
    foreign: Environment,
    /// Whether `SSL_CERT_FILE` and `SSL_CERT_DIR` are used.
    pub(super) certificate_variables: bool,
}

/// Prints the names of settings and where each came from: values may be secrets.
impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origins = self.values.iter().map(|(name, value)| (*name, value.origin));
        let allowed = self.allowed_keys.iter().map(|value| (allowed::NAME, value.origin));
        f.debug_map().entries(origins.chain(allowed)).finish()
    }
}

/// A value and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    pub(super) text: String,
    pub(super) origin: Origin,
}

impl Builder {
    /// Sets a setting by its name in `openssl.cnf`; [`OPTIONS`] lists them. An empty value unsets
    /// it. [`build`](Self::build) checks the values.
    ///
    /// `allowed-keys` only restricts: each call, the environment and arguments apply together, and
    /// an empty value is an error.
    ///
    /// ```
    /// use akv_core::{ErrorKind, Settings};
    /// use std::time::Duration;
    ///
    /// let settings = Settings::builder().option("timeout", "500ms")?.build()?;
    /// assert_eq!(settings.timeout(), Duration::from_millis(500));
    /// let error = Settings::builder().option("time-out", "500ms").unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Settings);
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// There is no such setting.
    pub fn option(mut self, name: &str, value: &str) -> Result<Self> {
        self.set(known(name)?.name, Origin::File, value.to_owned());
        Ok(self)
    }

    /// Sets a setting from a program's command line, which takes precedence over the environment.
    /// An empty value unsets it.
    ///
    /// ```
    /// use akv_core::{Settings, settings::Origin};
    ///
    /// let settings = Settings::builder()
    ///     .argument("timeout", "500ms")? // --timeout 500ms
    ///     .environment_from(|name| (name == "AKV_TIMEOUT").then(|| "3s".into()))
    ///     .build()?;
    /// let setting = settings.in_force().into_iter().find(|setting| setting.name == "timeout");
    /// let setting = setting.expect("every setting is listed");
    /// assert_eq!((setting.value.as_deref(), setting.origin), (Some("500ms"), Origin::Argument));
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// There is no such setting.
    pub fn argument(mut self, name: &str, value: &str) -> Result<Self> {
        self.set(known(name)?.name, Origin::Argument, value.to_owned());
        Ok(self)
    }

    /// Adds the process's environment. In a process that the kernel marks as secure-execution the
    /// environment is ignored, except for `AKV_ALLOWED_KEYS`, which only restricts.
    ///
    /// ```no_run
    /// use akv_core::Settings;
    ///
    /// # fn main() -> akv_core::Result<()> {
    /// // The server's default; AKV_TIMEOUT overrides it.
    /// let settings = Settings::builder().option("timeout", "3s")?.environment().build()?;
    /// # let _ = settings;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn environment(self) -> Self {
        self.environment_of(is_secure_execution(), |name| std::env::var_os(name))
    }

    /// The environment of a process that is or is not marked as secure-execution.
    pub(super) fn environment_of(
        mut self,
        secure: bool,
        read: impl Fn(&str) -> Option<OsString>,
    ) -> Self {
        if !secure {
            return self.environment_from(read);
        }
        let allowed = OPTIONS.iter().filter(|option| option.name == allowed::NAME);
        for (name, variable) in allowed.filter_map(|option| Some((option.name, option.env?))) {
            if let Some(value) = read(variable) {
                let origin = Origin::Environment(variable);
                self.set(name, origin, value.to_string_lossy().into_owned());
            }
        }
        self
    }

    /// Adds an environment other than the process's own: `read` returns the value of a variable.
    ///
    /// ```
    /// use akv_core::Settings;
    /// use std::{collections::HashMap, time::Duration};
    ///
    /// let variables = HashMap::from([("AKV_TIMEOUT", "3s"), ("AKV_CLOUD", "usgov")]);
    /// let settings = Settings::builder()
    ///     .environment_from(|name| variables.get(name).map(Into::into))
    ///     .build()?;
    /// assert_eq!(settings.timeout(), Duration::from_secs(3));
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    #[must_use]
    pub fn environment_from(mut self, read: impl Fn(&str) -> Option<OsString>) -> Self {
        for option in OPTIONS {
            let Some(variable) = option.env else { continue };
            if let Some(value) = read(variable) {
                let origin = Origin::Environment(variable);
                self.set(option.name, origin, value.to_string_lossy().into_owned());
            }
        }
        let text = |name| {
            let value = read(name).and_then(|value| value.into_string().ok()).map(Zeroizing::new);
            value.filter(|value| !value.is_empty())
        };
        let secret = |name| {
            text(name)
                .map(|value| Zeroizing::new(value.trim().to_owned()))
                .filter(|value| !value.is_empty())
        };
        self.client_secret = secret(SECRET);
        self.access_token = secret(TOKEN);
        self.certificate_password = text(CERTIFICATE_PASSWORD);
        self.foreign = Environment::capture(&read);
        self.certificate_variables = true;
        self
    }

    /// A value overrides those of lower origins; an empty one removes a value of the same origin.
    /// Restrictions of all origins are kept.
    pub(super) fn set(&mut self, name: &'static str, origin: Origin, text: String) {
        if name == allowed::NAME {
            let value = Value { text, origin };
            if !self.allowed_keys.contains(&value) {
                self.allowed_keys.push(value);
            }
            return;
        }
        let old = self.values.get(name).map_or(Origin::Default, |value| value.origin);
        if !text.is_empty() && origin >= old {
            self.values.insert(name, Value { text, origin });
        } else if text.is_empty() && origin == old {
            self.values.remove(name);
        }
    }

    /// Checks every value and reads the files that are needed at load.
    ///
    /// ```
    /// use akv_core::{ErrorKind, Settings};
    ///
    /// let error = Settings::builder().option("ca-file", "/no/such/file")?.build().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Settings);
    /// assert!(error.to_string().contains("ca-file"));
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// A value is invalid or a file cannot be read; the error names the setting.
    pub fn build(self) -> Result<Settings> {
        let _streams = StandardStreams::hold();
        let roots = self.roots()?;
        self.build_with(roots)
    }

    pub(crate) fn build_with(self, roots: Roots) -> Result<Settings> {
        let client_secret = match (self.client_secret.clone(), self.path("client-secret-file")) {
            (Some(secret), _) if !self.is_argument("client-secret-file") => Some(secret),
            (_, Some(path)) => Some(self.read_secret("client-secret-file", &path)?),
            (secret, None) => secret,
        };
        let hosts = TrustedHosts {
            cloud: self.parsed("cloud", crate::Cloud::Public)?,
            extra: self.read_with("dns-suffix", values::dns_suffixes)?.unwrap_or_default(),
        };
        let allowed_keys = AllowedKeys::read(&self.allowed_keys, &hosts)?;
        let values = Values {
            credential: self.parsed("credential", CredentialKind::Auto)?,
            client_id: self.read_with("client-id", IdentityId::read)?,
            tenant_id: self.text("tenant-id"),
            client_secret,
            client_certificate: self.client_certificate(),
            access_token: self.access_token.clone(),
            access_token_file: self.access_token_file(),
            hosts,
            endpoint: self.read_with("endpoint", values::endpoint)?,
            roots,
            timeout: self
                .read_with("timeout", values::duration)?
                .unwrap_or(Duration::from_secs(10)),
            max_concurrency: self.read_with("max-concurrency", concurrency)?.unwrap_or(256),
            hedge_after: self.read_with("hedge-after", values::duration)?,
            verify_signatures: self
                .read_with("verify-signatures", values::boolean)?
                .unwrap_or(true),
            warm: self.read_with("warm", values::boolean)?.unwrap_or(false),
            fail_fast: self.read_with("fail-fast", values::boolean)?.unwrap_or(true),
            async_jobs: self.read_with("async", values::boolean)?.unwrap_or(true),
            rsa_key_exchange: self.read_with("rsa-key-exchange", values::boolean)?.unwrap_or(false),
            fips: self.read_with("fips", values::boolean)?.unwrap_or(false),
            log_level: self.text("log-level"),
            log_file: self.path("log-file"),
            environment: self.foreign.clone(),
            names: ResolverFiles::capture(),
            secure: is_secure_execution(),
            origins: self.origins(&allowed_keys),
            allowed_keys,
        };
        Ok(Settings(Arc::new(values)))
    }

    /// The values that were set, by name.
    fn origins(self, allowed_keys: &AllowedKeys) -> BTreeMap<&'static str, Value> {
        let mut origins = self.values;
        if let Some(origin) = self.allowed_keys.iter().map(|value| value.origin).max() {
            origins.insert(allowed::NAME, Value { text: allowed_keys.text(), origin });
        }
        origins
    }

    /// A token in the environment takes precedence over a token file that only the configuration
    /// file names.
    fn access_token_file(&self) -> Option<PathBuf> {
        let value = self.values.get("access-token-file")?;
        let from_file = value.origin == Origin::File;
        (!from_file || self.access_token.is_none()).then(|| PathBuf::from(&value.text))
    }

    fn is_argument(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|value| value.origin == Origin::Argument)
    }

    fn text(&self, name: &str) -> Option<String> {
        self.values.get(name).map(|value| value.text.clone())
    }

    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        self.values.get(name).map(|value| PathBuf::from(&value.text))
    }

    fn parsed<T: FromStr<Err = Error>>(&self, name: &str, default: T) -> Result<T> {
        let read = |text: &str| text.parse().map_err(|error: Error| error.message().to_owned());
        Ok(self.read_with(name, read)?.unwrap_or(default))
    }

    fn read_with<T>(
        &self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>> {
        let Some(value) = self.values.get(name) else { return Ok(None) };
        read(&value.text).map(Some).map_err(|reason| self.refused(name, &reason))
    }

    pub(super) fn refused(&self, name: &str, reason: &str) -> Error {
        let value = &self.values[name];
        let shown = outside::without_users(&value.text);
        let shown = one_line(shortened(&shown, 100));
        Error::new(
            ErrorKind::Settings,
            format!("invalid setting {} = {shown:?}: {reason}", value.origin.spelling(name)),
        )
    }
}

/// The setting of this name.
fn known(name: &str) -> Result<&'static OptionInfo> {
    OPTIONS.iter().find(|option| option.name == name).ok_or_else(|| {
        Error::new(ErrorKind::Settings, format!("unknown setting {:?}", one_line(name)))
    })
}

fn concurrency(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|number| (1..=100_000).contains(number))
        .ok_or_else(|| "expected a number from 1 to 100000".to_owned())
}

#[cfg(test)]
mod tests;
