//! The attributes of a key.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use azure_core::time::OffsetDateTime;
use azure_security_keyvault_keys::models::{
    KeyAttributes as SdkAttributes, KeyOperation as SdkOperation, KeyType as SdkKeyType,
};

/// The attributes of a key version, as of the time when they were read.
///
/// They may change at any time, so use them for display and planning. Whether an operation is
/// permitted is decided by the service for each request.
///
/// ```
/// use akv_core::{KeyAttributes, KeyOperation, KeyType};
/// use std::time::{Duration, SystemTime};
///
/// /// Reasons against using a key for a server, for a check before deployment.
/// fn objections(key: &KeyAttributes, now: SystemTime) -> Vec<&'static str> {
///     let soon = now + Duration::from_secs(30 * 86_400);
///     let signs = |all: &[KeyOperation]| all.contains(&KeyOperation::Sign);
///     let checks = [
///         (!key.enabled(), "it is disabled"),
///         (key.not_before().is_some_and(|from| from > now), "it is not valid yet"),
///         (key.expires().is_some_and(|end| end < soon), "it expires within 30 days"),
///         (!key.operations().is_none_or(signs), "it may not sign"),
///         (!key.key_type().is_some_and(KeyType::is_hardware), "it is not in hardware"),
///         (key.exportable(), "its private half may leave the vault"),
///         (key.managed(), "it belongs to a certificate of the vault"),
///         (!key.tags().contains_key("owner"), "it has no owner"),
///     ];
///     checks.into_iter().filter_map(|(is_so, text)| is_so.then_some(text)).collect()
/// }
/// # let found = objections(&KeyAttributes::default(), SystemTime::now());
/// # assert_eq!(found, ["it is not in hardware", "it has no owner"]);
/// ```
///
/// ```
/// use akv_core::KeyAttributes;
///
/// fn show(key: &KeyAttributes) {
///     println!("created {:?}, changed {:?}", key.created(), key.updated());
///     println!("after deletion {:?} for {:?} days", key.recovery_level(), key.recoverable_days());
///     println!("on {}", key.hsm_platform().unwrap_or("unknown hardware"));
/// }
/// # show(&KeyAttributes::default());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyAttributes {
    enabled: Option<bool>,
    not_before: Option<SystemTime>,
    expires: Option<SystemTime>,
    created: Option<SystemTime>,
    updated: Option<SystemTime>,
    key_type: Option<KeyType>,
    operations: Option<Vec<KeyOperation>>,
    exportable: bool,
    managed: bool,
    recovery_level: Option<String>,
    recoverable_days: Option<u32>,
    hsm_platform: Option<String>,
    tags: BTreeMap<String, String>,
}

impl KeyAttributes {
    /// Whether the key can be used.
    pub fn enabled(&self) -> bool {
        self.enabled.unwrap_or(true)
    }

    /// The start of the period in which the key signs, encrypts and wraps (`nbf`), to the second.
    pub fn not_before(&self) -> Option<SystemTime> {
        self.not_before
    }

    /// The end of the period in which the key signs, encrypts and wraps (`exp`), to the second.
    pub fn expires(&self) -> Option<SystemTime> {
        self.expires
    }

    /// When the version was created.
    pub fn created(&self) -> Option<SystemTime> {
        self.created
    }

    /// When its attributes were last changed.
    pub fn updated(&self) -> Option<SystemTime> {
        self.updated
    }

    /// The type of the key, which includes whether it is in hardware. Lists do not contain it.
    pub fn key_type(&self) -> Option<&KeyType> {
        self.key_type.as_ref()
    }

    /// The permitted operations (`key_ops`). Lists do not contain them.
    pub fn operations(&self) -> Option<&[KeyOperation]> {
        self.operations.as_deref()
    }

    /// Whether the private half may be released to an attested environment.
    pub fn exportable(&self) -> bool {
        self.exportable
    }

    /// Whether the vault manages the key, which then belongs to a certificate.
    pub fn managed(&self) -> bool {
        self.managed
    }

    /// How a deleted key can be recovered, in the service's terms: `Recoverable+Purgeable`.
    pub fn recovery_level(&self) -> Option<&str> {
        self.recovery_level.as_deref()
    }

    /// For how many days a deleted key can be recovered.
    pub fn recoverable_days(&self) -> Option<u32> {
        self.recoverable_days
    }

    /// The platform of the HSM, if the service returns it.
    pub fn hsm_platform(&self) -> Option<&str> {
        self.hsm_platform.as_deref()
    }

    /// The user's tags.
    pub fn tags(&self) -> &BTreeMap<String, String> {
        &self.tags
    }

    /// The attributes that lists also contain.
    pub(crate) fn new(
        attributes: Option<SdkAttributes>,
        managed: Option<bool>,
        tags: Option<HashMap<String, String>>,
    ) -> Self {
        let read = attributes.unwrap_or_default();
        Self {
            enabled: read.enabled,
            not_before: read.not_before.map(system_time),
            expires: read.expires.map(system_time),
            created: read.created.map(system_time),
            updated: read.updated.map(system_time),
            key_type: None,
            operations: None,
            exportable: read.exportable.unwrap_or(false),
            managed: managed.unwrap_or(false),
            recovery_level: read.recovery_level.map(|level| level.to_string()),
            recoverable_days: read.recoverable_days.and_then(|days| u32::try_from(days).ok()),
            hsm_platform: read.hsm_platform,
            tags: tags.unwrap_or_default().into_iter().collect(),
        }
    }

