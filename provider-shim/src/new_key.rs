//! The parameters of a key to generate in a vault.

use std::ffi::CStr;
use std::time::SystemTime;

use akv_core::blocking::Client;
use akv_core::{
    AesSize, Curve, ErrorKind, Key, KeyOperation, KeyReference, NewKey, RsaSize, SymmetricKey,
};
use ossl_abi::names;
use ossl_abi::params::{Params, Value};
use ossl_abi::types::{DataType, Param};
use time::format_description::well_known::{Iso8601, Rfc3339};
use time::{Date, OffsetDateTime};

use crate::curve::curve_of;
use crate::error::{Error, Result};
use crate::foreign;
use crate::key::KeyObject;
use crate::key_type::KeyType;
use crate::provider::Provider;

const NAME: &CStr = c"akv-name";
const HARDWARE: &CStr = c"akv-hsm";
const OPERATIONS: &CStr = c"akv-ops";
const NOT_BEFORE: &CStr = c"akv-not-before";
const EXPIRES: &CStr = c"akv-expires";
const TAGS: &CStr = c"akv-tags";
const NEW_VERSION: &CStr = c"akv-new-version";

/// Whether a name is one of these, or was probably meant to be.
pub(crate) fn is_for_vaults(name: &CStr) -> bool {
    name.to_bytes().get(..3).is_some_and(|start| start.eq_ignore_ascii_case(b"akv"))
}

/// 65537, the public exponent of all RSA keys that the service generates.
const EXPONENT: [u8; 3] = [1, 0, 1];

macro_rules! parameters {
    ($($own:expr),*) => {
        &[
            Param::describe(NAME, DataType::Utf8String),
            Param::describe(HARDWARE, DataType::Utf8String),
            Param::describe(OPERATIONS, DataType::Utf8String),
            Param::describe(NOT_BEFORE, DataType::Utf8String),
            Param::describe(EXPIRES, DataType::Utf8String),
            Param::describe(TAGS, DataType::Utf8String),
            Param::describe(NEW_VERSION, DataType::Utf8String),
            $($own,)*
            Param::END,
        ]
    };
}

pub(crate) static RSA_PARAMETERS: &[Param] = parameters!(
    Param::describe(names::BITS, DataType::UnsignedInteger),
    Param::describe(names::RSA_PRIMES, DataType::UnsignedInteger),
    Param::describe(names::RSA_E, DataType::UnsignedInteger)
);

pub(crate) static EC_PARAMETERS: &[Param] = parameters!(
    Param::describe(names::GROUP_NAME, DataType::Utf8String),
    Param::describe(names::EC_ENCODING, DataType::Utf8String),
    Param::describe(names::EC_POINT_FORMAT, DataType::Utf8String)
);

pub(crate) static SYMMETRIC_PARAMETERS: &[Param] =
    parameters!(Param::describe(names::SKEY_KEY_LENGTH, DataType::UnsignedInteger));

/// The parameters so far, which may be set in several calls.
#[derive(Default)]
pub(crate) struct Description {
    reference: Option<KeyReference>,
    new_version: bool,
    size: Option<RsaSize>,
    curve: Option<Curve>,
    symmetric: Option<AesSize>,
    hardware: bool,
    operations: Option<Vec<KeyOperation>>,
    not_before: Option<SystemTime>,
    expires: Option<SystemTime>,
    tags: Vec<(String, String)>,
}

impl Description {
    /// The vault and name of the key.
    pub(crate) fn reference(&self) -> Result<&KeyReference> {
        self.reference.as_ref().ok_or_else(|| {
            Error::argument(format!(
                "akv_provider generates keys only in vaults: {}",
                foreign::ADVICE
            ))
        })
    }

    /// Whether an existing key gets a new version.
    pub(crate) fn new_version(&self) -> bool {
        self.new_version
    }

    /// Copies the size or curve of another key.
    pub(crate) fn copy_template(&mut self, template: &KeyObject) {
        self.curve = self.curve.or_else(|| template.curve());
        let bits = template.public_key().map(akv_core::PublicKey::bits);
        self.size = self.size.or_else(|| bits.and_then(rsa_size));
    }

    /// Sets parameters.
    pub(crate) fn set(&mut self, client: &Client, params: Params<'_>) -> Result<()> {
        for value in params.iter() {
            self.set_one(client, value).map_err(|error| error.about(value.name()))?;
        }
        Ok(())
    }

