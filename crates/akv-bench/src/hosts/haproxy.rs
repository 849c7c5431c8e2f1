//! HAProxy with one thread.

use akv_tests::Site;
use anyhow::{Context as _, Result};

use super::{Place, Running, start};
use crate::keys::Pair;

/// Lets it start processes, and so threads.
const COMMON: &str = "nbthread 1\n insecure-fork-wanted";

/// How it signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// With a key in a file.
    Local,
    /// With a key in the vault.
    Blocking,
    /// As [`Mode::Blocking`], in ASYNC jobs.
    Async,
}

/// Its version and that of its OpenSSL.
pub(crate) fn version(place: &Place) -> Result<[String; 2]> {
    let printed = place.task("haproxy").arg("-vv").ok()?.text();
    read_version(&printed).with_context(|| format!("no version in {printed:?}"))
}

fn read_version(printed: &str) -> Option<[String; 2]> {
    let after = |start: &str| {
        let line = printed.lines().find_map(|line| line.split_once(start))?.1;
        Some(line.split([' ', '-']).next()?.to_owned())
    };
    Some([after("roxy version ")?, after("Running on OpenSSL version : OpenSSL ")?])
}

/// Starts it with this certificate and key. It responds itself, or passes requests on to a server
/// on the port `behind`.
pub(crate) fn run(
    place: &Place,
    site: &Site,
    pair: &Pair,
    mode: Mode,
    behind: Option<u16>,
) -> Result<Running> {
    let mut global = COMMON.to_owned();
    if mode != Mode::Local && place.uses_engine() {
        global.push_str("\n ssl-engine e_akv");
    }
    if mode == Mode::Async {
        global.push_str("\n ssl-mode-async");
    }
    let (response, backend) = match behind {
        None => ("http-request return status 200 content-type text/plain string ok", String::new()),
        Some(port) => {
            ("default_backend behind", format!("backend behind\n server one 127.0.0.1:{port}\n"))
        }
    };
    let task = |port| {
        let config = format!(
            "global\n {global}\n\
             defaults\n mode http\n timeout connect 5s\n timeout client 60s\n timeout server 60s\n\
             frontend tls\n bind 127.0.0.1:{port} ssl crt {} no-tls-tickets\n {response}\n{backend}",
            pair.both
        );
        let file = site.path("haproxy.cfg");
        std::fs::write(&file, config)?;
        let task = match mode {
            Mode::Local => place.task("haproxy"),
            _ => place.task_with_vault("haproxy", site),
        };
        Ok(task.args(["-W", "-db", "-f"]).arg(file))
    };
    // As its versions say it.
    start(task, 1, |line| line.contains("Loading success") || line.contains("New worker #1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_it_prints() {
        for (line, version) in [
            ("HA-Proxy version 2.2.9-2+deb11u6 2023/12/14", "2.2.9"),
            ("HAProxy version 3.0.11-1+deb13u1 2025/06/05 - https://haproxy.org/", "3.0.11"),
        ] {
            let printed = format!(
                "{line}\nBuilt with OpenSSL version : OpenSSL 1.1.1k  25 Mar 2021\n\
                 Running on OpenSSL version : OpenSSL 1.1.1w  11 Sep 2023\n"
            );
            let versions = [version, "1.1.1w"].map(str::to_owned);
            assert_eq!(read_version(&printed), Some(versions));
        }
        assert_eq!(read_version("usage"), None);
    }
}
