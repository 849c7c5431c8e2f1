//! Classifies failures of the official client, for the user and for the retry loop.

use std::{
    error::Error as StdError,
    io,
    time::{Duration, SystemTime},
};

use azure_core::{
    error::ErrorKind as SdkErrorKind,
    http::{RawResponse, headers::Headers},
};
use serde::Deserialize;

use super::{resolve::UnknownHost, retry::Failure};
use crate::{
    Error, ErrorKind, KeyReference, VaultKind,
    error::{one_line, shortened},
    outside::{self, causes},
};

/// Classifies a failed request about `reference`.
pub(crate) fn failure(error: azure_core::Error, reference: &KeyReference, host: &str) -> Failure {
    let kind = error.kind().clone();
    match kind {
        SdkErrorKind::HttpResponse { status, raw_response, .. } => {
            answered(u16::from(status), raw_response.as_deref(), reference)
        }
        SdkErrorKind::Credential => match error.into_downcast::<Error>() {
            Ok(ours) => Failure::Final(ours),
            Err(other) => Failure::Final(Error::new(ErrorKind::Credential, causes(&other))),
        },
        SdkErrorKind::DataConversion => invalid_response(host, &causes(&error)),
        SdkErrorKind::Connection => unreachable_server(&error, true, host),
        SdkErrorKind::Io => unreachable_server(&error, false, host),
        _ => Failure::Final(Error::new(ErrorKind::Internal, causes(&error))),
    }
}

/// An invalid response. Another attempt may succeed.
pub(crate) fn invalid_response(host: &str, why: &str) -> Failure {
    let text = format!("invalid response from {host}: {why}");
    Failure::Transient(Error::new(ErrorKind::Response, text), None)
}

/// Whether the service certainly did not execute the request: no connection was made, or it
/// rejected the request without reading it.
pub(crate) fn not_executed(error: &azure_core::Error) -> bool {
    match error.kind() {
        SdkErrorKind::Connection | SdkErrorKind::Credential => true,
        SdkErrorKind::HttpResponse { status, .. } => {
            matches!(u16::from(*status), 300..=407 | 409..=499)
        }
        _ => false,
    }
}

/// The content of the service's error response.
#[derive(Default)]
pub(crate) struct ErrorDetails {
    /// The innermost code.
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) request_id: Option<String>,
}

/// Parses the error in a response, if there is one.
pub(crate) fn error_details(response: &RawResponse) -> ErrorDetails {
    let body: Body = outside::json(response.body().as_ref()).unwrap_or_default();
    let (code, message) = body.error.unwrap_or_default().innermost();
    let message = message.map(|text| shortened(&text, 2000).to_owned());
    let request_id = response.headers().get_optional_string(&"x-ms-request-id".into());
    ErrorDetails { code: code.map(|code| one_line(&code)), message, request_id }
}

fn answered(status: u16, response: Option<&RawResponse>, reference: &KeyReference) -> Failure {
    let ErrorDetails { code, message, request_id } =
        response.map(error_details).unwrap_or_default();
    let headers = response.map(RawResponse::headers);
    let message = message.unwrap_or_else(|| status_text(status).to_owned());
    let mut error = Error::new(ErrorKind::Service, one_line(&message));
    if let Some(hint) = hint(status, code.as_deref(), reference) {
        error = error.hint(hint);
    }
    let error = error.answer(status, code, request_id);
    match status {
        408 | 429 | 500..=599 => Failure::Transient(error, headers.and_then(retry_after)),
        _ => Failure::Final(error),
    }
}

fn status_text(status: u16) -> &'static str {
    match status {
        300..=399 => "redirects are not followed",
        403 => "forbidden",
        404 => "not found",
        429 => "too many requests",
        _ => "no reason given",
    }
}

fn hint(status: u16, code: Option<&str>, reference: &KeyReference) -> Option<String> {
    let role = match reference.kind() {
        VaultKind::Vault => "Key Vault Crypto User",
        VaultKind::ManagedHsm => "Managed HSM Crypto User",
    };
    Some(match (status, code.unwrap_or_default()) {
        (403, "ForbiddenByPolicy") => {
            "grant the identity the key permissions get and sign in the vault's access policy"
                .into()
        }
        (403, "KeyDisabled" | "KeyNotYetValid" | "KeyExpired" | "KeyOperationForbidden") => {
            "check the key's attributes and permitted operations".into()
        }
        (403, "ForbiddenByFirewall" | "ForbiddenByConnection") => {
            "allow this machine in the vault's network settings".into()
        }
        (403, _) => format!("assign the role {role} to the identity"),
        (404, _) => "check the names and the version in the key reference".into(),
        _ => return None,
    })
}

/// There was no response: the connection could not be made, broke, or is not trusted.
pub(crate) fn unreachable_server(
    error: &azure_core::Error,
    connecting: bool,
    host: &str,
) -> Failure {
    if let Some(error) = find_cause::<rustls::Error>(error).and_then(|tls| not_trusted(tls, host)) {
        return Failure::Final(error);
    }
    let text = format!("no response from {host}: {}", causes(error));
    let failure = with_source(Error::new(ErrorKind::Network, text), error);
    if find_cause::<UnknownHost>(error).is_some() {
        return Failure::Final(failure.hint("check the vault's name and the network"));
    }
    if connecting { Failure::Transient(failure, None) } else { Failure::StaleConnection(failure) }
}

