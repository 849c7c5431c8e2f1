//! The Debian archives of this machine.

use anyhow::{Context as _, Result};
use xshell::{Shell, cmd};

/// The variable that names a Debian archive, for machines whose apt has none.
const VARIABLE: &str = "AKV_DEBIAN_MIRROR";

/// As [`VARIABLE`], for the updates.
const SECURITY_VARIABLE: &str = "AKV_DEBIAN_SECURITY_MIRROR";

/// The archives that this machine's apt is configured with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mirror {
    /// The releases.
    pub(crate) main: String,
    /// Their updates, if configured.
    pub(crate) security: Option<String>,
}

impl Mirror {
    pub(crate) fn find() -> Result<Self> {
        let named = |variable| std::env::var(variable).ok().filter(|url| !url.is_empty());
        if let Some(main) = named(VARIABLE) {
            return Ok(Self { main, security: named(SECURITY_VARIABLE) });
        }
        let shell = Shell::new()?;
        let format = "$(ORIGIN)|$(LABEL)|$(REPO_URI)";
        let only = "Created-By: Packages";
        let output = cmd!(shell, "apt-get indextargets --format {format} {only}").quiet().read()?;
        Self::read(&output).with_context(|| {
            format!(
                "this machine's apt has no archive of Debian (or needs `apt-get update` first); \
                 {VARIABLE} names one, and {SECURITY_VARIABLE} one for updates"
            )
        })
    }

    /// Parses lines of origin, label and URL.
    fn read(output: &str) -> Option<Self> {
        let url = |wanted: &str| {
            output.lines().find_map(|line| {
                let (who, url) = line.rsplit_once('|')?;
                (who == wanted).then(|| url.trim_end_matches('/').to_owned())
            })
        };
        Some(Self { main: url("Debian|Debian")?, security: url("Debian|Debian-Security") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_identified_by_origin_and_label() {
        let output = "Node Source|Node Source|https://node.test/\n\
             Debian|Debian-Security|http://mirror.test/security/\n\
             Debian|Debian|http://mirror.test/debian/\nDebian|Debian|http://other.test/debian/\n";
        let mirror = Mirror::read(output).expect("an archive");
        assert_eq!(mirror.main, "http://mirror.test/debian");
        assert_eq!(mirror.security.as_deref(), Some("http://mirror.test/security"));
        assert_eq!(Mirror::read("Ubuntu|Ubuntu|http://mirror.test/ubuntu/"), None);
    }
}
