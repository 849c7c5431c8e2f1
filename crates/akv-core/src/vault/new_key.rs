//! Descriptions of new keys.

use std::{
    collections::BTreeMap,
    marker::PhantomData,
    time::{SystemTime, UNIX_EPOCH},
};

use azure_core::time::OffsetDateTime;
use azure_security_keyvault_keys::models::{
    CreateKeyParameters, CurveName, KeyAttributes as SdkAttributes, KeyType as SdkKeyType,
};

use crate::{
    Curve, Error, ErrorKind, Key, KeyOperation,
    KeyOperation::{Decrypt, Encrypt, Sign, UnwrapKey, Verify, WrapKey},
    Result, SymmetricKey, VaultKind,
};

/// A size of RSA keys.
///
/// ```
/// use akv_core::{NewKey, RsaSize};
///
/// let size = RsaSize::Bits3072;
/// let key = NewKey::rsa(size).tag("bits", size.bits().to_string());
/// assert_eq!(size.bits(), 3072);
/// # let _ = key;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RsaSize {
    /// 2 048 bits.
    Bits2048,
    /// 3 072 bits.
    Bits3072,
    /// 4 096 bits.
    Bits4096,
}

impl RsaSize {
    /// The size of the modulus in bits.
    pub fn bits(self) -> usize {
        match self {
            Self::Bits2048 => 2048,
            Self::Bits3072 => 3072,
            Self::Bits4096 => 4096,
        }
    }
}

/// A size of AES keys.
///
/// ```
/// use akv_core::{AesSize, NewKey};
///
/// let size = AesSize::Bits256;
/// let key = NewKey::aes(size).tag("bits", size.bits().to_string());
/// assert_eq!(size.bits(), 256);
/// # let _ = key;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AesSize {
    /// 128 bits.
    Bits128,
    /// 192 bits.
    Bits192,
    /// 256 bits.
    Bits256,
}

impl AesSize {
    /// The size in bits.
    pub fn bits(self) -> usize {
        match self {
            Self::Bits128 => 128,
            Self::Bits192 => 192,
            Self::Bits256 => 256,
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Rsa(RsaSize),
    Ec(Curve),
    Aes(AesSize),
}

/// A description of a key for [`Vault::create`](crate::Vault::create), which returns a `K`: a
/// [`Key`] or a [`SymmetricKey`]. Keys are never exportable.
///
/// ```
/// use akv_core::{AesSize, Curve, KeyOperation, NewKey, RsaSize};
/// use std::time::{Duration, SystemTime};
///
/// let web = NewKey::rsa(RsaSize::Bits3072)
///     .hardware(true)
///     .operations([KeyOperation::Sign])
///     .expires(SystemTime::now() + Duration::from_secs(365 * 86_400))
///     .tag("owner", "www");
/// let code_signing = NewKey::ec(Curve::P384).not_before(SystemTime::now()).enabled(false);
/// let wrapping = NewKey::aes(AesSize::Bits256);
/// # let _ = (web, code_signing, wrapping);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct NewKey<K> {
    kind: Kind,
    hardware: bool,
    operations: Option<Vec<KeyOperation>>,
    enabled: bool,
    not_before: Option<SystemTime>,
    expires: Option<SystemTime>,
    tags: BTreeMap<String, String>,
    makes: PhantomData<fn() -> K>,
}

impl NewKey<Key> {
    /// An RSA key.
    ///
    /// ```
    /// # use akv_core::{NewKey, RsaSize};
    /// let key = NewKey::rsa(RsaSize::Bits4096);
    /// # let _ = key;
    /// ```
    pub fn rsa(size: RsaSize) -> Self {
        Self::of(Kind::Rsa(size))
    }

    /// An elliptic-curve key.
    ///
    /// ```
    /// # use akv_core::{Curve, NewKey};
    /// let key = NewKey::ec(Curve::P256);
    /// # let _ = key;
    /// ```
    pub fn ec(curve: Curve) -> Self {
        Self::of(Kind::Ec(curve))
    }

    /// Whether a vault keeps the key in hardware, which requires the premium tier; no by default. A
    /// Managed HSM always does.
    ///
    /// ```
    /// # use akv_core::{Curve, NewKey};
    /// let key = NewKey::ec(Curve::P256).hardware(true); // an EC-HSM key
    /// # let _ = key;
    /// ```
    pub fn hardware(self, hardware: bool) -> Self {
        Self { hardware, ..self }
    }
}

impl NewKey<SymmetricKey> {
    /// An AES key, which only a Managed HSM supports.
    ///
    /// ```
    /// # use akv_core::{AesSize, NewKey};
    /// let key = NewKey::aes(AesSize::Bits256);
    /// # let _ = key;
    /// ```
    pub fn aes(size: AesSize) -> Self {
        Self::of(Kind::Aes(size))
    }
}

impl<K> NewKey<K> {
    fn of(kind: Kind) -> Self {
        Self {
            kind,
            hardware: false,
            operations: None,
            enabled: true,
            not_before: None,
            expires: None,
            tags: BTreeMap::new(),
            makes: PhantomData,
        }
    }