/// A failed handshake that another attempt cannot mend.
fn not_trusted(error: &rustls::Error, host: &str) -> Option<Error> {
    let failure = match error {
        rustls::Error::InvalidCertificate(reason) => {
            let reason = one_line(&reason.to_string());
            let text = format!("the certificate of {host} is not trusted: {reason}");
            Error::new(ErrorKind::Tls, text)
                .hint("if you trust the server, set ca-file (AKV_CA_FILE) to its root certificate")
        }
        rustls::Error::PeerIncompatible(_) => {
            let text =
                format!("the TLS handshake with {host} failed: {}", one_line(&error.to_string()));
            Error::new(ErrorKind::Tls, text)
        }
        _ => return None,
    };
    Some(failure.caused_by(error.clone()))
}

/// Adds the error of TLS or of the operating system that is beneath `error`. The layers above may
/// contain parts of requests.
fn with_source(failure: Error, error: &(dyn StdError + 'static)) -> Error {
    if let Some(tls) = find_cause::<rustls::Error>(error) {
        return failure.caused_by(tls.clone());
    }
    let mut deepest = find_cause::<io::Error>(error);
    while let Some(deeper) =
        deepest.and_then(io::Error::get_ref).and_then(|inner| find_cause(inner))
    {
        deepest = Some(deeper);
    }
    match deepest.map(|error| (error.raw_os_error(), error.kind())) {
        Some((Some(code), _)) => failure.caused_by(io::Error::from_raw_os_error(code)),
        Some((None, kind)) if kind != io::ErrorKind::Other => {
            failure.caused_by(io::Error::from(kind))
        }
        _ => failure,
    }
}

/// Finds a cause of type `T`, also inside I/O errors, which do not return their content as source.
pub(crate) fn find_cause<'a, T: StdError + 'static>(
    error: &'a (dyn StdError + 'static),
) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(inner) = inner
            && let Some(found) = find_cause::<T>(inner)
        {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// Maximum pause that is accepted; it is longer than every deadline.
const LONGEST: Duration = Duration::from_secs(86_400);

/// `retry-after-ms`, or `Retry-After` in seconds or as a date (RFC 9110 section 10.2.3).
pub(crate) fn retry_after(headers: &Headers) -> Option<Duration> {
    let header = |name: &'static str| headers.get_optional_str(&name.into());
    for name in ["x-ms-retry-after-ms", "retry-after-ms"] {
        if let Some(value) = header(name) {
            return value.trim().parse().ok().map(|ms| Duration::from_millis(ms).min(LONGEST));
        }
    }
    let value = header("retry-after")?.trim();
    match value.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds).min(LONGEST)),
        Err(_) => {
            let date = httpdate::parse_http_date(value).ok()?;
            Some(date.duration_since(SystemTime::now()).unwrap_or_default().min(LONGEST))
        }
    }
}

/// The service's error body.
#[derive(Default, Deserialize)]
struct Body {
    error: Option<Detail>,
}

#[derive(Default, Deserialize)]
struct Detail {
    code: Option<String>,
    message: Option<String>,
    #[serde(rename = "innererror")]
    inner: Option<Box<Self>>,
}

impl Detail {
    /// The innermost code is the most specific; the message is the outermost one.
    fn innermost(self) -> (Option<String>, Option<String>) {
        let mut code = self.code;
        let mut inner = self.inner;
        while let Some(detail) = inner {
            code = detail.code.or(code);
            inner = detail.inner;
        }
        (code, self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_hosts_are_recognized_by_error_type() {
        let failed = |error: io::Error| {
            let error = azure_core::Error::new(SdkErrorKind::Connection, error);
            unreachable_server(&error, true, "v.vault.azure.net")
        };
        let unknown = failed(UnknownHost("v.vault.azure.net".to_owned()).into());
        assert!(matches!(&unknown, Failure::Final(error) if error.kind() == ErrorKind::Network));
        assert!(unknown.error().to_string().contains("check the vault's name"), "{unknown:?}");
        // The C library's texts are in the language of the host.
        let busy = failed(io::Error::other("Name or service not known, perhaps"));
        assert!(matches!(busy, Failure::Transient(..)), "{busy:?}");
    }
    use std::collections::HashMap;

    use azure_core::http::headers::{HeaderName, HeaderValue};

    fn headers(name: &'static str, value: &str) -> Headers {
        Headers::from(HashMap::from([(
            HeaderName::from_static(name),
            HeaderValue::from(value.to_owned()),
        )]))
    }

    #[test]
    fn every_form_of_retry_after_is_parsed() {
        let ms = retry_after(&headers("retry-after-ms", "250"));
        assert_eq!(ms, Some(Duration::from_millis(250)));
        assert_eq!(retry_after(&headers("retry-after", "7")), Some(Duration::from_secs(7)));
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(60));
        let wait = retry_after(&headers("retry-after", &date)).unwrap();
        assert!((58..=60).contains(&wait.as_secs()), "{wait:?}");
        assert_eq!(retry_after(&headers("retry-after", "soon")), None);
        let endless = u64::MAX.to_string();
        assert_eq!(retry_after(&headers("retry-after", &endless)), Some(LONGEST));
        assert_eq!(retry_after(&headers("retry-after-ms", &endless)), Some(LONGEST));
    }

    #[test]
    fn the_innermost_code_is_shown() {
        let body: Body = serde_json::from_str(
            r#"{"error":{"code":"Forbidden","message":"no","innererror":{"code":"ForbiddenByRbac"}}}"#,
        )
        .unwrap();
        let (code, message) = body.error.unwrap().innermost();
        assert_eq!(code.as_deref(), Some("ForbiddenByRbac"));
        assert_eq!(message.as_deref(), Some("no"));
    }
}
