//! Responses of the endpoints.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use crate::{Result, credential::Token};

/// How long a token is used if the response does not say when it expires.
const UNKNOWN_LIFE: Duration = Duration::from_secs(60);

/// The token response. Virtual machines send numbers as strings, other endpoints as numbers.
#[derive(Deserialize)]
pub(super) struct TokenResponse {
    access_token: Zeroizing<String>,
    #[serde(default, deserialize_with = "number")]
    expires_in: Option<u64>,
    #[serde(default, deserialize_with = "number")]
    expires_on: Option<u64>,
}

impl TokenResponse {
    pub(super) fn into_token(self) -> Result<Token> {
        let relative =
            self.expires_in.map(|seconds| SystemTime::now() + Duration::from_secs(seconds));
        let absolute = self.expires_on.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds));
        // The relative time does not depend on a correct clock.
        let expires = relative.or(absolute).unwrap_or_else(|| SystemTime::now() + UNKNOWN_LIFE);
        Token::new(&self.access_token, expires)
    }
}

/// An error body.
#[derive(Default, Deserialize)]
pub(super) struct ErrorBody {
    pub(super) error: Option<String>,
    pub(super) error_description: Option<String>,
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u64),
        Text(String),
    }
    Ok(match Option::<Either>::deserialize(deserializer)? {
        Some(Either::Number(number)) => Some(number),
        // Old endpoints send a date instead of a number; the other field says the same.
        Some(Either::Text(text)) => text.parse().ok(),
        None => None,
    }
    .filter(|seconds| *seconds < u64::from(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_in_both_forms() {
        for text in [
            r#"{"access_token":"t","expires_in":"3600","expires_on":"4000000000"}"#,
            r#"{"access_token":"t","expires_in":3600}"#,
        ] {
            let token = serde_json::from_str::<TokenResponse>(text).unwrap().into_token().unwrap();
            let life = token.expires().duration_since(SystemTime::now()).unwrap();
            assert!((3590..=3600).contains(&life.as_secs()), "{life:?}");
        }
        let token: TokenResponse =
            serde_json::from_str(r#"{"access_token":"t","expires_on":"4000000000"}"#).unwrap();
        let expires = token.into_token().unwrap().expires();
        assert_eq!(expires, UNIX_EPOCH + Duration::from_secs(4_000_000_000));
    }

    #[test]
    fn invalid_tokens_are_refused() {
        for text in [r#"{"access_token":""}"#, r#"{"access_token":"a\r\nb"}"#] {
            let answer: TokenResponse = serde_json::from_str(text).unwrap();
            assert!(answer.into_token().is_err(), "{text}");
        }
    }
}
