//! The releases of Debian.

use serde::{Deserialize, Serialize};

/// A release whose programs are linked with OpenSSL 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Release {
    /// bookworm
    Debian12,
    /// trixie
    Debian13,
    /// The release in development.
    Sid,
}

impl Release {
    /// As people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Debian12 => "Debian 12",
            Self::Debian13 => "Debian 13",
            Self::Sid => "Debian sid",
        }
    }
}
