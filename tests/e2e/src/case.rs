//! One case, and its result.

use std::sync::LazyLock;
use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Error;
use regex::Regex;

use crate::stage::Stage;

/// The interface that a case uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Front {
    RustApi,
    Provider,
    Engine,
    CApi,
    Nginx,
}

impl fmt::Display for Front {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::RustApi => "rust",
            Self::Provider => "provider",
            Self::Engine => "engine",
            Self::CApi => "c-api",
            Self::Nginx => "nginx",
        })
    }
}

type Body = Box<dyn Fn(&Stage, &Stopwatch) -> anyhow::Result<()>>;

/// A case.
pub(crate) struct Case {
    pub(crate) front: Front,
    pub(crate) name: String,
    /// Whether it creates keys for others: such a case runs even if it was not selected.
    pub(crate) makes_keys: bool,
    pub(crate) body: Body,
}

impl Case {
    pub(crate) fn new(
        front: Front,
        name: impl Into<String>,
        body: impl Fn(&Stage, &Stopwatch) -> anyhow::Result<()> + 'static,
    ) -> Self {
        Self { front, name: name.into(), makes_keys: false, body: Box::new(body) }
    }

    /// A case whose keys others use.
    pub(crate) fn making_keys(self) -> Self {
        Self { makes_keys: true, ..self }
    }
}

/// Measures single operations.
#[derive(Debug, Default)]
pub(crate) struct Stopwatch(Mutex<Vec<Duration>>);

impl Stopwatch {
    /// Runs an operation and records its time if it succeeded.
    pub(crate) fn time<T, E>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let start = Instant::now();
        let result = work()?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(start.elapsed());
        Ok(result)
    }

    /// The times, sorted.
    pub(crate) fn sorted(self) -> Vec<Duration> {
        let mut times = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        times.sort_unstable();
        times
    }
}

/// The reason why a case was not run. It counts as not passed.
#[derive(Clone, Debug)]
pub(crate) struct CannotRun(pub(crate) String);

impl fmt::Display for CannotRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CannotRun {}

/// The result of a case.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Passed,
    Failed { why: String, request_id: Option<String> },
    NotRun { why: String },
}

impl From<CannotRun> for Outcome {
    fn from(CannotRun(why): CannotRun) -> Self {
        Self::NotRun { why }
    }
}

impl From<Error> for Outcome {
    fn from(error: Error) -> Self {
        match error.downcast_ref::<CannotRun>() {
            Some(CannotRun(why)) => Self::NotRun { why: why.clone() },
            None => {
                let why = format!("{error:#}");
                Self::Failed { request_id: request_id(&error, &why), why }
            }
        }
    }
}

/// The request id of the failed request: from the library's error, or from a program's output.
fn request_id(error: &Error, text: &str) -> Option<String> {
    static PRINTED: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\(request id ([^)\s]+)\)").expect("a valid expression"));
    let of_library = error.chain().find_map(|cause| cause.downcast_ref::<akv_core::Error>());
    match of_library {
        Some(error) => error.request_id().map(str::to_owned),
        None => Some(PRINTED.captures(text)?[1].to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use anyhow::{Context as _, anyhow};

    use super::*;

    #[test]
    fn the_request_id_is_found_in_program_output() {
        let printed = "cannot sign: HTTP 403 Forbidden (request id 0a-b1): assign a role";
        let outcome = Outcome::from(anyhow!("{printed}").context("openssl"));
        let Outcome::Failed { request_id, why } = outcome else { panic!("{outcome:?}") };
        assert_eq!(request_id.as_deref(), Some("0a-b1"));
        assert!(why.starts_with("openssl: cannot sign"), "{why}");
    }

    #[test]
    fn a_case_that_cannot_run_is_neither_failed_nor_passed() {
        let error = Err::<(), _>(CannotRun("no nginx".into())).context("serving").unwrap_err();
        let outcome = Outcome::from(error);
        assert!(matches!(&outcome, Outcome::NotRun { why } if why == "no nginx"), "{outcome:?}");
    }

    #[test]
    fn only_successes_are_timed() {
        let watch = Stopwatch::default();
        watch.time(|| Ok::<_, ()>(())).unwrap();
        watch.time(|| Err::<(), _>(())).unwrap_err();
        assert_eq!(watch.sorted().len(), 1);
    }
}
