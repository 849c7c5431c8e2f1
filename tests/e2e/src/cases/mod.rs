//! The list of cases, one file for each interface.

mod c_api;
mod engine;
mod judge;
mod nginx;
mod programs;
mod provider;
mod rust_api;

use akv_core::VaultKind;

use crate::case::Case;

/// Every case for such a vault, in the order in which they run.
pub(crate) fn all(kind: VaultKind) -> Vec<Case> {
    let mut cases = rust_api::cases(kind);
    cases.extend(provider::cases(kind));
    cases.extend(engine::cases());
    cases.extend(c_api::cases(kind));
    cases.extend(nginx::cases());
    cases
}
