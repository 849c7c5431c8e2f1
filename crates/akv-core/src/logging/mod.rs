//! Logging, for modules inside a host process.
//!
//! Nothing is logged unless the settings enable it. Tokens, secrets and plaintexts are never
//! logged, at any level.
//!
//! ```
//! use akv_core::{ErrorKind, Settings, logging};
//!
//! let settings = Settings::builder().option("log-level", "akv_core=loud")?.build()?;
//! assert_eq!(logging::init(&settings).unwrap_err().kind(), ErrorKind::Settings);
//! # Ok::<(), akv_core::Error>(())
//! ```

mod destination;

use tracing::Level;
use tracing_subscriber::{filter::Targets, layer::SubscriberExt as _};

use self::destination::Destination;
use crate::{Error, ErrorKind, Result, Settings};

/// Starts logging according to `log-level` and `log-file`. The first call in a process wins;
/// without `log-level` nothing happens. Levels are 0 to 3 (error, info, debug, trace), a level's
/// name, or a filter of `target=level` pairs.
///
/// Lines are written directly to the file descriptor, without a lock that a child of `fork` could
/// inherit. A descriptor that the host has closed is no longer used. The file is opened again, and
/// lines that cannot be written are dropped without an error.
///
/// ```
/// use akv_core::{Settings, logging};
///
/// let settings = Settings::builder().option("log-level", "akv_core=debug")?.build()?;
/// logging::init(&settings)?; // to standard error, without log-file
/// # Ok::<(), akv_core::Error>(())
/// ```
///
/// # Errors
/// The level is neither a level nor a filter, or the file cannot be opened.
pub fn init(settings: &Settings) -> Result<()> {
    let Some(level) = settings.log_level() else { return Ok(()) };
    let targets = targets(level)?;
    let destination = match settings.log_file() {
        Some(path) => Destination::file(path)?,
        None => Destination::standard_error()?,
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .log_internal_errors(false)
        .with_writer(destination);
    let subscriber = tracing_subscriber::registry().with(targets).with(lines);
    // Another library context of this process may have been first.
    let _ = tracing::subscriber::set_global_default(subscriber);
    warn_of_backtraces();
    Ok(())
}

/// The official client captures a backtrace for each missing header, and another thread may hold
/// the lock around that when this process forks.
fn warn_of_backtraces() {
    for variable in ["RUST_BACKTRACE", "RUST_LIB_BACKTRACE"] {
        if std::env::var_os(variable).is_some_and(|value| value != "0") {
            tracing::warn!("{variable} is set: a child of this process may hang; unset it");
        }
    }
}

/// Parses the level without starting to log.
#[cfg(any(test, fuzzing))]
pub(crate) fn check(settings: &Settings) {
    let _ = settings.log_level().map(targets);
}

/// 0 to 3 as in the predecessor, a level's name, or `target=level` pairs.
fn targets(level: &str) -> Result<Targets> {
    let own = |level| Targets::new().with_target("akv", level);
    Ok(match level.trim() {
        "0" => own(Level::ERROR),
        "1" => own(Level::INFO),
        "2" => own(Level::DEBUG),
        "3" => own(Level::TRACE),
        text => match text.parse::<Level>() {
            Ok(level) => own(level),
            Err(_) => text.parse().map_err(|error| {
                Error::new(
                    ErrorKind::Settings,
                    format!("invalid setting log-level = {text:?}: {error}"),
                )
                .hint("use 0 to 3, or a filter such as akv_core=debug")
            })?,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_numbers_names_or_filters() {
        let enabled = |text, target, level| targets(text).unwrap().would_enable(target, &level);
        assert!(enabled("1", "akv_core::token", Level::INFO));
        assert!(!enabled("1", "akv_core::token", Level::DEBUG));
        assert!(!enabled("3", "hyper", Level::ERROR), "numbers are about us only");
        assert!(enabled("debug", "akv_provider", Level::DEBUG));
        assert!(enabled("hyper=trace", "hyper::client", Level::TRACE));
        assert!(targets("akv_core=loud").is_err());
    }
}
