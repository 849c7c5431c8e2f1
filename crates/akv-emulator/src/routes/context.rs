//! An authorized request, and its key.

use std::{collections::HashMap, sync::Arc};

use serde_json::Value;

use crate::{
    call::Call,
    error::ApiError,
    persona::{Persona, Target},
    state::State,
    store::{Key, KeyVersion},
};

/// An authorized request.
pub(super) struct Context<'a> {
    pub(super) state: &'a Arc<State>,
    pub(super) target: &'a Target,
    pub(super) call: &'a Call,
    pub(super) query: HashMap<String, String>,
    /// The body as JSON; null if there is none.
    pub(super) body: Value,
}

impl Context<'_> {
    pub(super) fn persona(&self) -> Persona {
        self.target.persona
    }

    /// Whether the deletion of a key, or of its certificate, is in progress.
    pub(super) fn is_deleting(&self, key: &Key) -> bool {
        let (recovery, now) = (&self.target.recovery, self.state.clock.now());
        key.deleted.is_some_and(|deleted| recovery.is_deleting(deleted, now))
    }

    /// The version of the key that the request names, or the current one, and the key's name.
    pub(super) fn version(&self) -> Result<(String, Arc<KeyVersion>), ApiError> {
        let (store, call) = (&self.state.store, self.call);
        store
            .version(&self.target.vault, &call.name, call.version.as_deref())
            .ok_or_else(|| self.not_found())
    }

    pub(super) fn not_found(&self) -> ApiError {
        ApiError::key_not_found(self.persona(), &self.target.base, &self.call.id())
    }
}
