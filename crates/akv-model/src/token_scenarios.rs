//! Scenarios of [`Tokens`](crate::token_cache::Tokens): many callers of one token, failures,
//! refusals.

use std::{sync::Arc, time::Duration};

use shuttle::future::{JoinHandle, block_on, spawn, yield_now};

use crate::{
    ErrorKind,
    credential::{Credential, LIFE, Token},
    process, time,
    token_cache::{TokenSlot, Tokens},
};

struct Scene {
    tokens: Arc<Tokens>,
    credential: Arc<Credential>,
}

impl Scene {
    fn new(fails: fn(usize) -> Option<ErrorKind>) -> Self {
        time::reset();
        process::reset();
        let credential = Arc::new(Credential::new(fails));
        let slot = Arc::new(TokenSlot::new("scope".into()));
        let deadline = Duration::from_secs(10);
        let tokens = Tokens::new(slot, Arc::clone(&credential), Arc::default(), deadline);
        Self { tokens, credential }
    }

    /// A caller that needs a token.
    fn caller(&self) -> JoinHandle<Option<Arc<Token>>> {
        let tokens = Arc::clone(&self.tokens);
        spawn(async move { tokens.get().await.ok() })
    }

    /// Uses tokens until there is a different one.
    async fn different_token(&self, old: &Arc<Token>) -> Arc<Token> {
        loop {
            let token = self.tokens.get().await.expect("a token");
            if !Arc::ptr_eq(&token, old) {
                return token;
            }
            yield_now().await;
        }
    }

    /// A caller whose token was refused.
    fn refused_caller(&self, token: &Arc<Token>) -> JoinHandle<Option<Arc<Token>>> {
        let (tokens, token) = (Arc::clone(&self.tokens), Arc::clone(token));
        spawn(async move { tokens.replace(Some(&token)).await.ok() })
    }
}

async fn all<T>(handles: Vec<JoinHandle<T>>) -> Vec<T> {
    let mut results = Vec::new();
    for handle in handles {
        results.push(handle.await.expect("not aborted"));
    }
    results
}

fn same(tokens: &[Option<Arc<Token>>], one: &Arc<Token>) -> bool {
    tokens.iter().all(|token| token.as_ref().is_some_and(|token| Arc::ptr_eq(token, one)))
}

/// Many callers of the first token cause one request, and all get that token.
pub fn one_request_serves_all() {
    block_on(async {
        let scene = Scene::new(|_| None);
        let got = all((0..4).map(|_| scene.caller()).collect()).await;
        let token = scene.tokens.get().await.expect("a token");
        assert!(same(&got, &token));
        assert_eq!(scene.credential.requests(), 1);
    });
}

/// A failure is returned to all callers that waited for it, and the next caller sends a new
/// request. No caller waits for ever, and there are never more requests than callers.
pub fn a_failure_is_shared_and_not_kept() {
    block_on(async {
        let scene = Scene::new(|number| (number == 0).then_some(ErrorKind::Credential));
        let got = all((0..3).map(|_| scene.caller()).collect()).await;
        let failed = got.iter().filter(|token| token.is_none()).count();
        assert!(failed >= 1);
        let token = scene.tokens.get().await.expect("the second request succeeds");
        let succeeded: Vec<_> = got.into_iter().filter(Option::is_some).collect();
        assert!(same(&succeeded, &token));
        assert_eq!(scene.credential.requests(), 2);
    });
}

/// A request that times out fails only for the caller whose time limit it had. Callers that arrived
/// while it ran send another one, with their own time limits.
pub fn a_timeout_is_not_shared() {
    block_on(async {
        let scene = Scene::new(|number| (number == 0).then_some(ErrorKind::Timeout));
        let got = all((0..3).map(|_| scene.caller()).collect()).await;
        let token = scene.tokens.get().await.expect("the second request succeeds");
        let succeeded: Vec<_> = got.into_iter().filter(Option::is_some).collect();
        assert_eq!(succeeded.len(), 2);
        assert!(same(&succeeded, &token));
        assert_eq!(scene.credential.requests(), 2);
    });
}

