//! Access tokens.

use std::{
    fmt,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use hyper::header::HeaderValue;
use process_abi::ProcessId;
use zeroize::Zeroizing;

use crate::{Error, ErrorKind, Result};

/// A token is renewed at the latest this long before it expires.
const MARGIN: Duration = Duration::from_secs(300);

/// Renewals are spread over this fraction of the time between renewal and expiry.
const SPREAD: u32 = 5;

/// An access token. Its text is wiped when the last reference is dropped.
pub(crate) struct Token {
    id: u64,
    /// `Bearer` and the token. All requests share it, and the last one wipes it.
    authorization: HeaderValue,
    obtained: SystemTime,
    expires: SystemTime,
    /// The process that requested it. Its children inherit it.
    process: ProcessId,
    /// When this token is renewed, as a share of [`SPREAD`] between the earliest renewal and the
    /// expiry, so that the processes of many machines do not send requests all at once.
    jitter: u8,
}

impl Token {
    /// The id of no token.
    pub(crate) const NO_ID: u64 = 0;

    /// # Errors
    /// The token is empty or has invalid characters.
    pub(crate) fn new(secret: &str, expires: SystemTime) -> Result<Self> {
        static NEXT: AtomicUsize = AtomicUsize::new(Token::NO_ID as usize + 1);
        let mut jitter = [0];
        // Not from a generator whose state children of `fork` would inherit.
        let _ = aws_lc_rs::rand::fill(&mut jitter);
        let id = NEXT.fetch_add(1, Ordering::Relaxed) as u64;
        let authorization = authorization(secret)?;
        Ok(Self {
            id,
            authorization,
            obtained: SystemTime::now(),
            expires,
            process: process_abi::current(),
            jitter: jitter[0],
        })
    }

    /// Distinguishes tokens of one process.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// The value of the header `Authorization`.
    pub(crate) fn authorization(&self) -> &HeaderValue {
        &self.authorization
    }

    pub(crate) fn expires(&self) -> SystemTime {
        self.expires
    }

    /// Whether a parent of this process requested it.
    pub(crate) fn is_inherited(&self) -> bool {
        self.process != process_abi::current()
    }

    /// When a process that inherited the token renews it, if it is in use then: halfway between its
    /// parent's renewal and the expiry.
    pub(crate) fn late_renewal(&self) -> SystemTime {
        let renewal = self.renewal();
        renewal + self.expires.duration_since(renewal).unwrap_or_default() / 2
    }

    /// Half of the lifetime or five minutes before expiry, whichever is later, plus up to a fifth
    /// of the time that is left then.
    pub(crate) fn renewal(&self) -> SystemTime {
        let life = self.expires.duration_since(self.obtained).unwrap_or_default();
        let earliest = (life / 2).max(life.saturating_sub(MARGIN));
        let spread = (life - earliest) / SPREAD;
        self.obtained + earliest + spread * u32::from(self.jitter) / u32::from(u8::MAX)
    }
}

fn authorization(secret: &str) -> Result<HeaderValue> {
    const SCHEME: &str = "Bearer ";
    let sensible = !secret.is_empty() && secret.bytes().all(|byte| byte.is_ascii_graphic());
    let mut text = Zeroizing::new(Vec::with_capacity(SCHEME.len() + secret.len()));
    text.extend_from_slice(SCHEME.as_bytes());
    text.extend_from_slice(secret.as_bytes());
    match HeaderValue::from_maybe_shared(Bytes::from_owner(text)) {
        Ok(mut value) if sensible => {
            value.set_sensitive(true);
            Ok(value)
        }
        _ => {
            let text = "the access token is empty or has invalid characters";
            Err(Error::new(ErrorKind::Credential, text))
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("expires", &self.expires).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewal_is_at_half_life_or_five_minutes_before_expiry_plus_jitter() {
        let renewal = |life: u64, jitter: u8| {
            let token = Token::new("t", SystemTime::now()).unwrap();
            let expires = token.obtained + Duration::from_secs(life);
            let token = Token { expires, jitter, ..token };
            token.renewal().duration_since(token.obtained).unwrap().as_secs()
        };
        assert_eq!((renewal(3600, 0), renewal(3600, u8::MAX)), (3300, 3360));
        assert_eq!((renewal(400, 0), renewal(400, u8::MAX)), (200, 240));
        assert_eq!((renewal(20, 0), renewal(20, u8::MAX)), (10, 12));
        assert_eq!(renewal(0, 7), 0);
    }

    #[test]
    fn debug_output_hides_the_token() {
        let token = Token::new("s3cret", SystemTime::now()).unwrap();
        assert!(!format!("{token:?}").contains("s3cret"));
    }
}