    fn set_one(&mut self, client: &Client, value: Value<'_>) -> Result<()> {
        let name = value.name();
        if name == NAME {
            self.reference = Some(new_reference(client, value.utf8()?)?);
        } else if name == HARDWARE {
            self.hardware = flag(value.utf8()?)?;
        } else if name == NEW_VERSION {
            self.new_version = flag(value.utf8()?)?;
        } else if name == OPERATIONS {
            self.operations = Some(operations(value.utf8()?)?);
        } else if name == NOT_BEFORE {
            self.not_before = Some(moment(value.utf8()?)?);
        } else if name == EXPIRES {
            self.expires = Some(future(moment(value.utf8()?)?)?);
        } else if name == TAGS {
            self.tags.extend(tags(value.utf8()?)?);
        } else if name == names::BITS {
            let bits = value.integer::<usize>()?;
            let size = rsa_size(bits).ok_or_else(|| {
                Error::argument(format!("{bits} bits: the service supports 2048, 3072 and 4096"))
            })?;
            self.size = Some(size);
        } else if name == names::SKEY_KEY_LENGTH {
            self.symmetric = Some(aes_size(value.integer()?)?);
        } else if name == names::GROUP_NAME {
            self.curve = Some(curve(value.utf8()?)?);
        } else {
            check_fixed(value)?;
        }
        Ok(())
    }

    /// The request for a key pair.
    pub(crate) fn key(&self, kind: KeyType) -> Result<NewKey<Key>> {
        let key = match kind {
            KeyType::Rsa => NewKey::rsa(self.size.unwrap_or(RsaSize::Bits2048)),
            KeyType::Ec => NewKey::ec(self.curve.ok_or_else(|| {
                Error::argument(
                    "no curve is set: add, for example, -pkeyopt ec_paramgen_curve:P-256",
                )
            })?),
        };
        Ok(self.apply(key.hardware(self.hardware)))
    }

    /// The request for a symmetric key.
    pub(crate) fn symmetric_key(&self) -> NewKey<SymmetricKey> {
        self.apply(NewKey::aes(self.symmetric.unwrap_or(AesSize::Bits256)))
    }

    /// Adds what applies to every key type.
    fn apply<K>(&self, mut key: NewKey<K>) -> NewKey<K> {
        if let Some(operations) = &self.operations {
            key = key.operations(operations.iter().cloned());
        }
        if let Some(time) = self.not_before {
            key = key.not_before(time);
        }
        if let Some(time) = self.expires {
            key = key.expires(time);
        }
        self.tags.iter().fold(key, |key, (name, value)| key.tag(name, value))
    }
}

/// Refuses a name that exists. Creating it would add a version, and users of the key without a
/// version would switch to it.
pub(crate) fn refuse_existing(provider: &Provider, reference: &KeyReference) -> Result<()> {
    match provider.client()?.any_key(reference) {
        Ok(_) => {}
        Err(error) if error.status() == Some(404) => return Ok(()),
        Err(error) if error.code() == Some("KeyDisabled") => {}
        Err(error) => {
            let blind = error.status() == Some(403);
            let mut error = Error::from(error);
            if blind {
                error.add("akv-new-version:yes skips the check whether the key exists");
            }
            return Err(error);
        }
    }
    Err(Error::Raised(
        ErrorKind::Argument,
        format!(
            "{reference} exists already; choose another name, or give it a new version with \
             akv-new-version:yes"
        ),
    ))
}

fn new_reference(client: &Client, text: &str) -> Result<KeyReference> {
    let reference = client.reference(text)?;
    if reference.key_name().is_none() {
        return Err(Error::argument(format!("{text} names a vault, but no key in it")));
    }
    if reference.version().is_some() {
        return Err(Error::argument(format!(
            "{text} names a version, which the service chooses for a new key"
        )));
    }
    Ok(reference)
}

/// Checks parameters that other providers support but for which the service has only one value.
fn check_fixed(value: Value<'_>) -> Result<()> {
    let name = value.name();
    let refused = |what: &str| Err(Error::argument(format!("the service generates only {what}")));
    if name == names::RSA_E && value.bignum()? != EXPONENT {
        return refused("RSA keys with the exponent 65537");
    }
    if name == names::RSA_PRIMES && value.integer::<usize>()? != 2 {
        return refused("RSA keys of two primes");
    }
    if name == names::EC_ENCODING && value.utf8()? != "named_curve" {
        return refused("EC keys on named curves");
    }
    Ok(())
}

