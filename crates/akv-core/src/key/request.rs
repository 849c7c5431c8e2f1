//! Requests and responses of cryptographic operations.
//!
//! Requests and responses may contain a plaintext or a key. They are therefore written and read
//! here instead of through the official client's models: these buffers are wiped.

use std::{borrow::Cow, ops::RangeInclusive};

use azure_security_keyvault_keys::KeyClientOptions;
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;
use hyper::Uri;
use serde::{Deserialize, Serialize};
use url::Url;
use zeroize::{Zeroize as _, Zeroizing};

use super::bundle::name_and_version;
use crate::{Error, ErrorKind, Result, outside, session::Kind};

/// The service writes no padding; there is no reason to refuse it.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Room for the member names of a request and for the algorithm's name.
const NAMES: usize = 96;

/// An operation of the service.
#[derive(Clone, Copy, Debug)]
pub(super) enum Action {
    Sign,
    Encrypt,
    Decrypt,
    WrapKey,
    UnwrapKey,
}

impl Action {
    const ALL: [Self; 5] =
        [Self::Sign, Self::Encrypt, Self::Decrypt, Self::WrapKey, Self::UnwrapKey];

    /// The kind of operation, which selects the circuit of its vault.
    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Sign => Kind::Sign,
            Self::Encrypt => Kind::Encrypt,
            Self::Decrypt => Kind::Decrypt,
            Self::WrapKey => Kind::WrapKey,
            Self::UnwrapKey => Kind::UnwrapKey,
        }
    }

    /// The last segment of the operation's URL.
    fn segment(self) -> &'static str {
        match self {
            Self::Sign => "sign",
            Self::Encrypt => "encrypt",
            Self::Decrypt => "decrypt",
            Self::WrapKey => "wrapkey",
            Self::UnwrapKey => "unwrapkey",
        }
    }
}

/// The URIs of the operations on one version of a key, built once.
pub(super) struct Targets([Uri; 5]);

impl Targets {
    /// The operations on a key of the vault at `vault`.
    ///
    /// # Errors
    /// None if the names were checked.
    pub(super) fn new(vault: &Url, name: &str, version: &str) -> Result<Self> {
        let wrong = |why: &dyn std::fmt::Display| {
            Error::new(ErrorKind::Internal, format!("cannot write the URL of {name}: {why}"))
        };
        let api_version = KeyClientOptions::default().api_version;
        let mut uris = <[Uri; 5]>::default();
        for (action, uri) in Action::ALL.into_iter().zip(&mut uris) {
            let mut url = vault.clone();
            url.path_segments_mut()
                .map_err(|()| wrong(&"the vault's URL has no path"))?
                .pop_if_empty()
                .extend(["keys", name, version, action.segment()]);
            url.query_pairs_mut().append_pair("api-version", &api_version);
            *uri = Uri::try_from(url.as_str()).map_err(|error| wrong(&error))?;
        }
        Ok(Self(uris))
    }

    pub(super) fn of(&self, action: Action) -> &Uri {
        let [sign, encrypt, decrypt, wrap, unwrap] = &self.0;
        match action {
            Action::Sign => sign,
            Action::Encrypt => encrypt,
            Action::Decrypt => decrypt,
            Action::WrapKey => wrap,
            Action::UnwrapKey => unwrap,
        }
    }
}

/// The members of a request.
#[derive(Serialize)]
pub(super) struct Parameters {
    /// The length of the result in bytes. Callers allocate it before the request.
    #[serde(skip)]
    expected: RangeInclusive<usize>,
    alg: &'static str,
    value: Zeroizing<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iv: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aad: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
}

impl Parameters {
    /// `expected` is the length of the result in bytes, which key and algorithm determine.
    pub(super) fn new(
        algorithm: &'static str,
        value: &[u8],
        expected: RangeInclusive<usize>,
    ) -> Self {
        let value = Zeroizing::new(BASE64URL.encode(value));
        Self { expected, alg: algorithm, value, iv: None, aad: None, tag: None }
    }

