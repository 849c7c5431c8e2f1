//! The Rust API.

mod ciphers;
mod keys;
mod signatures;
mod symmetric;

use std::future::Future;

use akv_core::VaultKind;
use anyhow::Result;

use crate::{
    case::{Case, Front, Stopwatch},
    stage::Stage,
};

pub(super) fn cases(kind: VaultKind) -> Vec<Case> {
    let mut cases = keys::cases(kind);
    cases.extend(signatures::cases(kind));
    cases.extend(ciphers::cases());
    if kind == VaultKind::ManagedHsm {
        cases.extend(symmetric::cases());
    }
    cases
}

fn case(
    name: impl Into<String>,
    body: impl Fn(&Stage, &Stopwatch) -> Result<()> + 'static,
) -> Case {
    Case::new(Front::RustApi, name, body)
}

/// Runs an operation of the async API and measures it.
fn timed<T>(
    stage: &Stage,
    watch: &Stopwatch,
    operation: impl Future<Output = akv_core::Result<T>>,
) -> Result<T> {
    watch.time(|| stage.block_on(operation))
}