    /// Adds the attributes that only the key itself has.
    pub(crate) fn of_key(self, key_type: KeyType, operations: Option<&[String]>) -> Self {
        let operations = operations.map(|names| names.iter().map(|name| name.into()).collect());
        Self { key_type: Some(key_type), operations, ..self }
    }
}

fn system_time(time: OffsetDateTime) -> SystemTime {
    let seconds = time.unix_timestamp();
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance }
}

/// The type of a key: `kty` of RFC 7518 section 6.1, and the service's `-HSM` types.
///
/// ```
/// use akv_core::KeyType;
///
/// let key_type = KeyType::EcHsm;
/// assert_eq!(key_type.as_str(), "EC-HSM");
/// assert!(key_type.is_hardware() && !KeyType::Ec.is_hardware());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyType {
    /// RSA, in software.
    Rsa,
    /// RSA, in hardware.
    RsaHsm,
    /// An elliptic-curve key, in software.
    Ec,
    /// An elliptic-curve key, in hardware.
    EcHsm,
    /// A symmetric key, in software.
    Oct,
    /// A symmetric key, in hardware.
    OctHsm,
    /// An unknown type, with the service's name.
    Other(String),
}

impl KeyType {
    /// The service's name: `EC-HSM`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Rsa => "RSA",
            Self::RsaHsm => "RSA-HSM",
            Self::Ec => "EC",
            Self::EcHsm => "EC-HSM",
            Self::Oct => "oct",
            Self::OctHsm => "oct-HSM",
            Self::Other(name) => name,
        }
    }

    /// Whether the private or secret half is in a hardware security module.
    pub fn is_hardware(&self) -> bool {
        self.as_str().ends_with("-HSM")
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<&SdkKeyType> for KeyType {
    fn from(key_type: &SdkKeyType) -> Self {
        match key_type {
            SdkKeyType::Rsa => Self::Rsa,
            SdkKeyType::RsaHsm => Self::RsaHsm,
            SdkKeyType::Ec => Self::Ec,
            SdkKeyType::EcHsm => Self::EcHsm,
            SdkKeyType::Oct => Self::Oct,
            SdkKeyType::OctHsm => Self::OctHsm,
            other => Self::Other(other.to_string()),
        }
    }
}

/// A permitted operation: `key_ops` of RFC 7517 section 4.3. [`From`] parses the service's name,
/// ignoring case.
///
/// ```
/// use akv_core::{Curve, KeyOperation, NewKey};
///
/// let signing_only = NewKey::ec(Curve::P256).operations([KeyOperation::Sign]);
/// assert_eq!(KeyOperation::from("unwrapkey"), KeyOperation::UnwrapKey);
/// assert_eq!(KeyOperation::UnwrapKey.as_str(), "unwrapKey");
/// # let _ = signing_only;
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyOperation {
    /// `encrypt`
    Encrypt,
    /// `decrypt`
    Decrypt,
    /// `sign`
    Sign,
    /// `verify`
    Verify,
    /// `wrapKey`
    WrapKey,
    /// `unwrapKey`
    UnwrapKey,
    /// An operation that this library does not use, with the service's name.
    Other(String),
}

impl KeyOperation {
    /// The service's name: `unwrapKey`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Encrypt => "encrypt",
            Self::Decrypt => "decrypt",
            Self::Sign => "sign",
            Self::Verify => "verify",
            Self::WrapKey => "wrapKey",
            Self::UnwrapKey => "unwrapKey",
            Self::Other(name) => name,
        }
    }

    pub(crate) fn to_sdk(&self) -> SdkOperation {
        match self {
            Self::Encrypt => SdkOperation::Encrypt,
            Self::Decrypt => SdkOperation::Decrypt,
            Self::Sign => SdkOperation::Sign,
            Self::Verify => SdkOperation::Verify,
            Self::WrapKey => SdkOperation::WrapKey,
            Self::UnwrapKey => SdkOperation::UnwrapKey,
            Self::Other(name) => SdkOperation::UnknownValue(name.clone()),
        }
    }
}

impl fmt::Display for KeyOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<T: AsRef<str> + ?Sized> From<&T> for KeyOperation {
    /// Parses the service's name, ignoring case.
    fn from(name: &T) -> Self {
        let name = name.as_ref();
        let known = [
            Self::Encrypt,
            Self::Decrypt,
            Self::Sign,
            Self::Verify,
            Self::WrapKey,
            Self::UnwrapKey,
        ];
        known
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(name))
            .unwrap_or_else(|| Self::Other(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardware_is_known_by_the_type() {
        assert!(KeyType::EcHsm.is_hardware() && KeyType::Other("AKP-HSM".into()).is_hardware());
        assert!(!KeyType::Rsa.is_hardware());
    }

    #[test]
    fn times_before_and_after_the_epoch_are_read() {
        let read = |seconds| system_time(OffsetDateTime::from_unix_timestamp(seconds).unwrap());
        assert_eq!(read(-1), UNIX_EPOCH - Duration::from_secs(1));
        assert_eq!(read(1_613_774_571), UNIX_EPOCH + Duration::from_secs(1_613_774_571));
    }

    #[test]
    fn operations_are_read_in_any_case() {
        assert_eq!(KeyOperation::from("unwrapkey"), KeyOperation::UnwrapKey);
        assert_eq!(KeyOperation::from("import").as_str(), "import");
    }
}
