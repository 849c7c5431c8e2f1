//! Servers of Debian, on free ports.

pub(crate) mod haproxy;
pub(crate) mod nginx;
mod place;

use std::{
    net::{Ipv4Addr, TcpListener},
    time::Duration,
};

use akv_tests::{Server, Task};
use anyhow::{Context as _, Result};

pub(crate) use self::place::Place;

/// How long a server may take to start.
const LIMIT: Duration = Duration::from_secs(60);

/// Another program may take a free port before the server does.
const ATTEMPTS: u32 = 5;

/// A server, which ends when it is dropped.
pub(crate) struct Running {
    pub(crate) port: u16,
    server: Server,
}

impl Running {
    /// What it has printed.
    pub(crate) fn output(&self) -> String {
        self.server.output()
    }
}

/// Starts a server on a free port. It is ready when it has printed `times` lines that `is_ready`.
fn start(
    task: impl Fn(u16) -> Result<Task>,
    times: usize,
    is_ready: impl Fn(&str) -> bool + Clone + Send + Sync + 'static,
) -> Result<Running> {
    let mut failure = None;
    for _ in 0..ATTEMPTS {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let (is_ready, seen) = (is_ready.clone(), std::sync::atomic::AtomicUsize::new(0));
        let ready = move |line: &str| {
            let before = || seen.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            (is_ready(line) && before() + 1 == times).then_some(())
        };
        match Server::start(task(port)?, LIMIT, ready) {
            Ok((server, ())) => return Ok(Running { port, server }),
            Err(error) if format!("{error:#}").contains("in use") => failure = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(failure.context("no free port")?)
}
