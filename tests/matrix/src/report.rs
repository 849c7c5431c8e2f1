//! Results.

use serde::{Deserialize, Serialize};

/// How a host does with one way to name the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Result {
    /// All checks passed; they are listed.
    Passed(String),
    /// It cannot work, for this reason.
    Impossible(String),
    /// A check failed.
    Failed(String),
}

/// A line of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The host.
    pub host: String,
    /// How it names the key.
    pub way: String,
    /// What came of it.
    pub result: Result,
}
