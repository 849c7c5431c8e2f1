//! Waiting inside ASYNC jobs of the host.

use std::sync::Arc;
use std::task::Waker;

use akv_core::Settings;
use akv_core::blocking::{self, Block, Client, Pending, Wait};
use ossl_abi::guard::deep;
use ossl_abi::job::{InFlight, Jobs};

/// Pauses the current job of the host.
struct InJobs(Jobs);

impl Wait for InJobs {
    fn is_of_use(&self) -> bool {
        self.0.is_inside()
    }

    fn wait(&self, operation: &mut dyn blocking::InFlight) {
        self.0.wait(&mut Operation(operation));
    }
}

struct Operation<'a>(&'a mut dyn blocking::InFlight);

impl InFlight for Operation<'_> {
    fn has_ended(&mut self, waker: &Waker) -> bool {
        self.0.has_ended(waker)
    }

    fn canceller(&self) -> Box<dyn FnOnce() + Send> {
        self.0.canceller()
    }
}

/// A client whose operations pause the host's jobs, if it exports the functions for them.
pub fn client(jobs: Option<Jobs>, settings: Settings) -> Client {
    let wait: Arc<dyn Wait> = match jobs {
        Some(jobs) => Arc::new(InJobs(jobs)),
        None => Arc::new(Block),
    };
    Client::with_wait(settings, wait)
}

/// Waits for an operation on the caller's stack. For functions that are declared with `waits`.
///
/// # Errors
/// Those of the operation.
pub fn wait<T: Send + 'static, E: From<akv_core::Error>>(pending: Pending<T>) -> Result<T, E> {
    let result = pending.wait();
    // Errors are formatted.
    deep(|| result.map_err(E::from))
}
