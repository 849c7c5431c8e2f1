//! A token that was obtained elsewhere and is passed to us.

use std::{
    fmt, fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{missing, small_text};
use crate::{Error, ErrorKind, Result, Settings, credential::Token, settings::CredentialKind};

/// How long a token is used before its source is read again, if the token does not state when it
/// expires.
const UNKNOWN_LIFE: Duration = Duration::from_secs(600);

/// Maximum size of a token file in bytes; tokens have some two thousand.
const MAX_FILE: u64 = 64 * 1024;

/// A token from the environment, or from a file that is read again for each renewal.
pub(super) enum Source {
    Value(Zeroizing<String>),
    File(PathBuf, Mutex<Option<Stamp>>),
}

/// Identifies the content of a file: device, inode, size, and time of change.
type Stamp = (u64, u64, u64, i64, i64);

fn stamp(path: &Path) -> Option<Stamp> {
    let about = fs::metadata(path).ok()?;
    Some((about.dev(), about.ino(), about.size(), about.mtime(), about.mtime_nsec()))
}

/// The credential `access-token`.
pub(crate) struct GivenToken(Source);

impl GivenToken {
    pub(super) fn new(settings: &Settings) -> Result<Self> {
        let values = settings.values();
        match (&values.access_token_file, &values.access_token) {
            (Some(path), _) => Ok(Self(Source::File(path.clone(), Mutex::default()))),
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
            Source::File(path, last) => {
                *last.lock().unwrap_or_else(PoisonError::into_inner) = stamp(path);
                let text = small_text(path, MAX_FILE).map_err(|error| {
                    let text = format!("the access token file {path:?} cannot be read: {error}");
                    Error::new(ErrorKind::Credential, text).caused_by(error)
                })?;
                Zeroizing::new(text.trim().to_owned())
            }
        };
        // A skewed clock must not prevent a valid token from being tried.
        let soonest = SystemTime::now() + Duration::from_secs(30);
        let expires = match expiry(&secret) {
            Some(expires) => expires.max(soonest),
            None => SystemTime::now() + UNKNOWN_LIFE,
        };
        Token::new(&secret, expires)
    }
}

impl GivenToken {
    /// The message and the advice for when the service refuses the token.
    pub(super) fn unrenewable(&self) -> (String, String) {
        const NEW: &str = "get a new access token for this tenant and service";
        match &self.0 {
            Source::Value(_) => (
                "AZURE_CLI_ACCESS_TOKEN, which was read at load, cannot be renewed".to_owned(),
                format!(
                    "{NEW}, set AZURE_CLI_ACCESS_TOKEN to it and restart the program; \
                     access-token-file is read again when it changes"
                ),
            ),
            Source::File(path, _) => (
                format!("the file {path:?} contains no other"),
                format!("{NEW} and write it into the file, which is read again"),
            ),
        }
    }

    /// Whether the file has changed since it was read. A missing file, as inside a `chroot`, counts
    /// as unchanged.
    pub(super) fn has_changed(&self) -> bool {
        match &self.0 {
            Source::Value(_) => false,
            Source::File(path, last) => stamp(path).is_some_and(|now| {
                *last.lock().unwrap_or_else(PoisonError::into_inner) != Some(now)
            }),
        }
    }
}

impl fmt::Debug for GivenToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Value(_) => f.write_str("GivenToken(from the environment)"),
            Source::File(path, _) => write!(f, "GivenToken({path:?})"),
        }
    }
}

/// The time in a JSON Web Token's `exp` (RFC 7519 section 4.1.4). Its signature is for the service
/// to check.
pub(super) fn expiry(token: &str) -> Option<SystemTime> {
    #[derive(Deserialize)]
    struct Claims {
        exp: u64,
    }
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).map(Zeroizing::new).ok()?;
    let claims: Claims = crate::outside::json(&claims).ok()?;
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
        let credential = GivenToken(Source::File(file.path().to_owned(), Mutex::default()));
        for token in ["first", "second"] {
            fs::write(file.path(), format!("{token}\n")).unwrap();
            assert!(credential.has_changed());
            let authorization = credential.token().unwrap().authorization().clone();
            assert_eq!(authorization, format!("Bearer {token}"));
            assert!(!credential.has_changed());
        }
        fs::write(file.path(), "two words").unwrap();
        assert!(credential.token().is_err());
    }
}
