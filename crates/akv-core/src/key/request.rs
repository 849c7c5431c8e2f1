//! What is sent for a cryptographic operation, and what comes back.
//!
//! Requests and answers may hold a plaintext or a key, so they are written and read here instead
//! of by the official client's models: their buffers are wiped.

use super::bundle::name_and_version;
use crate::{Error, ErrorKind, Result};
use azure_security_keyvault_keys::KeyClientOptions;
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;
use hyper::Uri;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use url::Url;
use zeroize::{Zeroize as _, Zeroizing};

/// The service writes no padding; nothing is gained by refusing it.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// By how many bytes a result may be longer than its input: RSA turns one byte into a block.
const GROWTH: usize = 16 * 1024;

/// Room for the names of the members of a request and for the algorithm's.
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

/// Where the operations of one version of a key are, made once.
pub(super) struct Targets([Uri; 5]);

impl Targets {
    /// The operations on a key of the vault at `vault`.
    ///
    /// # Errors
    /// None with names that were checked.
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
    pub(super) fn new(algorithm: &'static str, value: &[u8]) -> Self {
        let value = Zeroizing::new(BASE64URL.encode(value));
        Self { alg: algorithm, value, iv: None, aad: None, tag: None }
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

    /// Additional authenticated data; none is left out.
    pub(super) fn aad(self, aad: &[u8]) -> Self {
        Self { aad: (!aad.is_empty()).then(|| BASE64URL.encode(aad)), ..self }
    }

    /// The JSON, which is wiped when the last request is done with it.
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

/// The members of an answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) value: Zeroizing<Vec<u8>>,
    pub(super) iv: Option<Vec<u8>>,
    pub(super) tag: Option<Vec<u8>>,
}

/// Texts stay where the body has them, which is wiped.
#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    kid: Option<Cow<'a, str>>,
    #[serde(borrow)]
    value: Option<Cow<'a, str>>,
    iv: Option<String>,
    tag: Option<String>,
}

impl Answer {
    /// Reads an answer that must be about `version`, and of sensible length.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn read(body: &[u8], version: &str, asked: &Parameters) -> Result<Self, String> {
        let wire: Wire = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let kid = wire.kid.as_deref().filter(|kid| !kid.ends_with(version));
        let about = kid.and_then(name_and_version);
        if let Some((_, Some(other))) = about
            && other != version
        {
            return Err("it is about another version of the key".to_owned());
        }
        let value = wire.value.ok_or("no result in it")?;
        if value.len() > asked.value.len() + GROWTH {
            return Err("the result is too large".to_owned());
        }
        let decode = |text: &str| {
            BASE64URL.decode(text).map_err(|error| format!("the result is no base64url: {error}"))
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

/// Reads the answer to an operation, for fuzzing.
#[cfg(any(test, fuzzing))]
pub(crate) fn read_result(body: &[u8]) {
    let version = "0123456789abcdef0123456789abcdef";
    let _ = Answer::read(body, version, &Parameters::new("RS256", b"digest"));
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION: &str = "0123456789abcdef0123456789abcdef";

    fn read(body: &str) -> Result<Answer, String> {
        Answer::read(body.as_bytes(), VERSION, &Parameters::new("RS256", b"digest"))
    }

    #[test]
    fn operations_are_where_the_service_has_them() {
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
        let parameters = Parameters::new("A256GCM", &[0xfb, 0xff]).iv(&[1]).aad(&[]).tag(&[2]);
        let body = parameters.to_body().unwrap();
        assert_eq!(body, r#"{"alg":"A256GCM","value":"-_8","iv":"AQ","tag":"Ag"}"#.as_bytes());
    }

    #[test]
    fn answers_of_another_version_shape_or_size_are_refused() {
        let good = read(&format!(r#"{{"kid":"https://v/keys/k/{VERSION}","value":"-_8"}}"#));
        assert_eq!(*good.unwrap().value, [0xfb, 0xff]);
        assert_eq!(*read(r#"{"value":"-_8="}"#).unwrap().value, [0xfb, 0xff]);
        let other = VERSION.replace('f', "e");
        let huge = "A".repeat(20_000);
        for (body, reason) in [
            ("", "EOF"),
            ("[]", "invalid"),
            ("{}", "no result"),
            (r#"{"value":7}"#, "invalid type"),
            (r#"{"value":"+/"}"#, "no base64url"),
            (&format!(r#"{{"kid":"https://v/keys/k/{other}","value":"AA"}}"#), "another version"),
            (&format!(r#"{{"value":"{huge}"}}"#), "too large"),
        ] {
            let error = read(body).unwrap_err();
            assert!(error.contains(reason), "{body}: {error}");
        }
    }
}
