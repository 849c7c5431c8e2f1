//! Access tokens: one per audience, shared by all keys and threads, kept across `fork`.

use crate::{Result, credential::Credential};
use arc_swap::ArcSwapOption;
use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};
use zeroize::Zeroizing;

/// How long before its end a token is renewed at the latest.
const MARGIN: Duration = Duration::from_secs(300);

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
    refreshing: tokio::sync::Mutex<()>,
}

impl Tokens {
    pub(crate) fn new(slot: Arc<TokenSlot>, credential: Arc<Credential>) -> Arc<Self> {
        Arc::new(Self { slot, credential, refreshing: tokio::sync::Mutex::new(()) })
    }

    pub(crate) fn scope(&self) -> &str {
        self.slot.scope()
    }

    /// The current token. One that is due for renewal is renewed in the background; only when
    /// there is none does the caller wait.
    pub(crate) async fn get(self: &Arc<Self>) -> Result<Arc<Token>> {
        let now = SystemTime::now();
        if let Some(token) = self.slot.valid(now) {
            if token.renewal() <= now {
                self.renew_in_background(&token);
            }
            return Ok(token);
        }
        self.replace(None).await
    }

    /// A token other than `refused`, which the service did not take.
    pub(crate) async fn replace(&self, refused: Option<&Arc<Token>>) -> Result<Arc<Token>> {
        let _one_at_a_time = self.refreshing.lock().await;
        let usable =
            |token: &Arc<Token>| refused.is_none_or(|refused| !Arc::ptr_eq(refused, token));
        if let Some(token) = self.slot.valid(SystemTime::now()).filter(usable) {
            return Ok(token);
        }
        self.fetch(refused.is_some()).await
    }

    fn renew_in_background(self: &Arc<Self>, old: &Arc<Token>) {
        let (this, old) = (Arc::clone(self), Arc::clone(old));
        tokio::spawn(async move {
            let Ok(_one_at_a_time) = this.refreshing.try_lock() else { return };
            let unchanged =
                this.slot.current.load_full().is_some_and(|token| Arc::ptr_eq(&token, &old));
            if unchanged && let Err(error) = this.fetch(false).await {
                tracing::warn!(%error, "the access token could not be renewed; the old one is kept");
            }
        });
    }

    async fn fetch(&self, forced: bool) -> Result<Arc<Token>> {
        let token = Arc::new(self.credential.token(self.scope(), forced).await?);
        tracing::debug!(scope = self.scope(), "new access token");
        self.slot.current.store(Some(Arc::clone(&token)));
        Ok(token)
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