    /// The permitted operations; by default all that the key's type supports.
    ///
    /// ```
    /// # use akv_core::{KeyOperation, NewKey, RsaSize};
    /// use KeyOperation::{UnwrapKey, WrapKey};
    ///
    /// let key = NewKey::rsa(RsaSize::Bits3072).operations([WrapKey, UnwrapKey]);
    /// # let _ = key;
    /// ```
    pub fn operations(self, operations: impl IntoIterator<Item = KeyOperation>) -> Self {
        Self { operations: Some(operations.into_iter().collect()), ..self }
    }

    /// Whether the key can be used; yes by default.
    ///
    /// ```
    /// # use akv_core::{Curve, NewKey};
    /// let key = NewKey::ec(Curve::P384).enabled(false); // until its certificate exists
    /// # let _ = key;
    /// ```
    pub fn enabled(self, enabled: bool) -> Self {
        Self { enabled, ..self }
    }

    /// The start of the period in which the key signs, encrypts and wraps, to the second.
    ///
    /// ```
    /// # use akv_core::{Curve, NewKey};
    /// use std::time::{Duration, SystemTime};
    ///
    /// let tomorrow = SystemTime::now() + Duration::from_secs(86_400);
    /// let key = NewKey::ec(Curve::P256).not_before(tomorrow);
    /// # let _ = key;
    /// ```
    pub fn not_before(self, time: SystemTime) -> Self {
        Self { not_before: Some(time), ..self }
    }

    /// The end of the period in which the key signs, encrypts and wraps, to the second.
    ///
    /// ```
    /// # use akv_core::{Curve, NewKey};
    /// use std::time::{Duration, SystemTime};
    ///
    /// let a_year = Duration::from_secs(365 * 86_400);
    /// let key = NewKey::ec(Curve::P256).expires(SystemTime::now() + a_year);
    /// # let _ = key;
    /// ```
    pub fn expires(self, time: SystemTime) -> Self {
        Self { expires: Some(time), ..self }
    }

    /// Adds a tag. The service accepts 15 tags, with name and value of up to 256 characters each.
    ///
    /// ```
    /// # use akv_core::{Curve, NewKey};
    /// let key = NewKey::ec(Curve::P256).tag("owner", "www").tag("environment", "production");
    /// # let _ = key;
    /// ```
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(name.into(), value.into());
        self
    }

    /// Checks, without a request, that a vault or Managed HSM supports such a key.
    ///
    /// # Errors
    /// It does not.
    pub fn check(&self, vault: VaultKind) -> Result<()> {
        self.parameters(vault).map(drop)
    }

    /// The request.
    ///
    /// # Errors
    /// The service does not support such a key.
    pub(super) fn parameters(&self, vault: VaultKind) -> Result<CreateKeyParameters> {
        self.check_operations()?;
        if let (Some(from), Some(until)) = (self.not_before, self.expires)
            && from >= until
        {
            return Err(argument("the key would expire before it becomes valid"));
        }
        let (curve, size) = match self.kind {
            Kind::Rsa(size) => (None, Some(size.bits())),
            Kind::Ec(curve) => (Some(sdk_curve(curve)), None),
            Kind::Aes(size) => (None, Some(size.bits())),
        };
        let attributes = SdkAttributes {
            enabled: Some(self.enabled),
            not_before: self.not_before.map(date_time).transpose()?,
            expires: self.expires.map(date_time).transpose()?,
            ..SdkAttributes::default()
        };
        let operations = self.operations.as_ref();
        let tags = self.tags.clone().into_iter().collect();
        Ok(CreateKeyParameters {
            kty: Some(self.key_type(vault)?),
            curve,
            key_size: size.and_then(|bits| i32::try_from(bits).ok()),
            key_attributes: Some(attributes),
            key_ops: operations.map(|all| all.iter().map(KeyOperation::to_sdk).collect()),
            tags: (!self.tags.is_empty()).then_some(tags),
            ..CreateKeyParameters::default()
        })
    }