fn rsa_size(bits: usize) -> Option<RsaSize> {
    [RsaSize::Bits2048, RsaSize::Bits3072, RsaSize::Bits4096]
        .into_iter()
        .find(|size| size.bits() == bits)
}

/// The AES key size for a length in bytes.
fn aes_size(len: usize) -> Result<AesSize> {
    [AesSize::Bits128, AesSize::Bits192, AesSize::Bits256]
        .into_iter()
        .find(|size| size.bits() / 8 == len)
        .ok_or_else(|| {
            Error::argument(format!("{len} bytes: the service supports AES keys of 16, 24 and 32"))
        })
}

/// A curve by OpenSSL's or the service's name.
fn curve(name: &str) -> Result<Curve> {
    let curve =
        if name.eq_ignore_ascii_case("P-256K") { Some(Curve::P256K) } else { curve_of(name) };
    curve.ok_or_else(|| {
        Error::argument(format!("{name:?}: the service supports P-256, P-384, P-521 and secp256k1"))
    })
}

fn flag(text: &str) -> Result<bool> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "on" | "1" => Ok(true),
        "no" | "false" | "off" | "0" => Ok(false),
        _ => Err(Error::argument(format!("{text:?} is neither yes nor no"))),
    }
}

fn operations(text: &str) -> Result<Vec<KeyOperation>> {
    let known = |name: &str| match KeyOperation::from(name.trim()) {
        KeyOperation::Other(_) => Err(Error::argument(format!(
            "{name:?} is not one of sign, verify, encrypt, decrypt, wrapKey, unwrapKey"
        ))),
        operation => Ok(operation),
    };
    text.split(',').map(known).collect()
}

/// A date, which means its start in UTC, or a time in RFC 3339.
fn moment(text: &str) -> Result<SystemTime> {
    OffsetDateTime::parse(text, &Rfc3339)
        .or_else(|_| Date::parse(text, &Iso8601::DATE).map(|day| day.midnight().assume_utc()))
        .map(SystemTime::from)
        .map_err(|_| {
            Error::argument(format!(
                "{text:?} is not a time such as 2030-12-31 or 2030-12-31T23:59:59Z"
            ))
        })
}

fn future(time: SystemTime) -> Result<SystemTime> {
    if time <= SystemTime::now() {
        return Err(Error::argument("this time has passed"));
    }
    Ok(time)
}

/// A comma-separated list of `name=value`.
fn tags(text: &str) -> Result<Vec<(String, String)>> {
    let tag = |tag: &str| match tag.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(Error::argument(format!("{tag:?} is not of the form name=value"))),
    };
    text.split(',').map(tag).collect()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn times_are_days_or_moments() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(moment("2030-01-01").unwrap(), at(1_893_456_000));
        assert_eq!(moment("2030-01-01T01:00:00+01:00").unwrap(), at(1_893_456_000));
        for text in ["", "2030", "2030-13-01", "01.01.2030", "2030-01-01 00:00", "tomorrow"] {
            assert!(moment(text).is_err(), "{text}");
        }
        assert!(future(at(0)).is_err());
    }

    #[test]
    fn lists_are_read_whole_or_not_at_all() {
        let both = [KeyOperation::Sign, KeyOperation::UnwrapKey];
        assert_eq!(operations("sign, unwrapkey").unwrap(), both);
        for text in ["", "sign,", "sign;verify", "import"] {
            assert!(operations(text).is_err(), "{text}");
        }
        let pairs = [("a".to_owned(), "b=c".to_owned()), ("d".to_owned(), String::new())];
        assert_eq!(tags("a=b=c,d=").unwrap(), pairs);
        for text in ["", "a", "=b", "a=b,"] {
            assert!(tags(text).is_err(), "{text}");
        }
    }

    #[test]
    fn curves_have_the_names_of_both_sides() {
        for name in ["P-256K", "secp256k1", "SECP256K1"] {
            assert_eq!(curve(name).unwrap(), Curve::P256K);
        }
        assert_eq!(curve("prime256v1").unwrap(), Curve::P256);
        assert!(curve("brainpoolP256r1").is_err());
    }
}
