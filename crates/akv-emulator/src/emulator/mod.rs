//! The emulator as a library: its handle, and calls without HTTP.

mod behaviour;
mod builder;
mod identity;
mod keys;

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

pub use self::builder::Builder;

use tokio::{runtime::Runtime, task::JoinHandle};

use crate::{error::ApiError, state::State, stats::Stats, sync::lock};

/// Why the emulator did not start or a key was not created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A failure of a listener, a certificate or the state folder.
    #[error("the emulator could not start: {0}")]
    Io(#[from] io::Error),
    /// The emulated service refused a key, with its message.
    #[error("the emulated service refused: {0}")]
    Refused(String),
}

impl From<ApiError> for Error {
    fn from(error: ApiError) -> Self {
        Self::Refused(format!("{} {}: {}", error.status.as_u16(), error.code, error.message))
    }
}

/// A running emulator; dropping it stops it.
pub struct Emulator {
    pub(crate) endpoint: String,
    pub(crate) imds_endpoint: String,
    pub(crate) arc_endpoint: String,
    pub(crate) identity_endpoint: String,
    pub(crate) address: SocketAddr,
    pub(crate) state: Arc<State>,
    pub(crate) accepting: Mutex<Vec<JoinHandle<()>>>,
    pub(crate) runtime: Mutex<Option<Runtime>>,
}

impl Emulator {
    /// Options, all with defaults.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// `https://ADDRESS:PORT` of the data plane.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Address of the HTTPS listener.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate of the CA to trust, in PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.state.tls.ca_pem
    }

    /// Counters since the start or the last reset.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.state.counters.snapshot()
    }

    /// Sets all counters to zero.
    pub fn reset_stats(&self) {
        self.state.counters.reset();
    }

    /// Closes the listeners: new connections are refused, open ones continue.
    pub fn stop_accepting(&self) {
        let tasks = std::mem::take(&mut *lock(&self.accepting));
        let runtime = lock(&self.runtime);
        for task in &tasks {
            task.abort();
        }
        if let Some(runtime) = runtime.as_ref() {
            // A listener is closed when its task ends; wait for that outside of any runtime.
            let handle = runtime.handle().clone();
            let waiting = std::thread::spawn(move || {
                for task in tasks {
                    let _ = handle.block_on(task);
                }
            });
            let _ = waiting.join();
        }
    }

    /// Stops the emulator and closes all its connections.
    pub fn shutdown(&self) {
        self.stop_accepting();
        if let Some(runtime) = lock(&self.runtime).take() {
            // A runtime must not be dropped inside another one, and the caller may be in one.
            let stopping = std::thread::spawn(move || {
                runtime.shutdown_timeout(Duration::from_secs(2));
            });
            let _ = stopping.join();
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.shutdown();
    }
}

impl std::fmt::Debug for Emulator {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Emulator").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}
