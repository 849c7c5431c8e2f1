//! Scenarios of [`Tokens`](crate::token_cache::Tokens): many who want a token, failures, refusals.

use crate::{
    ErrorKind,
    credential::{Credential, LIFE, Token},
    process, time,
    token_cache::{TokenSlot, Tokens},
};
use shuttle::future::{JoinHandle, block_on, spawn, yield_now};
use std::{sync::Arc, time::Duration};

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

    /// One that wants a token.
    fn wanting(&self) -> JoinHandle<Option<Arc<Token>>> {
        let tokens = Arc::clone(&self.tokens);
        spawn(async move { tokens.get().await.ok() })
    }

    /// Uses tokens until one comes that is not this one.
    async fn another_than(&self, old: &Arc<Token>) -> Arc<Token> {
        loop {
            let token = self.tokens.get().await.expect("a token");
            if !Arc::ptr_eq(&token, old) {
                return token;
            }
            yield_now().await;
        }
    }

    /// One whose token was refused.
    fn refused(&self, token: &Arc<Token>) -> JoinHandle<Option<Arc<Token>>> {
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

/// Many who want the first token make one request, and all get that token.
pub fn one_request_serves_all() {
    block_on(async {
        let scene = Scene::new(|_| None);
        let got = all((0..4).map(|_| scene.wanting()).collect()).await;
        let token = scene.tokens.get().await.expect("a token");
        assert!(same(&got, &token));
        assert_eq!(scene.credential.asked(), 1);
    });
}

/// A failure is told to those who waited for it, and the next one asks again. Nobody waits for
/// ever, and there are never more requests than askers.
pub fn a_failure_is_shared_and_not_kept() {
    block_on(async {
        let scene = Scene::new(|number| (number == 0).then_some(ErrorKind::Credential));
        let got = all((0..3).map(|_| scene.wanting()).collect()).await;
        let failed = got.iter().filter(|token| token.is_none()).count();
        assert!(failed >= 1);
        let token = scene.tokens.get().await.expect("the second request succeeds");
        let succeeded: Vec<_> = got.into_iter().filter(Option::is_some).collect();
        assert!(same(&succeeded, &token));
        assert_eq!(scene.credential.asked(), 2);
    });
}

/// A request that runs out of its time fails for the one whose time it was. Those who came while it
/// ran make another one, with the time that is theirs.
pub fn time_that_ran_out_is_not_shared() {
    block_on(async {
        let scene = Scene::new(|number| (number == 0).then_some(ErrorKind::Timeout));
        let got = all((0..3).map(|_| scene.wanting()).collect()).await;
        let token = scene.tokens.get().await.expect("the second request succeeds");
        let succeeded: Vec<_> = got.into_iter().filter(Option::is_some).collect();
        assert_eq!(succeeded.len(), 2);
        assert!(same(&succeeded, &token));
        assert_eq!(scene.credential.asked(), 2);
    });
}

/// While the renewal of a good token fails, all get the old one; when it succeeds, the new one.
pub fn a_failed_renewal_keeps_the_old_token() {
    block_on(async {
        let scene =
            Scene::new(|number| (number == 1 || number == 2).then_some(ErrorKind::Credential));
        let old = scene.tokens.get().await.expect("a token");
        // The task that renews in time fails twice and then succeeds.
        time::pass(3);
        scene.another_than(&old).await;
        assert_eq!(scene.credential.asked(), 4);
    });
}

/// Where no task goes on by itself, those who ask renew a token in time: one of them at a time makes
/// a request, the others go on with the old one meanwhile, and a failure is not repeated at once.
pub fn without_a_thread_askers_renew() {
    block_on(async {
        let scene = Scene::new(|number| (number == 1).then_some(ErrorKind::Credential));
        // All tokens are good for a minute more.
        process::leave_unattended(LIFE - Duration::from_secs(60));
        let old = scene.tokens.get().await.expect("a token");
        let got = all((0..3).map(|_| scene.wanting()).collect()).await;
        assert!(same(&got, &old), "the first renewal fails");
        assert_eq!(scene.credential.asked(), 2);
    });
}

/// Many whose token is refused at the same time make one request. When the new one is refused too,
/// it is not replaced again.
pub fn a_refusal_makes_one_request() {
    block_on(async {
        let scene = Scene::new(|_| None);
        let old = scene.tokens.get().await.expect("a token");
        let got = all((0..4).map(|_| scene.refused(&old)).collect()).await;
        let new = scene.tokens.get().await.expect("a token");
        assert!(!Arc::ptr_eq(&new, &old));
        assert!(same(&got, &new));
        assert_eq!(scene.credential.asked(), 2);
        let got = all((0..2).map(|_| scene.refused(&new)).collect()).await;
        assert!(same(&got, &new), "asking again would be of no use");
        assert_eq!(scene.credential.asked(), 2);
    });
}

/// A refusal and a renewal of the same token at the same time make one request.
pub fn a_refusal_during_a_renewal_makes_one_request() {
    block_on(async {
        let scene = Scene::new(|_| None);
        let old = scene.tokens.get().await.expect("a token");
        time::pass(1);
        let got = all(vec![scene.refused(&old), scene.refused(&old)]).await;
        let new = scene.tokens.get().await.expect("a token");
        assert!(same(&got, &new));
        assert_eq!(scene.credential.asked(), 2);
    });
}

/// One who gives up, waiting or in the middle of a request, as at a deadline, holds nobody up.
pub fn one_who_gives_up_holds_nobody_up() {
    block_on(async {
        let scene = Scene::new(|_| None);
        let impatient = [scene.wanting(), scene.wanting()];
        let patient = vec![scene.wanting(), scene.wanting()];
        for handle in &impatient {
            yield_now().await;
            handle.abort();
        }
        let got = all(patient).await;
        let token = scene.tokens.get().await.expect("a token");
        assert!(same(&got, &token));
        // Each of the impatient may have taken one request with it.
        assert!((1..=3).contains(&scene.credential.asked()));
    });
}

/// A used token is renewed when its time comes, by one request, however many use it; one that
/// nobody uses is not, until it is used again.
pub fn a_used_token_is_renewed_once() {
    block_on(async {
        let scene = Scene::new(|_| None);
        let first = scene.tokens.get().await.expect("a token");
        time::pass(1);
        let got = all((0..2).map(|_| scene.wanting()).collect()).await;
        assert!(got.iter().all(Option::is_some));
        let second = scene.another_than(&first).await;
        assert_eq!(scene.credential.asked(), 2);
        // Whoever used it since then has it renewed once more at most.
        time::pass(8);
        for _ in 0..20 {
            yield_now().await;
        }
        assert!(scene.credential.asked() <= 3, "renewed although nobody uses it");
        drop(second);
    });
}
