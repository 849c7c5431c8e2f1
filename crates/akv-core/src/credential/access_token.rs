//! A token that somebody else obtained and gives to us.

use super::missing;
use crate::{Error, ErrorKind, Result, Settings, settings::CredentialKind, token::Token};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use std::{
    fmt, fs,
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use zeroize::Zeroizing;

/// For how long a token is used before the source is looked at again, when the token does not say
/// when it expires.
const UNKNOWN_LIFE: Duration = Duration::from_secs(600);

/// A token from the environment, or from a file that is read again for every renewal.
pub(super) enum Source {
    Value(Zeroizing<String>),
    File(PathBuf),
}

/// The credential `access-token`.
pub(crate) struct GivenToken(Source);

impl GivenToken {
    pub(super) fn new(settings: &Settings) -> Result<Self> {
        let values = settings.values();
        match (&values.access_token_file, &values.access_token) {
            (Some(path), _) => Ok(Self(Source::File(path.clone()))),
            (None, Some(token)) => Ok(Self(Source::Value(token.clone()))),
            (None, None) => Err(missing(
                CredentialKind::AccessToken,
                "access-token-file (AKV_ACCESS_TOKEN_FILE) or AZURE_CLI_ACCESS_TOKEN",
            )),
        }
    }

    pub(super) fn token(&self) -> Result<Token> {
        let secret = match &self.0 {
            Source::Value(token) => token.clone(),
            Source::File(path) => {
                let text = fs::read_to_string(path).map(Zeroizing::new).map_err(|error| {
                    Error::new(
                        ErrorKind::Credential,
                        format!("the access token file {path:?} cannot be read: {error}"),
                    )
                })?;
                Zeroizing::new(text.trim().to_owned())
            }
        };
        if secret.is_empty() || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::new(
                ErrorKind::Credential,
                "the given access token is empty or has characters that no token has",
            ));
        }
        // A clock that is wrong must not keep a good token from being tried.
        let soonest = SystemTime::now() + Duration::from_secs(30);
        let expires = match expiry(&secret) {
            Some(expires) => expires.max(soonest),
            None => SystemTime::now() + UNKNOWN_LIFE,
        };
        Ok(Token::new(secret, expires))
    }
}

impl fmt::Debug for GivenToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Value(_) => f.write_str("GivenToken(from the environment)"),
            Source::File(path) => write!(f, "GivenToken({path:?})"),
        }
    }
}

/// The time in a JSON Web Token's `exp` (RFC 7519 section 4.1.4). Its signature is the service's
/// business.
fn expiry(token: &str) -> Option<SystemTime> {
    #[derive(Deserialize)]
    struct Claims {
        exp: u64,
    }
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).map(Zeroizing::new).ok()?;
    let claims: Claims = serde_json::from_slice(&claims).ok()?;
    UNIX_EPOCH.checked_add(Duration::from_secs(claims.exp))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_expiry_of_a_jwt_only() {
        let claims = URL_SAFE_NO_PAD.encode(br#"{"aud":"x","exp":2000000000}"#);
        let expected = UNIX_EPOCH + Duration::from_secs(2_000_000_000);
        assert_eq!(expiry(&format!("e30.{claims}.sig")), Some(expected));
        assert_eq!(expiry("opaque"), None);
        assert_eq!(expiry("a.b.c"), None);
    }

    #[test]
    fn a_file_is_read_again() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let credential = GivenToken(Source::File(file.path().to_owned()));
        for token in ["first", "second"] {
            fs::write(file.path(), format!("{token}\n")).unwrap();
            assert_eq!(credential.token().unwrap().secret(), token);
        }
        fs::write(file.path(), "two words").unwrap();
        assert!(credential.token().is_err());
    }
}
