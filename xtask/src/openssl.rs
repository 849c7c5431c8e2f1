//! Runs the modules' tests with several versions of OpenSSL.

mod build;
mod source;
mod suites;
mod table;

use akv_tests::Installation;
use anyhow::{Result, bail, ensure};

use self::{build::Cache, suites::Suites, table::Table};
use crate::{build::Build, needs};

/// A version of OpenSSL to run with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    /// The machine's version.
    System,
    /// One that is built here.
    Built(Release),
}

/// A release of OpenSSL whose sources are in a crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Release {
    /// OpenSSL's own number.
    number: &'static str,
    /// The version of the crate `openssl-src`.
    source: &'static str,
}

/// The machine's own; the last 1.1.1, which has only engines; Ubuntu 22.04's, whose store accepts
/// no references to keys (openssl/openssl#18221); the long-term release; the last 3.x; the first
/// without engines.
const VERSIONS: [Version; 6] = [
    Version::System,
    Version::Built(Release { number: "1.1.1w", source: "111.28.2" }),
    Version::Built(Release { number: "3.0.2", source: "300.0.5" }),
    Version::Built(Release { number: "3.5.5", source: "300.5.5" }),
    Version::Built(Release { number: "3.6.3", source: "300.6.1" }),
    Version::Built(Release { number: "4.0.3", source: "400.0.2" }),
];

impl Version {
    fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Built(release) => release.number,
        }
    }

    /// Whether `wanted` selects this version: its name, or a prefix of its number.
    fn is(self, wanted: &str) -> bool {
        let rest = self.name().strip_prefix(wanted);
        // A letter after the numbers is a release of 1.1.1.
        rest.is_some_and(|rest| {
            rest.is_empty() || rest.starts_with('.') || (rest == "w" && wanted == "1.1.1")
        })
    }
}

/// Runs the suites with the wanted versions, or with all, and prints the results.
pub(crate) fn matrix(wanted: &[String]) -> Result<()> {
    let versions = select(wanted)?;
    let missing = needs::install(&needs::FOR_OPENSSL)?;
    ensure!(missing.is_empty(), "{}", needs::explain(&missing));
    let modules = Build::default().run()?;
    let cache = Cache::open()?;
    let suites = Suites::compile(modules)?;
    let mut table = Table::default();
    for version in versions {
        let installation = match version {
            Version::System => Ok(Installation::system()),
            Version::Built(release) => cache.installation(release),
        };
        table
            .add(version.name(), installation.and_then(|found| suites.run(version.name(), &found)));
    }
    table.finish()
}

fn select(wanted: &[String]) -> Result<Vec<Version>> {
    for wanted in wanted {
        if !VERSIONS.iter().any(|version| version.is(wanted)) {
            let known: Vec<&str> = VERSIONS.iter().map(|version| version.name()).collect();
            bail!("no version {wanted:?}; there are {}", known.join(", "));
        }
    }
    let chosen = |version: &Version| wanted.is_empty() || wanted.iter().any(|w| version.is(w));
    Ok(VERSIONS.into_iter().filter(chosen).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(wanted: &[&str]) -> Vec<&'static str> {
        let wanted: Vec<String> = wanted.iter().map(|&wanted| wanted.to_owned()).collect();
        select(&wanted).expect("known versions").into_iter().map(Version::name).collect()
    }

    #[test]
    fn versions_are_chosen_by_their_first_numbers() {
        assert_eq!(names(&["4.0.3", "system"]), ["system", "4.0.3"]);
        assert_eq!(names(&["3.5"]), ["3.5.5"]);
        assert_eq!(names(&["3"]), ["3.0.2", "3.5.5", "3.6.3"]);
        assert_eq!(names(&["1.1.1"]), ["1.1.1w"]);
        assert_eq!(names(&["1.1.1w"]), names(&["1.1"]));
        assert_eq!(names(&[]).len(), VERSIONS.len());
    }

    #[test]
    fn an_unknown_version_is_refused_with_the_known_ones() {
        for wanted in ["3.", "3.50", "5", ""] {
            let error = select(&[wanted.to_owned()]).expect_err(wanted);
            assert!(error.to_string().contains("system, 1.1.1w, 3.0.2"), "{error}");
        }
    }
}