/// While the renewal of a valid token fails, all get the old one; when it succeeds, the new one.
pub fn a_failed_renewal_keeps_the_old_token() {
    block_on(async {
        let scene =
            Scene::new(|number| (number == 1 || number == 2).then_some(ErrorKind::Credential));
        let old = scene.tokens.get().await.expect("a token");
        // The renewal task fails twice and then succeeds.
        time::pass(3);
        scene.different_token(&old).await;
        assert_eq!(scene.credential.requests(), 4);
    });
}

/// If no task runs in the background, callers renew a token in time: one of them at a time sends a
/// request, the others continue with the old one, and a failure is not repeated at once.
pub fn without_a_thread_callers_renew() {
    block_on(async {
        let scene = Scene::new(|number| (number == 1).then_some(ErrorKind::Credential));
        // All tokens are valid for one more minute.
        process::run_without_thread(LIFE - Duration::from_secs(60));
        let old = scene.tokens.get().await.expect("a token");
        let got = all((0..3).map(|_| scene.caller()).collect()).await;
        assert!(same(&got, &old), "the first renewal fails");
        assert_eq!(scene.credential.requests(), 2);
    });
}

/// Many callers whose token is refused at the same time cause one request. If the new one is
/// refused too, it is not replaced again.
pub fn a_refusal_makes_one_request() {
    block_on(async {
        let scene = Scene::new(|_| None);
        let old = scene.tokens.get().await.expect("a token");
        let got = all((0..4).map(|_| scene.refused_caller(&old)).collect()).await;
        let new = scene.tokens.get().await.expect("a token");
        assert!(!Arc::ptr_eq(&new, &old));
        assert!(same(&got, &new));
        assert_eq!(scene.credential.requests(), 2);
        let got = all((0..2).map(|_| scene.refused_caller(&new)).collect()).await;
        assert!(same(&got, &new), "asking again would be of no use");
        assert_eq!(scene.credential.requests(), 2);
    });
}

/// A concurrent refusal and renewal of the same token cause one request.
pub fn a_refusal_during_a_renewal_makes_one_request() {
    block_on(async {
        let scene = Scene::new(|_| None);
        let old = scene.tokens.get().await.expect("a token");
        time::pass(1);
        let got = all(vec![scene.refused_caller(&old), scene.refused_caller(&old)]).await;
        let new = scene.tokens.get().await.expect("a token");
        assert!(same(&got, &new));
        assert_eq!(scene.credential.requests(), 2);
    });
}

/// A caller that gives up, waiting or during a request, as at a deadline, does not block others.
pub fn a_cancelled_caller_does_not_block_others() {
    block_on(async {
        let scene = Scene::new(|_| None);
        let impatient = [scene.caller(), scene.caller()];
        let patient = vec![scene.caller(), scene.caller()];
        for handle in &impatient {
            yield_now().await;
            handle.abort();
        }
        let got = all(patient).await;
        let token = scene.tokens.get().await.expect("a token");
        assert!(same(&got, &token));
        // Each caller that gave up may have abandoned one request.
        assert!((1..=3).contains(&scene.credential.requests()));
    });
}

/// A used token is renewed when it is due, by one request, however many callers use it. An unused
/// one is not, until it is used again.
pub fn a_used_token_is_renewed_once() {
    block_on(async {
        let scene = Scene::new(|_| None);
        let first = scene.tokens.get().await.expect("a token");
        time::pass(1);
        let got = all((0..2).map(|_| scene.caller()).collect()).await;
        assert!(got.iter().all(Option::is_some));
        let second = scene.different_token(&first).await;
        assert_eq!(scene.credential.requests(), 2);
        // Callers that used it since then cause at most one more renewal.
        time::pass(8);
        for _ in 0..20 {
            yield_now().await;
        }
        assert!(scene.credential.requests() <= 3, "renewed although it is unused");
        drop(second);
    });
}
