//! Access tokens: one per audience, shared by all keys and threads, kept across `fork`.

use crate::{Error, ErrorKind, Result, credential::Credential};
use arc_swap::ArcSwapOption;
use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};
use zeroize::Zeroizing;

/// How long before its end a token is renewed at the latest.
const MARGIN: Duration = Duration::from_secs(300);

/// How long after a refused token's replacement the next refusal is believed to be final.
const FORCED_PAUSE: Duration = Duration::from_secs(2);
/// How long after a failed renewal the next one is tried.
const RENEWAL_PAUSE: Duration = Duration::from_secs(15);

/// An access token. Its text is wiped when the last user is done with it.
pub(crate) struct Token {
    secret: Zeroizing<String>,
    obtained: SystemTime,
    expires: SystemTime,
}

impl Token {
    pub(crate) fn new(secret: Zeroizing<String>, expires: SystemTime) -> Self {
        Self { secret, obtained: SystemTime::now(), expires }
    }

    pub(crate) fn secret(&self) -> &str {
        &self.secret
    }

    #[cfg(test)]
    pub(crate) fn expires(&self) -> SystemTime {
        self.expires
    }

    /// Half of the life or five minutes before the end, whichever is later.
    fn renewal(&self) -> SystemTime {
        let life = self.expires.duration_since(self.obtained).unwrap_or_default();
        self.obtained + (life / 2).max(life.saturating_sub(MARGIN))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// The current token of one audience. It has no lock, so a child of `fork` can always read it.
#[derive(Debug)]
pub(crate) struct TokenSlot {
    scope: String,
    current: ArcSwapOption<Token>,
}

impl TokenSlot {
    pub(crate) fn new(scope: String) -> Self {
        Self { scope, current: ArcSwapOption::const_empty() }
    }

    pub(crate) fn scope(&self) -> &str {
        &self.scope
    }

    fn valid(&self, now: SystemTime) -> Option<Arc<Token>> {
        self.current.load_full().filter(|token| token.expires > now)
    }
}

/// One process's way to a [`TokenSlot`]: requests of many threads become one.
#[derive(Debug)]
pub(crate) struct Tokens {
    slot: Arc<TokenSlot>,
    credential: Arc<Credential>,
    /// How long a credential may take: less than an operation's deadline, so that its own error
    /// is told and not that of the deadline.
    budget: Duration,
    refreshing: tokio::sync::Mutex<Past>,
}

/// What came of earlier requests for a token.
#[derive(Debug, Default)]
struct Past {
    failed: Option<(Instant, Error)>,
    forced: Option<Instant>,
}

impl Tokens {
    /// Tokens for operations with this deadline.
    pub(crate) fn new(
        slot: Arc<TokenSlot>,
        credential: Arc<Credential>,
        deadline: Duration,
    ) -> Arc<Self> {
        let budget = deadline * 7 / 10;
        Arc::new(Self { slot, credential, budget, refreshing: tokio::sync::Mutex::default() })
    }

    pub(crate) fn scope(&self) -> &str {
        self.slot.scope()
    }

    /// The current token. One that is due for renewal is renewed in the background; only when
    /// there is none does the caller wait.
    pub(crate) async fn get(self: &Arc<Self>) -> Result<Arc<Token>> {
        let now = SystemTime::now();
        let Some(token) = self.slot.valid(now) else { return self.replace(None).await };
        if self.credential.has_changed() {
            // Somebody wrote a new token to the file; the old one may be good still.
            return Ok(self.replace(Some(&token)).await.unwrap_or(token));
        }
        if token.renewal() <= now {
            self.renew_in_background(&token);
        }
        Ok(token)
    }

    /// A token other than `refused`, which the service did not take; or that very one, when there
    /// is no other to be had now.
    pub(crate) async fn replace(&self, refused: Option<&Arc<Token>>) -> Result<Arc<Token>> {
        let asked = Instant::now();
        let mut past = self.refreshing.lock().await;
        if let Some(token) = self.slot.valid(SystemTime::now()) {
            let other = refused.is_none_or(|refused| !Arc::ptr_eq(refused, &token));
            // When fresh tokens are refused too, asking for more of them at every operation only
            // brings the identity service to throttle us.
            let enough = past.forced.is_some_and(|forced| forced.elapsed() < FORCED_PAUSE)
                && !self.credential.has_changed();
            if other || enough {
                return Ok(token);
            }
        }
        match &past.failed {
            // Those who waited while another one failed share its failure.
            Some((failed, error)) if *failed >= asked => return Err(error.clone()),
            _ => {}
        }
        if refused.is_some() {
            past.forced = Some(Instant::now());
        }
        self.fetch(&mut past).await
    }

    fn renew_in_background(self: &Arc<Self>, old: &Arc<Token>) {
        let (this, old) = (Arc::clone(self), Arc::clone(old));
        tokio::spawn(async move {
            let Ok(mut past) = this.refreshing.try_lock() else { return };
            let unchanged =
                this.slot.current.load_full().is_some_and(|token| Arc::ptr_eq(&token, &old));
            let just_failed =
                past.failed.as_ref().is_some_and(|(failed, _)| failed.elapsed() < RENEWAL_PAUSE);
            if unchanged
                && !just_failed
                && let Err(error) = this.fetch(&mut past).await
            {
                tracing::warn!(%error, "the access token could not be renewed; the old one is kept");
            }
        });
    }

    async fn fetch(&self, past: &mut Past) -> Result<Arc<Token>> {
        let request = self.credential.token(self.scope(), self.budget);
        let outcome = tokio::time::timeout(self.budget, request).await.unwrap_or_else(|_| {
            let name = self.credential.name();
            let text = format!("the credential {name} gave no token within {:?}", self.budget);
            Err(Error::new(ErrorKind::Credential, text))
        });
        match outcome {
            Ok(token) => {
                let token = Arc::new(token);
                tracing::debug!(scope = self.scope(), "new access token");
                past.failed = None;
                self.slot.current.store(Some(Arc::clone(&token)));
                Ok(token)
            }
            Err(error) => {
                past.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewal_is_at_half_life_or_five_minutes_before_the_end() {
        let renewal = |life: u64| {
            let token = Token::new(Zeroizing::new("t".into()), SystemTime::now());
            let token = Token { expires: token.obtained + Duration::from_secs(life), ..token };
            token.renewal().duration_since(token.obtained).unwrap().as_secs()
        };
        assert_eq!(renewal(3600), 3300);
        assert_eq!(renewal(400), 200);
        assert_eq!(renewal(20), 10);
        assert_eq!(renewal(0), 0);
    }

    #[test]
    fn debug_output_hides_the_token() {
        let token = Token::new(Zeroizing::new("s3cret".into()), SystemTime::now());
        assert!(!format!("{token:?}").contains("s3cret"));
    }
}