    pub(super) fn algorithm(&self) -> &'static str {
        self.alg
    }

    pub(super) fn iv(self, iv: &[u8]) -> Self {
        Self { iv: Some(BASE64URL.encode(iv)), ..self }
    }

    pub(super) fn tag(self, tag: &[u8]) -> Self {
        Self { tag: Some(BASE64URL.encode(tag)), ..self }
    }

    /// Additional authenticated data; an empty one is omitted.
    pub(super) fn aad(self, aad: &[u8]) -> Self {
        Self { aad: (!aad.is_empty()).then(|| BASE64URL.encode(aad)), ..self }
    }

    /// The JSON, which is wiped after the last request.
    pub(super) fn to_body(&self) -> Result<Bytes> {
        let optional = [&self.iv, &self.aad, &self.tag];
        let room: usize = optional.into_iter().flatten().map(String::len).sum();
        // A buffer that never grows leaves no copies behind.
        let mut body = Zeroizing::new(Vec::with_capacity(self.value.len() + room + NAMES));
        serde_json::to_writer(&mut *body, self).map_err(|error| {
            Error::new(ErrorKind::Internal, format!("cannot write the request: {error}"))
        })?;
        Ok(Bytes::from_owner(body))
    }
}

/// Why a response is not used.
#[derive(Debug)]
pub(super) enum Unusable {
    /// It is not a response to the request. Another attempt may get one.
    Shape(String),
    /// It is a response, but its result has an impossible length.
    Length(String),
}

#[cfg(any(test, fuzzing, feature = "probe"))]
impl Unusable {
    /// The message.
    pub(super) fn reason(&self) -> &str {
        match self {
            Self::Shape(reason) | Self::Length(reason) => reason,
        }
    }
}

/// The members of a response.
#[derive(Debug)]
pub(super) struct OperationResult {
    pub(super) value: Zeroizing<Vec<u8>>,
    pub(super) iv: Option<Vec<u8>>,
    pub(super) tag: Option<Vec<u8>>,
}

/// Strings borrow from the body, which is wiped.
#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    kid: Option<Cow<'a, str>>,
    #[serde(borrow)]
    value: Option<Cow<'a, str>>,
    iv: Option<String>,
    tag: Option<String>,
}

impl OperationResult {
    /// Parses a response, which must be about `version` and have a result of the expected length.
    ///
    /// # Errors
    /// The response is malformed, or does not meet these conditions.
    pub(super) fn read(
        body: &[u8],
        version: &str,
        requested: &Parameters,
    ) -> Result<Self, Unusable> {
        let wrong = |why: &str| Unusable::Shape(why.to_owned());
        let wire: Wire = outside::json(body).map_err(Unusable::Shape)?;
        let kid = wire.kid.as_deref().filter(|kid| !kid.ends_with(version));
        let about = kid.and_then(name_and_version);
        if let Some((_, Some(other))) = about
            && other != version
        {
            return Err(wrong("it is for another version of the key"));
        }
        let value = wire.value.ok_or_else(|| wrong("it contains no result"))?;
        check_length(&value, &requested.expected)?;
        let decode = |text: &str| {
            BASE64URL.decode(text).map_err(|_| wrong("the result is not valid base64url"))
        };
        let decoded = decode(&value).map(Zeroizing::new);
        if let Cow::Owned(mut escaped) = value {
            escaped.zeroize();
        }
        Ok(Self {
            value: decoded?,
            iv: wire.iv.as_deref().map(decode).transpose()?,
            tag: wire.tag.as_deref().map(decode).transpose()?,
        })
    }
}

/// Checks the length of the bytes that `text` encodes, before any of them is decoded.
fn check_length(text: &str, expected: &RangeInclusive<usize>) -> Result<(), Unusable> {
    let len = text.trim_end_matches('=').len() * 3 / 4;
    if expected.contains(&len) {
        return Ok(());
    }
    let (min, max) = (expected.start(), expected.end());
    let expected = match (min, max) {
        (min, max) if min == max => format!("instead of {max}"),
        (0, max) => format!("instead of at most {max}"),
        (min, max) => format!("instead of {min} to {max}"),
    };
    Err(Unusable::Length(format!("the service's result has {len} bytes {expected}")))
}

