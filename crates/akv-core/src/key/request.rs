//! What is sent for a cryptographic operation, and what comes back.
//!
//! Requests and answers may hold a plaintext or a key, so they are written and read here instead
//! of by the official client's models: their buffers are wiped.

use super::bundle::name_and_version;
use crate::{Error, ErrorKind, Result};
use azure_core::http::Response;
use azure_security_keyvault_keys::{
    KeyClient,
    models::{
        KeyClientEncryptOptions, KeyClientSignOptions, KeyClientWrapKeyOptions, KeyOperationResult,
    },
};
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The service writes no padding; nothing is gained by refusing it.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// By how many bytes a result may be longer than its input: RSA turns one byte into a block.
const GROWTH: usize = 16 * 1024;

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
    /// Sends one request.
    pub(super) async fn send(
        self,
        keys: &KeyClient,
        name: &str,
        version: &str,
        body: Bytes,
    ) -> azure_core::Result<Response<KeyOperationResult>> {
        let key_version = Some(version.to_owned());
        match self {
            Self::Sign => {
                let options = KeyClientSignOptions { key_version, ..Default::default() };
                keys.sign(name, body.into(), Some(options)).await
            }
            Self::Encrypt => {
                let options = KeyClientEncryptOptions { key_version, ..Default::default() };
                keys.encrypt(name, body.into(), Some(options)).await
            }
            Self::Decrypt => keys.decrypt(name, version, body.into(), None).await,
            Self::WrapKey => {
                let options = KeyClientWrapKeyOptions { key_version, ..Default::default() };
                keys.wrap_key(name, body.into(), Some(options)).await
            }
            Self::UnwrapKey => keys.unwrap_key(name, version, body.into(), None).await,
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
        let mut body = Zeroizing::new(Vec::with_capacity(self.value.len() + room + 256));
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

#[derive(Deserialize)]
struct Wire {
    kid: Option<String>,
    value: Option<Zeroizing<String>>,
    iv: Option<String>,
    tag: Option<String>,
}

impl Answer {
    /// Reads an answer that must be about `version`, and of sensible length.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn read(
        answer: &Response<KeyOperationResult>,
        version: &str,
        asked: &Parameters,
    ) -> Result<Self, String> {
        let wire: Wire =
            serde_json::from_slice(answer.body().as_ref()).map_err(|error| error.to_string())?;
        let about = wire.kid.as_deref().and_then(name_and_version);
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
        Ok(Self {
            value: Zeroizing::new(decode(&value)?),
            iv: wire.iv.as_deref().map(decode).transpose()?,
            tag: wire.tag.as_deref().map(decode).transpose()?,
        })
    }
}

/// Reads the answer to an operation, for fuzzing.
#[cfg(any(test, fuzzing))]
pub(crate) fn read_result(body: &[u8]) {
    use azure_core::http::{RawResponse, StatusCode, headers::Headers};
    let raw = RawResponse::from_bytes(StatusCode::Ok, Headers::new(), body.to_vec());
    let version = "0123456789abcdef0123456789abcdef";
    let _ = Answer::read(&raw.into(), version, &Parameters::new("RS256", b"digest"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use azure_core::http::{RawResponse, StatusCode, headers::Headers};

    const VERSION: &str = "0123456789abcdef0123456789abcdef";

    fn read(body: &str) -> Result<Answer, String> {
        let raw = RawResponse::from_bytes(StatusCode::Ok, Headers::new(), body.to_owned());
        Answer::read(&raw.into(), VERSION, &Parameters::new("RS256", b"digest"))
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
