//! The log, for modules that live in somebody else's process.
//!
//! Nothing is logged unless the settings ask for it. Tokens, secrets and plaintexts are never
//! logged, at no level.
//!
//! ```
//! use akv_core::{ErrorKind, Settings, logging};
//!
//! let settings = Settings::builder().option("log-level", "akv_core=loud")?.build()?;
//! assert_eq!(logging::init(&settings).unwrap_err().kind(), ErrorKind::Settings);
//! # Ok::<(), akv_core::Error>(())
//! ```

use crate::{Error, ErrorKind, Result, Settings};
use std::{
    fs::{File, OpenOptions},
    os::{fd::AsFd as _, unix::fs::OpenOptionsExt as _},
    path::Path,
    sync::Arc,
};
use tracing::Level;
use tracing_subscriber::{filter::Targets, layer::SubscriberExt as _};

/// Starts logging as `log-level` and `log-file` say. The first caller in a process wins; without
/// `log-level` nothing happens. Levels are 0 to 3 (error, info, debug, trace), a level's name, or
/// a filter of `target=level` pairs.
///
/// Lines are written straight to the file descriptor, without a lock that a child of `fork` could
/// inherit.
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
/// The level is no level and no filter, or the file cannot be opened.
pub fn init(settings: &Settings) -> Result<()> {
    let Some(level) = settings.log_level() else { return Ok(()) };
    let targets = targets(level)?;
    let file = Arc::new(match settings.log_file() {
        Some(path) => open(path)?,
        None => standard_error()?,
    });
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(file);
    let subscriber = tracing_subscriber::registry().with(targets).with(lines);
    // Another library context of this process may have been first.
    let _ = tracing::subscriber::set_global_default(subscriber);
    warn_of_backtraces();
    Ok(())
}

/// The official client makes a backtrace of each header that it misses, and the lock around that
/// may be held by another thread when this process forks.
fn warn_of_backtraces() {
    for variable in ["RUST_BACKTRACE", "RUST_LIB_BACKTRACE"] {
        if std::env::var_os(variable).is_some_and(|value| value != "0") {
            tracing::warn!("{variable} is set: a child of this process may hang; unset it");
        }
    }
}

/// Reads the level without logging anything.
#[cfg(any(test, fuzzing))]
pub(crate) fn check(settings: &Settings) {
    let _ = settings.log_level().map(targets);
}

/// 0 to 3 as the predecessor had them, a level's name, or `target=level` pairs.
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
                    format!("wrong setting log-level = {text:?}: {error}"),
                )
                .hint("use 0 to 3, or a filter such as akv_core=debug")
            })?,
        },
    })
}

/// A new file can be read by its owner and group, or by fewer if the umask says so. A file that is
/// there keeps its mode: whoever made it, such as logrotate, chose it.
fn open(path: &Path) -> Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o640).open(path).map_err(|error| {
        Error::new(ErrorKind::Settings, format!("the log file {path:?} cannot be opened: {error}"))
    })
}

fn standard_error() -> Result<File> {
    let owned = std::io::stderr().as_fd().try_clone_to_owned().map_err(|error| {
        Error::new(ErrorKind::Settings, format!("there is no standard error to log to: {error}"))
    })?;
    Ok(File::from(owned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs::Permissions, os::unix::fs::PermissionsExt as _};

    #[test]
    fn a_new_log_file_is_not_for_everybody() {
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        let new = folder.path().join("new.log");
        open(&new).unwrap();
        // What the umask of this process takes away is not known here.
        assert_eq!(mode(&new) & !0o640, 0, "{:o}", mode(&new));
        let there = folder.path().join("there.log");
        std::fs::write(&there, "first\n").unwrap();
        std::fs::set_permissions(&there, Permissions::from_mode(0o644)).unwrap();
        std::io::Write::write_all(&mut open(&there).unwrap(), b"second\n").unwrap();
        assert_eq!(mode(&there), 0o644);
        assert_eq!(std::fs::read(&there).unwrap(), b"first\nsecond\n", "it is appended to");
    }

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
