//! Parses untrusted input: responses, files, settings, output of programs.
//!
//! Unreadable input may be a token or a plaintext in an unexpected place. So errors name the place
//! and the kind of mistake, and quote nothing.

use std::{borrow::Cow, error::Error as StdError};

use rustls_pki_types::pem;
use serde::Deserialize;
use url::Url;

use crate::error::one_line;

/// Parses JSON.
///
/// # Errors
/// The place and the kind of the mistake.
pub(crate) fn json<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(text).map_err(|error| json_fault(&error))
}

/// The mistake in JSON. The error's own text quotes the unexpected value.
fn json_fault(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let kind = match error.classify() {
        Category::Io => return "the JSON cannot be read".to_owned(),
        Category::Syntax => "invalid JSON",
        Category::Data => "a wrong type, value or missing member in the JSON",
        Category::Eof => "the JSON ends too early",
    };
    format!("{kind} at line {} column {}", error.line(), error.column())
}

/// Parses a URL.
///
/// # Errors
/// The kind of mistake.
pub(crate) fn url(text: &str) -> Result<Url, String> {
    // These texts are fixed.
    Url::parse(text).map_err(|error| format!("invalid URL: {error}"))
}

/// The mistake in PEM. The error's own text quotes the line.
pub(crate) fn pem_fault(error: &pem::Error) -> String {
    match error {
        pem::Error::Io(error) => error.to_string(),
        pem::Error::MissingSectionEnd { .. } => "a PEM block has no end line".to_owned(),
        pem::Error::IllegalSectionStart { .. } => {
            "a PEM block has a malformed first line".to_owned()
        }
        pem::Error::Base64Decode(_) => "a PEM block contains invalid base64".to_owned(),
        _ => "it contains no valid PEM".to_owned(),
    }
}

/// The texts of an error and its causes, without repetitions and without anything that a parser
/// quotes.
pub(crate) fn causes(error: &(dyn StdError + 'static)) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(fault) = content_fault(error) {
            // The outer texts may contain its text.
            return fault;
        }
        let message = one_line(&error.to_string());
        if !message.is_empty() && !text.contains(&message) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&message);
        }
        next = error.source();
    }
    without_users(&text).into_owned()
}

/// The mistake that a parser found.
fn content_fault(error: &(dyn StdError + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref() {
        return Some(json_fault(error));
    }
    let text = error.is::<std::str::Utf8Error>() || error.is::<std::string::FromUtf8Error>();
    if text {
        return Some("invalid UTF-8".to_owned());
    }
    error.is::<base64::DecodeError>().then(|| "invalid base64".to_owned())
}

/// A text with URLs, without their `user:password@`.
pub(crate) fn without_users(text: &str) -> Cow<'_, str> {
    if !text.contains('@') {
        return text.into();
    }
    text.split_inclusive(char::is_whitespace).map(without_user).collect::<String>().into()
}

/// A password may contain any character except blanks, so everything up to the last `@` is removed.
fn without_user(word: &str) -> Cow<'_, str> {
    let Some(at) = word.rfind('@') else { return word.into() };
    let start = word.find("://").map_or(0, |scheme| scheme + 3).min(at);
    format!("{}…{}", &word[..start], &word[at..]).into()
}

/// The output of a program, without anything that may be a token: 40 and more of its characters
/// (RFC 6750 section 2.1, except for the slash of paths and URLs) in a row.
pub(crate) fn without_tokens(text: &str) -> String {
    const LEN: usize = 40;
    let of_token = |c: char| c.is_ascii_alphanumeric() || "-._~+=".contains(c);
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !of_token(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        shown.push_str(if word.len() < LEN { word } else { "…" });
        let next = after.find(of_token).unwrap_or(after.len());
        shown.push_str(&after[..next]);
        rest = &after[next..];
    }
    shown
}

/// Whether a URL has a user or a password.
pub(crate) fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// The host and port of a URL, without its user.
pub(crate) fn server(url: &Url) -> &str {
    let authority = url.authority();
    authority.rsplit_once('@').map_or(authority, |(_, server)| server)
}

/// A name in a response, if it looks like one.
pub(crate) fn name(text: &str) -> &str {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if text.len() <= 32 && text.bytes().all(plain) { text } else { "unknown" }
}

#[cfg(test)]
mod tests;
