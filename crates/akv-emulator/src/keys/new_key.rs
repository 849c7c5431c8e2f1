//! Creating keys from the library, without HTTP.

use std::{
    collections::BTreeMap,
    fmt,
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::keys::{Curve, KeySpec};

/// A key to create with [`Emulator::create_key`](crate::Emulator::create_key).
///
/// ```
/// use akv_emulator::{Curve, NewKey};
/// let key = NewKey::ec("signing", Curve::P256).hsm(true).key_ops(["sign", "verify"]);
/// # let _ = key;
/// ```
#[derive(Clone)]
#[must_use]
pub struct NewKey {
    pub(crate) name: String,
    pub(crate) spec: KeySpec,
    pub(crate) hsm: bool,
    pub(crate) vault: String,
    pub(crate) operations: Option<Vec<String>>,
    pub(crate) enabled: bool,
    pub(crate) not_before: Option<i64>,
    pub(crate) expires: Option<i64>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) leading_zeros: bool,
    pub(crate) pkcs8: Option<Vec<u8>>,
}

impl NewKey {
    fn new(name: impl Into<String>, spec: KeySpec) -> Self {
        Self {
            name: name.into(),
            spec,
            hsm: false,
            vault: String::new(),
            operations: None,
            enabled: true,
            not_before: None,
            expires: None,
            tags: BTreeMap::new(),
            leading_zeros: false,
            pkcs8: None,
        }
    }

    /// An RSA key; `bits` is 2048, 3072 or 4096.
    pub fn rsa(name: impl Into<String>, bits: usize) -> Self {
        Self::new(name, KeySpec::Rsa(bits))
    }

    /// An elliptic-curve key.
    pub fn ec(name: impl Into<String>, curve: Curve) -> Self {
        Self::new(name, KeySpec::Ec(curve))
    }

    /// A symmetric key, which only a Managed HSM supports; `bits` is 128, 192 or 256.
    pub fn oct(name: impl Into<String>, bits: usize) -> Self {
        Self::new(name, KeySpec::Oct(bits))
    }

    /// Selects the -HSM key type. A Managed HSM has no other.
    pub fn hsm(mut self, hsm: bool) -> Self {
        self.hsm = hsm;
        self
    }

    /// The vault to create it in, by its full host name such as `myvault.vault.azure.net`. The
    /// default is the vault that is served under every unknown host name.
    pub fn vault_host(mut self, host: impl Into<String>) -> Self {
        self.vault = host.into().to_ascii_lowercase();
        self
    }

    /// The permitted operations; by default all that the key type supports.
    pub fn key_ops<S: Into<String>>(mut self, operations: impl IntoIterator<Item = S>) -> Self {
        self.operations = Some(operations.into_iter().map(Into::into).collect());
        self
    }

    /// Whether the key can be used, `true` by default.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// The time from which it signs (`nbf`).
    pub fn not_before(mut self, time: SystemTime) -> Self {
        self.not_before = Some(unix(time));
        self
    }

    /// The time from which it no longer signs (`exp`).
    pub fn expires(mut self, time: SystemTime) -> Self {
        self.expires = Some(unix(time));
        self
    }

    /// Writes `n` and `e` of an RSA key with a leading zero byte, as the service does for some
    /// imported and HSM keys.
    pub fn leading_zeros(mut self, on: bool) -> Self {
        self.leading_zeros = on;
        self
    }

    /// The private key, as unencrypted PKCS#8 DER, instead of a generated one. It must have the
    /// given type and size.
    pub fn pkcs8(mut self, der: impl Into<Vec<u8>>) -> Self {
        self.pkcs8 = Some(der.into());
        self
    }

    /// The bytes of a symmetric key, instead of generated ones. They must have the given size.
    pub fn secret(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.pkcs8(bytes)
    }

    /// Adds a tag.
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(name.into(), value.into());
        self
    }
}

/// Parses `TYPE:NAME:SIZE`, with `-hsm` after the type for an HSM key and `@HOST` at the end for a
/// vault other than the default one: `rsa:web:2048`, `ec-hsm:web:P-256@v.vault.azure.net`,
/// `oct:kek:256`.
impl FromStr for NewKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (text, host) = match text.split_once('@') {
            Some((text, host)) => (text, Some(host)),
            None => (text, None),
        };
        let [kind, name, size] = text.split(':').collect::<Vec<_>>()[..] else {
            return Err("expected TYPE:NAME:SIZE, for example rsa:web:2048 or ec:web:P-256".into());
        };
        let bits = || size.parse::<usize>().map_err(|_| format!("`{size}` is not a key size"));
        let (kind, hsm) = match kind.strip_suffix("-hsm") {
            Some(kind) => (kind, true),
            None => (kind, false),
        };
        let key = match kind {
            "rsa" => Self::rsa(name, bits()?),
            "oct" => Self::oct(name, bits()?),
            "ec" => {
                let curve =
                    Curve::from_name(size).ok_or_else(|| format!("`{size}` is not a curve"))?;
                Self::ec(name, curve)
            }
            other => return Err(format!("`{other}` is not a key type; expected rsa, ec or oct")),
        };
        Ok(match host {
            Some(host) => key.hsm(hsm).vault_host(host),
            None => key.hsm(hsm),
        })
    }
}

/// Omits the private key.
impl fmt::Debug for NewKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("NewKey")
            .field("name", &self.name)
            .field("spec", &self.spec)
            .field("imported", &self.pkcs8.is_some())
            .finish_non_exhaustive()
    }
}

fn unix(time: SystemTime) -> i64 {
    let seconds = |elapsed: Duration| i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => seconds(after),
        Err(before) => -seconds(before.duration()),
    }
}

/// The name of a key version in the emulator.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyId {
    /// The key's name.
    pub name: String,
    /// The version: 32 hexadecimal digits.
    pub version: String,
    /// The URL of the version, `https://HOST/keys/NAME/VERSION`.
    pub url: String,
}
