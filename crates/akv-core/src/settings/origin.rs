//! Where the value of a setting came from.

use std::fmt;

/// Where the value of a setting came from. Later variants take precedence over earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// Not set.
    Default,
    /// A configuration file: [`Builder::option`](super::Builder::option).
    File,
    /// The environment variable of this name.
    Environment(&'static str),
    /// The command line: [`Builder::argument`](super::Builder::argument).
    Argument,
}

impl Origin {
    /// The setting `name` as this origin spells it: `timeout`, `AKV_TIMEOUT`, `--timeout`.
    pub(super) fn spelling(self, name: &str) -> String {
        match self {
            Self::Default | Self::File => name.to_owned(),
            Self::Environment(variable) => variable.to_owned(),
            Self::Argument => format!("--{name}"),
        }
    }
}

impl Origin {
    /// As [`spelling`](Self::spelling), together with the setting's own name.
    pub(super) fn named(self, name: &str) -> String {
        match self {
            Self::Environment(variable) => format!("{name} ({variable})"),
            other => other.spelling(name),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File => f.write_str("configuration file"),
            Self::Environment(variable) => f.write_str(variable),
            Self::Argument => f.write_str("command line"),
        }
    }
}

/// A setting in force; see [`Settings::in_force`](crate::Settings::in_force).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Setting {
    /// The name in an `openssl.cnf` section.
    pub name: &'static str,
    /// The value as it was written, or the default; `None` if there is no default.
    pub value: Option<String>,
    /// Where the value came from.
    pub origin: Origin,
}
