//! Access tokens: one per audience, shared by all keys and threads, kept across `fork`.
//!
//! `akv-model` compiles this file too, against primitives that a model checker schedules.

use std::{
    sync::{Arc, Weak, atomic::Ordering},
    time::{Duration, Instant, SystemTime},
};

use arc_swap::ArcSwapOption;

use crate::{
    Error, ErrorKind, Result,
    counters::Metrics,
    credential::{Credential, Token},
    process::{
        primitives::{AtomicBool, AtomicU64, now},
        runs_in_background,
    },
};

/// For how long after replacing a refused token the next refusal is final.
const FORCED_PAUSE: Duration = Duration::from_secs(2);
/// Maximum time between a failed renewal and the next attempt.
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

/// The pause after a failed renewal of a token with this much time left.
fn pause(left: Duration) -> Duration {
    (left / 4).clamp(Duration::from_secs(1), RENEWAL_PAUSE)
}

/// The time until then.
fn until(time: SystemTime) -> Duration {
    time.duration_since(SystemTime::now()).unwrap_or_default()
}

/// One process's access to a [`TokenSlot`]. Concurrent requests of its threads are merged into one.
#[derive(Debug)]
pub(crate) struct Tokens {
    slot: Arc<TokenSlot>,
    credential: Arc<Credential>,
    metrics: Arc<Metrics>,
    /// Time limit of the credential: less than an operation's deadline, so that the error is the
    /// credential's and not that of the deadline.
    budget: Duration,
    refreshing: tokio::sync::Mutex<History>,
    /// The id of the token that a task of this process will renew.
    watched: AtomicU64,
    /// Whether the token was used since the last renewal.
    used: AtomicBool,
    /// Whether the token is kept fresh even if unused.
    kept: AtomicBool,
}

/// The results of earlier token requests.
#[derive(Debug, Default)]
struct History {
    failed: Option<(Instant, Error)>,
    forced: Option<Instant>,
}

