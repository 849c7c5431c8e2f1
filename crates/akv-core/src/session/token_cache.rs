//! Access tokens: one per audience, shared by all keys and threads, kept across `fork`.
//!
//! `akv-model` compiles this file too, against primitives that a model checker schedules.

use crate::{
    Error, ErrorKind, Result,
    counters::Meters,
    credential::{Credential, Token},
    process::{
        is_attended,
        primitives::{AtomicBool, AtomicU64, now},
    },
};
use arc_swap::ArcSwapOption;
use std::{
    sync::{Arc, Weak, atomic::Ordering},
    time::{Duration, Instant, SystemTime},
};

/// How long after a refused token's replacement the next refusal is believed to be final.
const FORCED_PAUSE: Duration = Duration::from_secs(2);
/// How long after a failed renewal the next one is tried at the latest.
const RENEWAL_PAUSE: Duration = Duration::from_secs(15);

/// The id of no token.
const NO_TOKEN: u64 = Token::NO_ID;

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

    fn is_current(&self, token: &Arc<Token>) -> bool {
        self.current.load().as_ref().is_some_and(|current| Arc::ptr_eq(current, token))
    }

    fn valid(&self, now: SystemTime) -> Option<Arc<Token>> {
        self.current.load_full().filter(|token| token.expires() > now)
    }
}

/// How long a failed renewal is not tried again for a token with so much of its life left.
fn pause(left: Duration) -> Duration {
    (left / 4).clamp(Duration::from_secs(1), RENEWAL_PAUSE)
}

/// How long it is until then.
fn until(time: SystemTime) -> Duration {
    time.duration_since(SystemTime::now()).unwrap_or_default()
}

