//! What threads share things by in [`crate::per_process`] and [`crate::token`], named here so that
//! `akv-model` can put a model checker's primitives in their place.

pub(crate) use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU64},
};