    fn key_type(&self, vault: VaultKind) -> Result<SdkKeyType> {
        let hardware = self.hardware || vault == VaultKind::ManagedHsm;
        Ok(match (self.kind, hardware) {
            (Kind::Rsa(_), false) => SdkKeyType::Rsa,
            (Kind::Rsa(_), true) => SdkKeyType::RsaHsm,
            (Kind::Ec(_), false) => SdkKeyType::Ec,
            (Kind::Ec(_), true) => SdkKeyType::EcHsm,
            (Kind::Aes(_), true) => SdkKeyType::OctHsm,
            (Kind::Aes(_), false) => {
                let text = "a vault does not support symmetric keys";
                return Err(Error::new(ErrorKind::Unsupported, text).hint("use a Managed HSM"));
            }
        })
    }

    fn check_operations(&self) -> Result<()> {
        let possible: &[KeyOperation] = match self.kind {
            Kind::Rsa(_) => &[Encrypt, Decrypt, Sign, Verify, WrapKey, UnwrapKey],
            Kind::Ec(_) => &[Sign, Verify],
            Kind::Aes(_) => &[Encrypt, Decrypt, WrapKey, UnwrapKey],
        };
        let requested = self.operations.as_deref();
        match requested.unwrap_or_default().iter().find(|requested| !possible.contains(requested)) {
            Some(impossible) => {
                Err(argument(&format!("this type of key does not support {impossible}")))
            }
            None if requested.is_some_and(<[_]>::is_empty) => {
                Err(argument("a key needs at least one operation"))
            }
            None => Ok(()),
        }
    }
}

fn sdk_curve(curve: Curve) -> CurveName {
    match curve {
        Curve::P256 => CurveName::P256,
        Curve::P256K => CurveName::P256K,
        Curve::P384 => CurveName::P384,
        Curve::P521 => CurveName::P521,
    }
}

/// The service counts seconds since 1970.
fn date_time(time: SystemTime) -> Result<OffsetDateTime> {
    time.duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_secs()).ok())
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .ok_or_else(|| argument("the time is before 1970 or after 9999"))
}

fn argument(text: &str) -> Error {
    Error::new(ErrorKind::Argument, text)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn json<K>(key: &NewKey<K>, vault: VaultKind) -> String {
        serde_json::to_string(&key.parameters(vault).unwrap()).unwrap()
    }

    #[test]
    fn requests_have_the_services_form() {
        let time = |seconds: u64| UNIX_EPOCH + Duration::from_millis(seconds * 1000 + 700);
        let web = NewKey::rsa(RsaSize::Bits3072)
            .hardware(true)
            .operations([Sign, UnwrapKey])
            .enabled(false)
            .not_before(time(1_700_000_000))
            .expires(time(1_800_000_000))
            .tag("owner", "www");
        assert_eq!(
            json(&web, VaultKind::Vault),
            concat!(
                r#"{"attributes":{"enabled":false,"exp":1800000000,"nbf":1700000000},"#,
                r#""key_ops":["sign","unwrapKey"],"key_size":3072,"kty":"RSA-HSM","#,
                r#""tags":{"owner":"www"}}"#
            )
        );
        let ec = NewKey::ec(Curve::P256K);
        assert_eq!(
            json(&ec, VaultKind::Vault),
            r#"{"crv":"P-256K","attributes":{"enabled":true},"kty":"EC"}"#
        );
        assert!(json(&ec, VaultKind::ManagedHsm).contains(r#""kty":"EC-HSM""#));
        let aes = NewKey::aes(AesSize::Bits192);
        assert_eq!(
            json(&aes, VaultKind::ManagedHsm),
            r#"{"attributes":{"enabled":true},"key_size":192,"kty":"oct-HSM"}"#
        );
    }

    #[test]
    fn unsupported_keys_are_refused() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let refused = |key: NewKey<Key>| key.parameters(VaultKind::Vault).unwrap_err().kind();
        assert_eq!(refused(NewKey::ec(Curve::P256).operations([Encrypt])), ErrorKind::Argument);
        assert_eq!(refused(NewKey::ec(Curve::P256).operations([])), ErrorKind::Argument);
        assert_eq!(
            refused(NewKey::ec(Curve::P256).not_before(at(20)).expires(at(20))),
            ErrorKind::Argument
        );
        let ancient = UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(refused(NewKey::ec(Curve::P256).expires(ancient)), ErrorKind::Argument);
        let aes = NewKey::aes(AesSize::Bits128);
        let error = aes.parameters(VaultKind::Vault).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        let signing = aes.operations([Sign]).parameters(VaultKind::ManagedHsm).unwrap_err();
        assert_eq!(signing.kind(), ErrorKind::Argument);
    }
}
