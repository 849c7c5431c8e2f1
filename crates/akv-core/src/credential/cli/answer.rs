//! Finds the token in the output of `az` and `azd`.
//!
//! Installed tools are of various ages and wrapped in scripts. Around the JSON there may be
//! warnings of Python and of extensions, notices of new versions, colour codes and a byte order
//! mark. The tools also state the expiry of a token in several formats. `az` before 2.54 prints
//! only local time, which is ambiguous in one hour of the year, and of another zone if the tool
//! runs in a container.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use azure_core::time::{OffsetDateTime, parse_rfc3339, to_rfc3339};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::credential::access_token::expiry;

/// The lifetime of a token without an expiry: the tools return none that expires sooner.
const AT_LEAST: Duration = Duration::from_secs(300);

/// The members of either tool's JSON that are read.
#[derive(Deserialize)]
struct ToolToken {
    #[serde(alias = "accessToken")]
    token: Zeroizing<String>,
    /// `az` from 2.54 on: seconds since 1970.
    #[serde(default)]
    expires_on: Value,
    /// `azd`: RFC 3339. `az`: local time without an offset.
    #[serde(default, rename = "expiresOn")]
    date: Value,
}

impl ToolToken {
    fn expires(&self) -> SystemTime {
        let seconds = match &self.expires_on {
            Value::String(text) => text.parse().ok(),
            other => other.as_u64(),
        };
        let absolute = seconds.and_then(|s| UNIX_EPOCH.checked_add(Duration::from_secs(s)));
        let dated = || Some(SystemTime::from(parse_rfc3339(self.date.as_str()?).ok()?));
        absolute
            .or_else(dated)
            .or_else(|| expiry(&self.token))
            .unwrap_or_else(|| SystemTime::now() + AT_LEAST)
    }
}

/// A message that `azd` prints as JSON instead of plain text.
#[derive(Deserialize)]
struct Report {
    data: Message,
}

#[derive(Deserialize)]
struct Message {
    message: String,
}

/// The token in `output`, in the form that the official client reads from both tools; `None` if
/// there is none.
pub(super) fn token(output: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let plain = plain(output);
    let answer = objects::<ToolToken>(&plain).find(|answer| !answer.token.is_empty())?;
    let expires = OffsetDateTime::from(answer.expires());
    let head = json!({
        "tokenType": "Bearer",
        "expires_on": expires.unix_timestamp(),
        "expiresOn": to_rfc3339(&expires),
    });
    let token = Zeroizing::new(serde_json::to_string(&*answer.token).ok()?);
    let head = head.to_string();
    let mut text = Zeroizing::new(Vec::with_capacity(head.len() + 2 * token.len() + 32));
    text.extend_from_slice(head.trim_end_matches('}').as_bytes());
    for part in [",\"accessToken\":", &token, ",\"token\":", &token, "}"] {
        text.extend_from_slice(part.as_bytes());
    }
    Some(text)
}

/// The tool's error message, without its other output.
pub(super) fn reason(output: &[u8]) -> String {
    let plain = plain(output);
    if let Some(report) = objects::<Report>(&plain).last() {
        return report.data.message;
    }
    let text = String::from_utf8_lossy(&plain);
    // The text before is warnings.
    text.find("ERROR: ").map_or(&*text, |at| &text[at..]).to_owned()
}

/// Removes the byte order mark and terminal control sequences (ECMA-48: `ESC [`, parameters, a
/// letter).
fn plain(output: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut plain = Zeroizing::new(Vec::with_capacity(output.len()));
    let mut rest = output.strip_prefix(b"\xef\xbb\xbf").unwrap_or(output);
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after.first()) {
            (0x1b, Some(b'[')) => {
                let end = after[1..].iter().position(|byte| (0x40..=0x7e).contains(byte));
                rest = end.map_or(&[], |end| &after[end + 2..]);
            }
            _ => plain.push(byte),
        }
    }
    plain
}

