//! A credential that returns tokens and failures as a scenario defines.

#[path = "../../../akv-core/src/credential/token.rs"]
mod token;

pub(crate) use token::Token;

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, SystemTime},
};

use crate::{Error, ErrorKind, Result};

/// Longer than any scenario runs.
pub(crate) const LIFE: Duration = Duration::from_secs(3600);

/// The model of `akv-core`'s credentials.
#[derive(Debug)]
pub(crate) struct Credential {
    /// The number of requests so far. It is not a step of the model: only the scenario reads it.
    requests: AtomicUsize,
    /// Which requests fail and how, by their number.
    fails: fn(usize) -> Option<ErrorKind>,
}

impl Credential {
    pub(crate) fn new(fails: fn(usize) -> Option<ErrorKind>) -> Self {
        Self { requests: AtomicUsize::new(0), fails }
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    pub(crate) async fn token(&self, _scope: &str, _budget: Duration) -> Result<Token> {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        // Long enough for others to arrive and wait.
        for _ in 0..3 {
            shuttle::future::yield_now().await;
        }
        if let Some(kind) = (self.fails)(number) {
            return Err(Error::new(kind, format!("failure {number}")));
        }
        Token::new(&format!("token{number}"), SystemTime::now() + LIFE)
    }

    pub(crate) fn has_changed(&self) -> bool {
        false
    }

    pub(crate) fn name(&self) -> &'static str {
        "model"
    }
}
