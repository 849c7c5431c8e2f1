//! The synchronization primitives of `per_process`, `circuit`, `token_cache`, `outcome` and `helm`, named here
//! so that `akv-model` can replace them by those of a model checker.

pub(crate) use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicU64},
};

/// The current time.
pub(crate) fn now() -> std::time::SystemTime {
    std::time::SystemTime::now()
}
