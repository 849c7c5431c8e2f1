//! Errors of the authority, with advice.
//!
//! Codes: <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>.

use std::{borrow::Cow, fmt, time::Duration};

use azure_core::error::ErrorKind as SdkErrorKind;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::{
    Error, ErrorKind,
    error::{one_line, shortened},
    outside,
    transport::Failure,
};

/// One of our errors, passed through the official credential.
#[derive(Clone, Debug)]
pub(super) struct TokenError {
    error: Error,
    /// Whether a retry may help, and when.
    again: Option<Option<Duration>>,
}

impl TokenError {
    /// A retry does not help.
    pub(super) fn last(error: Error) -> Self {
        Self { error, again: None }
    }

    /// A retry may help, not before the given time if the authority named one.
    pub(super) fn passing(error: Error, after: Option<Duration>) -> Self {
        Self { error, again: Some(after) }
    }

    pub(super) fn into_error(self) -> azure_core::Error {
        azure_core::Error::new(SdkErrorKind::Credential, self)
    }

    pub(super) fn failure(&self) -> Failure {
        match self.again {
            None => Failure::Final(self.error.clone()),
            Some(after) => Failure::Transient(self.error.clone(), after),
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for TokenError {}

/// The authority's error body (RFC 6749 section 5.2, with members of its own).
#[derive(Default, Deserialize)]
pub(super) struct ErrorBody<'a> {
    #[serde(default, borrow)]
    error: Cow<'a, str>,
    #[serde(default, borrow)]
    error_description: Cow<'a, str>,
    #[serde(default)]
    error_codes: Vec<u64>,
    trace_id: Option<String>,
}

/// The error for a response of `host` without a token. `withheld` are parts of the request that
/// must not be shown if the response repeats them.
pub(super) fn refusal(
    host: &str,
    status: u16,
    body: &[u8],
    withheld: &[Zeroizing<String>],
) -> Error {
    let answer: ErrorBody<'_> = outside::json(body).unwrap_or_default();
    let description = answer.error_description.as_ref();
    // The ids after the first line are shown separately.
    let line = description.split(['\r', '\n']).next().unwrap_or_default();
    let line = line.split(" Trace ID: ").next().unwrap_or_default();
    let mut number = answer.error_codes.first().copied();
    let mut text = line;
    if let Some((prefix, rest)) = line.strip_prefix("AADSTS").and_then(|line| line.split_once(':'))
    {
        number = prefix.parse().ok().or(number);
        text = rest.trim();
    }
    if text.is_empty() {
        text = if answer.error.is_empty() { "no reason given" } else { &answer.error };
    }
    let repeats = |text: &str| withheld.iter().any(|part| text.contains(part.as_str()));
    let shown = match repeats(description) || repeats(text) {
        true => "the reason repeats the request and is withheld".to_owned(),
        false => one_line(shortened(text, 400)),
    };
    let code = number.map(|number| format!("AADSTS{number}"));
    let request_id = answer.trace_id.filter(|id| id.len() <= 64 && !repeats(id));
    let request_id = request_id.map(|id| one_line(&id));
    let error = Error::new(ErrorKind::Credential, format!("{shown} ({host})"))
        .answer(status, code, request_id);
    match number.and_then(hint) {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

fn hint(number: u64) -> Option<&'static str> {
    Some(match number {
        7_000_215 => {
            "set client-secret-file or AZURE_CLIENT_SECRET to the secret's value, not its id"
        }
        7_000_222 => "the secret has expired: create a new one for the application",
        700_016 | 700_021 => "check client-id and tenant-id",
        90_002 | 900_021 | 900_023 => "check tenant-id (AZURE_TENANT_ID) and cloud",
        700_027 => {
            "register this certificate with the application; if the application trusts an issuer, \
             set AZURE_CLIENT_SEND_CERTIFICATE_CHAIN=true"
        }
        700_023 => "check AZURE_AUTHORITY_HOST and cloud",
        700_024 => "check this machine's clock, and that a federated token is renewed in time",
        70_021 | 700_211..=700_213 | 7_002_131..=7_002_138 => {
            "compare issuer, subject and audience of the application's federated credential with \
             the token's"
        }
        500_011 | 1_002_012 => "check cloud and dns-suffix: this tenant has no such service",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded() -> String {
        serde_json::json!({
            "error": "invalid_client",
            "error_description": "AADSTS7000215: Invalid client secret is provided.\r\n\
                Trace ID: b266fc08-8ca0-436d-892d-fc938509d300\r\nCorrelation ID: 23c34cfd\r\n\
                Timestamp: 2022-01-24 22:41:13Z",
            "error_codes": [7_000_215],
            "trace_id": "b266fc08-8ca0-436d-892d-fc938509d300",
        })
        .to_string()
    }

    #[test]
    fn a_refusal_has_code_request_id_and_advice() {
        let error = refusal("login.example", 401, recorded().as_bytes(), &[]);
        assert_eq!((error.status(), error.code()), (Some(401), Some("AADSTS7000215")));
        assert_eq!(
            error.prefixed_by("client-secret").to_string(),
            "HTTP 401 AADSTS7000215: client-secret: Invalid client secret is provided. \
             (login.example) (request id b266fc08-8ca0-436d-892d-fc938509d300); set \
             client-secret-file or AZURE_CLIENT_SECRET to the secret's value, not its id"
        );
    }

    #[test]
    fn secrets_of_the_request_are_never_repeated() {
        let error = refusal(
            "login.example",
            401,
            recorded().as_bytes(),
            &[Zeroizing::new("client secret".into())],
        );
        assert!(error.to_string().contains("withheld"), "{error}");
        assert!(!error.to_string().contains("client secret is"), "{error}");
    }

    #[test]
    fn every_body_gives_an_error() {
        for (body, expected) in [
            (&b""[..], "no reason given"),
            (b"<html>", "no reason given"),
            (br#"{"error":"invalid_grant"}"#, "invalid_grant"),
            (br#"{"error_description":"AADSTSx: odd"}"#, "odd"),
            (br#"{"error_description":"One line. Trace ID: 7 Correlation ID: 8"}"#, "One line. ("),
        ] {
            let error = refusal("h", 400, body, &[]);
            assert!(error.message().starts_with(expected), "{error}");
        }
    }
}