/// One process's way to a [`TokenSlot`]: requests of many threads become one.
#[derive(Debug)]
pub(crate) struct Tokens {
    slot: Arc<TokenSlot>,
    credential: Arc<Credential>,
    meters: Arc<Meters>,
    /// How long a credential may take: less than an operation's deadline, so that its own error
    /// is told and not that of the deadline.
    budget: Duration,
    refreshing: tokio::sync::Mutex<Past>,
    /// The token whose renewal a task of this process sees to.
    watched: AtomicU64,
    /// Whether somebody asked for a token since the last renewal.
    used: AtomicBool,
    /// Whether the token is kept fresh, used or not.
    kept: AtomicBool,
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
        meters: Arc<Meters>,
        deadline: Duration,
    ) -> Arc<Self> {
        let budget = deadline * 7 / 10;
        Arc::new(Self {
            slot,
            credential,
            meters,
            budget,
            refreshing: tokio::sync::Mutex::default(),
            watched: AtomicU64::new(NO_TOKEN),
            used: AtomicBool::new(false),
            kept: AtomicBool::new(false),
        })
    }

    pub(crate) fn scope(&self) -> &str {
        self.slot.scope()
    }

    /// Where the tokens come from.
    pub(crate) fn credential(&self) -> &Credential {
        &self.credential
    }

    /// The current token. A task renews it in time; only when there is none does the caller wait.
    ///
    /// What is rare is boxed: otherwise every operation, which is moved about some times before it
    /// runs, would have room for all of it.
    pub(crate) async fn get(self: &Arc<Self>) -> Result<Arc<Token>> {
        let now = now();
        let token = match self.slot.valid(now) {
            None => Box::pin(self.replace(None)).await?,
            // Somebody wrote a new token to the file; the old one may be good still.
            Some(token) if self.credential.has_changed() => {
                Box::pin(self.replace(Some(&token))).await.unwrap_or(token)
            }
            // No task would go on until the next operation, which may come after the token's end.
            Some(token) if !is_attended() && token.renewal() <= now => {
                Box::pin(self.renew_now(token)).await
            }
            Some(token) => token,
        };
        if !is_attended() {
            return Ok(token);
        }
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
        self.watch(&token);
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
        let left = self.budget.saturating_sub(asked.elapsed());
        match &past.failed {
            // Those who waited while another one failed share its failure, unless it had run out of
            // time: theirs began later, by long if it was a renewal's.
            Some((failed, error))
                if *failed >= asked
                    && (error.kind() != ErrorKind::Timeout || left < self.budget / 4) =>
            {
                return Err(error.clone());
            }
            _ => {}
        }
        if refused.is_some() {
            past.forced = Some(Instant::now());
        }
        self.fetch(&mut past, left).await
    }

    /// Keeps the token fresh from now on, whether or not this process uses it, so that children of
    /// `fork` inherit a good one. A process that has inherited one leaves that to its parent.
    pub(crate) fn keep(self: &Arc<Self>) {
        let inherited =
            self.slot.valid(SystemTime::now()).is_some_and(|token| token.is_inherited());
        if !inherited && is_attended() && !self.kept.swap(true, Ordering::Relaxed) {
            tokio::spawn(Self::keep_fresh(Arc::downgrade(self)));
        }
    }

    /// Gets a token and renews it in time, for as long as there is a client. A failure is tried
    /// again, also after the old token's end.
    async fn keep_fresh(this: Weak<Self>) {
        loop {
            // A client that is gone does not keep its token in memory for this.
            let Some(tokens) = this.upgrade() else { return };
            let current = tokens.slot.valid(SystemTime::now());
            let wait = match current.as_ref().map(|token| until(token.renewal())) {
                Some(wait) if !wait.is_zero() => wait,
                _ => match tokens.next_token(current.as_ref()).await {
                    // A token that is at its end when it comes is no reason to ask all the time.
                    Ok(new) => until(new.renewal()).max(Duration::from_secs(1)),
                    Err(error) => {
                        tracing::warn!(%error, "no new access token to keep; it is tried again");
                        RENEWAL_PAUSE / 5
                    }
                },
            };
            drop((tokens, current));
            tokio::time::sleep(wait).await;
        }
    }

    async fn next_token(&self, current: Option<&Arc<Token>>) -> Result<Arc<Token>> {
        match current {
            Some(token) => self.renew(token).await,
            None => self.replace(None).await,
        }
    }

    /// Has a task of this process renew the token when its time comes.
    fn watch(self: &Arc<Self>, token: &Arc<Token>) {
        if self.kept.load(Ordering::Relaxed) {
            return;
        }
        if self.watched.load(Ordering::Relaxed) != token.id()
            && self.watched.swap(token.id(), Ordering::Relaxed) != token.id()
        {
            tokio::spawn(Self::renew_in_time(Arc::downgrade(self), Arc::downgrade(token)));
        }
    }

    /// Renews `old` when its time has come, if it was used meanwhile: an idle program must not ask
    /// for tokens for ever. A failure keeps the old token until its end.
    ///
    /// One that a parent has asked for is renewed late, and only if it is used when its parent has a
    /// new one already: most children of servers that fork for each connection have long done their
    /// work by then.
    async fn renew_in_time(this: Weak<Self>, old: Weak<Token>) {
        let times = |token: Arc<Token>| {
            (until(token.renewal()), token.is_inherited().then(|| token.late_renewal()))
        };
        let Some((mut wait, late)) = old.upgrade().map(times) else { return };
        if let Some(late) = late {
            tokio::time::sleep(wait).await;
            match this.upgrade() {
                Some(this) => this.used.store(false, Ordering::Relaxed),
                None => return,
            }
            wait = until(late);
        }
        loop {
            tokio::time::sleep(wait).await;
            // A client that is gone does not keep its token in memory for this.
            let (Some(this), Some(old)) = (this.upgrade(), old.upgrade()) else { return };
            let left = old.expires().duration_since(SystemTime::now()).unwrap_or_default();
            if left.is_zero() || !this.slot.is_current(&old) {
                return;
            }
            if !this.used.swap(false, Ordering::Relaxed) {
                // The next use starts this again.
                let _ = this.watched.compare_exchange(
                    old.id(),
                    NO_TOKEN,
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                );
                return;
            }
            match this.renew(&old).await {
                Ok(new) => return this.watch(&new),
                Err(error) => {
                    tracing::warn!(%error, ?left, "no new access token; the old one is kept");
                    this.used.store(true, Ordering::Relaxed);
                    wait = pause(left);
                }
            }
        }
    }

    /// The token after `old`, or `old` while there is none: somebody is asking for it, or that
    /// failed a moment ago or fails now.
    async fn renew_now(&self, old: Arc<Token>) -> Arc<Token> {
        let Ok(mut past) = self.refreshing.try_lock() else { return old };
        let left = old.expires().duration_since(SystemTime::now()).unwrap_or_default();
        match self.slot.current.load_full() {
            Some(token) if !Arc::ptr_eq(&token, &old) => return token,
            _ => {}
        }
        let failed = past.failed.as_ref().map(|(failed, _)| failed.elapsed());
        if failed.is_some_and(|failed| failed < pause(left)) {
            return old;
        }
        match self.fetch(&mut past, self.budget / 2).await {
            Ok(token) => token,
            Err(error) => {
                tracing::warn!(%error, ?left, "no new access token; the old one is kept");
                old
            }
        }
    }

    /// A token after `old`, from whoever is first.
    async fn renew(&self, old: &Arc<Token>) -> Result<Arc<Token>> {
        let mut past = self.refreshing.lock().await;
        match self.slot.current.load_full() {
            Some(token) if !Arc::ptr_eq(&token, old) => Ok(token),
            _ => self.fetch(&mut past, self.budget).await,
        }
    }

    async fn fetch(&self, past: &mut Past, budget: Duration) -> Result<Arc<Token>> {
        let request = self.credential.token(self.scope(), budget);
        let outcome = tokio::time::timeout(budget, request).await.unwrap_or_else(|_| {
            let name = self.credential.name();
            let text = format!("the credential {name} gave no token within {budget:?}");
            Err(Error::new(ErrorKind::Credential, text))
        });
        match outcome {
            Ok(token) => {
                self.meters.token();
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