/// Parses the response to an operation, for fuzzing.
#[cfg(any(test, fuzzing))]
pub(crate) fn read_result(body: &[u8]) -> Result<(), String> {
    let version = "0123456789abcdef0123456789abcdef";
    OperationResult::read(body, version, &Parameters::new("RS256", b"digest", 0..=usize::MAX))
        .map(drop)
        .map_err(|unusable| unusable.reason().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION: &str = "0123456789abcdef0123456789abcdef";

    fn read(body: &str) -> Result<OperationResult, Unusable> {
        OperationResult::read(body.as_bytes(), VERSION, &Parameters::new("RS256", b"digest", 2..=2))
    }

    #[test]
    fn operations_have_the_services_urls() {
        let vault = Url::parse("https://v.vault.azure.net/").unwrap();
        let targets = Targets::new(&vault, "k", VERSION).unwrap();
        for (action, last) in
            Action::ALL.into_iter().zip(["sign", "encrypt", "decrypt", "wrapkey", "unwrapkey"])
        {
            let expected =
                format!("https://v.vault.azure.net/keys/k/{VERSION}/{last}?api-version=2025-07-01");
            assert_eq!(targets.of(action).to_string(), expected);
        }
        let proxy = Url::parse("https://localhost:8443/azure").unwrap();
        let targets = Targets::new(&proxy, "k", VERSION).unwrap();
        assert!(targets.of(Action::Sign).path().starts_with("/azure/keys/k/0123"));
    }

    #[test]
    fn requests_have_the_services_form() {
        let parameters =
            Parameters::new("A256GCM", &[0xfb, 0xff], 2..=2).iv(&[1]).aad(&[]).tag(&[2]);
        let body = parameters.to_body().unwrap();
        assert_eq!(body, r#"{"alg":"A256GCM","value":"-_8","iv":"AQ","tag":"Ag"}"#.as_bytes());
    }

    #[test]
    fn responses_of_another_version_or_shape_are_refused() {
        let good = read(&format!(r#"{{"kid":"https://v/keys/k/{VERSION}","value":"-_8"}}"#));
        assert_eq!(*good.unwrap().value, [0xfb, 0xff]);
        assert_eq!(*read(r#"{"value":"-_8="}"#).unwrap().value, [0xfb, 0xff]);
        let other = VERSION.replace('f', "e");
        for (body, reason) in [
            ("", "ends too early"),
            ("[]", "wrong type"),
            ("{}", "no result"),
            (r#"{"value":7}"#, "wrong type"),
            (r#"{"value":"+/8"}"#, "not valid base64url"),
            (&format!(r#"{{"kid":"https://v/keys/k/{other}","value":"AA"}}"#), "another version"),
        ] {
            match read(body).unwrap_err() {
                Unusable::Shape(error) => assert!(error.contains(reason), "{body}: {error}"),
                Unusable::Length(error) => panic!("{body}: {error}"),
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn a_result_has_the_expected_length(len in 0_usize..80, min in 0_usize..40, more in 0_usize..40) {
            let expected = min..=min + more;
            let text = BASE64URL.encode(vec![0xff; len]);
            for padding in ["", "=", "=="] {
                let body = format!(r#"{{"value":"{text}{padding}"}}"#);
                let requested = Parameters::new("RS256", b"digest", expected.clone());
                match OperationResult::read(body.as_bytes(), VERSION, &requested) {
                    Ok(answer) => {
                        proptest::prop_assert!(expected.contains(&len));
                        proptest::prop_assert_eq!(answer.value.len(), len);
                    }
                    Err(Unusable::Length(_)) => proptest::prop_assert!(!expected.contains(&len)),
                    Err(Unusable::Shape(why)) => proptest::prop_assert!(!padding.is_empty(), "{}", why),
                }
            }
        }
    }
}
