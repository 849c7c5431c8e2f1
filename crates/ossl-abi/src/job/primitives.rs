//! The synchronization primitives of `event`, named here so that `akv-model` can replace them by those
//! of a model checker.

pub(super) use std::sync::{Mutex, MutexGuard, PoisonError};
pub(super) use std::thread_local;