/// The JSON objects of this shape, anywhere in the text.
fn objects<T: DeserializeOwned>(text: &[u8]) -> impl Iterator<Item = T> {
    let starts = text.iter().enumerate().filter(|(_, byte)| **byte == b'{').map(|(at, _)| at);
    starts
        .filter_map(|at| serde_json::Deserializer::from_slice(&text[at..]).into_iter().next()?.ok())
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::*;

    fn read(output: impl AsRef<[u8]>) -> Option<(String, i64)> {
        let text = token(output.as_ref())?;
        let value: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(value["token"], value["accessToken"]);
        let seconds = value["expires_on"].as_i64().unwrap();
        let date = parse_rfc3339(value["expiresOn"].as_str().unwrap()).unwrap();
        assert_eq!(date.unix_timestamp(), seconds);
        Some((value["token"].as_str().unwrap().to_owned(), seconds))
    }

    fn in_five_minutes(seconds: i64) -> bool {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        (now + 290..=now + 300).contains(&seconds)
    }

    #[test]
    fn every_expiry_format_is_parsed() {
        for (member, expected) in [
            (r#""expires_on":4000000000"#, 4_000_000_000),
            (r#""expires_on":"4000000000""#, 4_000_000_000),
            (r#""expiresOn":"2033-05-18T03:33:20Z""#, 2_000_000_000),
            (r#""expiresOn":"2033-05-18T05:33:20.25+02:00""#, 2_000_000_000),
            (r#""expires_on":4000000000,"expiresOn":"2030-01-02 03:04:05.0""#, 4_000_000_000),
        ] {
            let output = format!(r#"{{"accessToken":"t",{member}}}"#);
            assert_eq!(read(&output), Some(("t".to_owned(), expected)), "{output}");
        }
    }

    #[test]
    fn local_expiry_times_are_ignored() {
        let claims = URL_SAFE_NO_PAD.encode(r#"{"exp":2000000000}"#);
        let jwt = format!("e30.{claims}.c2ln");
        let output = |token: &str| {
            format!(r#"{{"accessToken":"{token}","expiresOn":"2099-10-31 02:30:00.000000"}}"#)
        };
        assert_eq!(read(output(&jwt)), Some((jwt, 2_000_000_000)));
        let (token, seconds) = read(output("opaque")).unwrap();
        assert!(token == "opaque" && in_five_minutes(seconds), "{seconds}");
    }

    #[test]
    fn output_around_the_json_is_skipped() {
        let json = "{\n  \"accessToken\": \"t\",\n  \"expires_on\": 4000000000\n}";
        for (before, after) in [
            ("\u{feff}", ""),
            ("WARNING: This command is from the extension {'x': 1} and may change\n", "\n\n"),
            ("/usr/lib/python3/x.py:1: UserWarning: \"{\" is old\n  import pkg\n", "goodbye {\n"),
            ("\u{1b}[33mA new version is available.\u{1b}[0m\n\u{1b}[1;32m", "\u{1b}[0m"),
            (r#"{"type":"consoleMessage","data":{"message":"\nWARNING: old\n"}}"#, "{}"),
            (r#"{"token":""}[{"token":7}]{"accessToken":{"x":1}}"#, ""),
        ] {
            let output = format!("{before}{json}{after}");
            assert_eq!(read(&output), Some(("t".to_owned(), 4_000_000_000)), "{output}");
        }
        let coloured = "{\u{1b}[34;1m\"token\"\u{1b}[39;49m:\u{1b}[33m\"t\"\u{1b}[39m}";
        assert_eq!(read(coloured).unwrap().0, "t");
        assert_eq!(read(b"\xff\xfe{\"token\":\"t\"}").unwrap().0, "t");
    }

    #[test]
    fn output_without_a_token_yields_none() {
        for output in ["", "{", "{}", "t0ken", r#"{"token":null}"#, "\u{1b}[", "\u{1b}[33"] {
            assert_eq!(read(output), None, "{output}");
        }
    }

    #[test]
    fn the_reason_of_a_failure_is_found_among_warnings() {
        for (output, expected) in [
            (
                "Please run 'az login' to setup account.\n",
                "Please run 'az login' to setup account.\n",
            ),
            (
                "x.py: UserWarning: old\n\u{1b}[31mERROR: No subscription\u{1b}[0m",
                "ERROR: No subscription",
            ),
            ("note\n{\"type\":\"consoleMessage\",\"data\":{\"message\":\"log in\"}}\n", "log in"),
        ] {
            assert_eq!(reason(output.as_bytes()), expected);
        }
    }

    proptest! {
        #[test]
        fn arbitrary_output_never_panics(output in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = (token(&output), reason(&output));
        }

        #[test]
        fn a_token_is_found_in_any_text(
            before in "[^{\u{1b}]{0,40}", after in "\\PC{0,40}", secret in "[!-~]{1,40}",
        ) {
            let json = json!({ "token": secret, "expires_on": 4_000_000_000_u64 });
            let output = format!("{before}{json}{after}");
            prop_assert_eq!(read(&output), Some((secret, 4_000_000_000)));
        }
    }
}