impl Tokens {
    /// Tokens for operations with this deadline.
    pub(crate) fn new(
        slot: Arc<TokenSlot>,
        credential: Arc<Credential>,
        metrics: Arc<Metrics>,
        deadline: Duration,
    ) -> Arc<Self> {
        let budget = deadline * 7 / 10;
        Arc::new(Self {
            slot,
            credential,
            metrics,
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

    /// The source of the tokens.
    pub(crate) fn credential(&self) -> &Credential {
        &self.credential
    }

    /// The current token. A task renews it in time; the caller waits only if there is none.
    ///
    /// Rare paths are boxed: otherwise they would enlarge the future of every operation, which is
    /// moved several times before it runs.
    pub(crate) async fn get(self: &Arc<Self>) -> Result<Arc<Token>> {
        let now = now();
        let token = match self.slot.valid(now) {
            None => Box::pin(self.replace(None)).await?,
            // The file contains a new token; the old one may still be valid.
            Some(token) if self.credential.has_changed() => {
                Box::pin(self.replace(Some(&token))).await.unwrap_or(token)
            }
            // No task would run until the next operation, which may come after the token has
            // expired.
            Some(token) if !runs_in_background() && token.renewal() <= now => {
                Box::pin(self.renew_now(token)).await
            }
            Some(token) => token,
        };
        if !runs_in_background() {
            return Ok(token);
        }
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
        self.watch(&token);
        Ok(token)
    }

    /// A token other than `refused`, which the service refused; or the same one, if no other is
    /// available now.
    pub(crate) async fn replace(&self, refused: Option<&Arc<Token>>) -> Result<Arc<Token>> {
        let started = Instant::now();
        let mut history = self.refreshing.lock().await;
        if let Some(token) = self.slot.valid(SystemTime::now()) {
            let other = refused.is_none_or(|refused| !Arc::ptr_eq(refused, &token));
            // If fresh tokens are refused too, requesting more of them for every operation would
            // only make the identity service throttle us.
            let enough = history.forced.is_some_and(|forced| forced.elapsed() < FORCED_PAUSE)
                && !self.credential.has_changed();
            if other || enough {
                return Ok(token);
            }
        }
        let left = self.budget.saturating_sub(started.elapsed());
        match &history.failed {
            // Callers that waited while another one failed share its failure, unless that was a
            // timeout: their own time limit began later, much later if the failure was a renewal's.
            Some((failed, error))
                if *failed >= started
                    && (error.kind() != ErrorKind::Timeout || left < self.budget / 4) =>
            {
                return Err(error.clone());
            }
            _ => {}
        }
        if refused.is_some() {
            history.forced = Some(Instant::now());
        }
        self.fetch(&mut history, left).await
    }

    /// Keeps the token fresh from now on, whether or not this process uses it, so that children of
    /// `fork` inherit a valid one. A process that has inherited a token leaves that to its parent.
    pub(crate) fn keep(self: &Arc<Self>) {
        let inherited =
            self.slot.valid(SystemTime::now()).is_some_and(|token| token.is_inherited());
        if !inherited && runs_in_background() && !self.kept.swap(true, Ordering::Relaxed) {
            tokio::spawn(Self::keep_fresh(Arc::downgrade(self)));
        }
    }

    /// Gets a token and renews it in time, as long as there is a client. Failures are retried, also
    /// after the old token has expired.
    async fn keep_fresh(this: Weak<Self>) {
        loop {
            // Weak references, so that the token of a dropped client is not kept in memory.
            let Some(tokens) = this.upgrade() else { return };
            let current = tokens.slot.valid(SystemTime::now());
            let wait = match current.as_ref().map(|token| until(token.renewal())) {
                Some(wait) if !wait.is_zero() => wait,
                _ => match tokens.next_token(current.as_ref()).await {
                    // A token that has expired on arrival must not cause requests in a tight loop.
                    Ok(new) => until(new.renewal()).max(Duration::from_secs(1)),
                    Err(error) => {
                        tracing::warn!(%error, "cannot renew the access token; retrying");
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

    /// Starts a task that renews the token when it is due.
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

    /// Renews `old` when it is due, if it was used in the meantime: an idle program must not
    /// request tokens for ever. After a failure the old token is used until it expires.
    ///
    /// An inherited token is renewed late, and only if it is used after its parent's renewal: most
    /// children of servers that fork for each connection have ended by then.
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
            // Weak references, so that the token of a dropped client is not kept in memory.
            let (Some(this), Some(old)) = (this.upgrade(), old.upgrade()) else { return };
            let left = old.expires().duration_since(SystemTime::now()).unwrap_or_default();
            if left.is_zero() || !this.slot.is_current(&old) {
                return;
            }
            if !this.used.swap(false, Ordering::Relaxed) {
                // The next use starts the task again.
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
                    tracing::warn!(%error, ?left, "cannot renew the access token; keeping it");
                    this.used.store(true, Ordering::Relaxed);
                    wait = pause(left);
                }
            }
        }
    }

    /// The token after `old`, or `old` if there is none yet: another caller is requesting it, or
    /// the request failed recently or fails now.
    async fn renew_now(&self, old: Arc<Token>) -> Arc<Token> {
        let Ok(mut history) = self.refreshing.try_lock() else { return old };
        let left = old.expires().duration_since(SystemTime::now()).unwrap_or_default();
        match self.slot.current.load_full() {
            Some(token) if !Arc::ptr_eq(&token, &old) => return token,
            _ => {}
        }
        let failed = history.failed.as_ref().map(|(failed, _)| failed.elapsed());
        if failed.is_some_and(|failed| failed < pause(left)) {
            return old;
        }
        match self.fetch(&mut history, self.budget / 2).await {
            Ok(token) => token,
            Err(error) => {
                tracing::warn!(%error, ?left, "cannot renew the access token; keeping it");
                old
            }
        }
    }

    /// A token after `old`, requested by the first caller.
    async fn renew(&self, old: &Arc<Token>) -> Result<Arc<Token>> {
        let mut history = self.refreshing.lock().await;
        match self.slot.current.load_full() {
            Some(token) if !Arc::ptr_eq(&token, old) => Ok(token),
            _ => self.fetch(&mut history, self.budget).await,
        }
    }

    async fn fetch(&self, history: &mut History, budget: Duration) -> Result<Arc<Token>> {
        let request = self.credential.token(self.scope(), budget);
        let outcome = tokio::time::timeout(budget, request).await.unwrap_or_else(|_| {
            let name = self.credential.name();
            let text = format!("the credential {name} returned no token within {budget:?}");
            Err(Error::new(ErrorKind::Credential, text))
        });
        match outcome {
            Ok(token) => {
                self.metrics.token();
                let token = Arc::new(token);
                tracing::debug!(scope = self.scope(), "new access token");
                history.failed = None;
                self.slot.current.store(Some(Arc::clone(&token)));
                Ok(token)
            }
            Err(error) => {
                history.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }
}
