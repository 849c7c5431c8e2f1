//! What threads share things by in `per_process`, `circuit` and `token_cache`, named here so that
//! `akv-model` can put a model checker's primitives in their place.

pub(crate) use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU64},
};

/// What time it is.
pub(crate) fn now() -> std::time::SystemTime {
    std::time::SystemTime::now()
}
