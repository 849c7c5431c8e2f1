//! The tokens of all audiences.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::token_cache::TokenSlot;

/// A slot for each audience: a vault's, a Managed HSM's. A list that only grows, without a lock, so
/// that a child of `fork` can read it regardless of what its parent was doing.
#[derive(Default)]
pub(super) struct TokenSlots(ArcSwap<Vec<Arc<TokenSlot>>>);

impl TokenSlots {
    /// The slot of an audience.
    pub(super) fn of(&self, scope: &str) -> Arc<TokenSlot> {
        let fresh = Arc::new(TokenSlot::new(scope.to_owned()));
        let find =
            |slots: &Vec<Arc<TokenSlot>>| slots.iter().find(|slot| slot.scope() == scope).cloned();
        self.0.rcu(|slots| match find(slots) {
            Some(_) => Vec::clone(slots),
            None => slots.iter().cloned().chain([Arc::clone(&fresh)]).collect(),
        });
        find(&self.0.load()).unwrap_or(fresh)
    }
}
