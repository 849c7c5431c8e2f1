//! The driver of a process in which the system refuses a thread.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    time::Instant,
};

use futures::future::select;
use process_abi::ProcessId;
use tokio::{
    runtime::{Handle, Runtime},
    task::AbortHandle,
};

use super::{
    Counted, Done, Driver, Task,
    descriptors::{Descriptors, LOOK},
    helm::Caller,
    here::Here,
    stack::Stacks,
};
use crate::{Error, ErrorKind, Result};

/// Callers drive the runtime while they wait, on our own stacks.
pub(super) struct Unattended {
    process: ProcessId,
    runtime: Arc<Runtime>,
    stacks: Stacks,
    descriptors: Arc<Descriptors>,
}

impl Unattended {
    pub(super) fn new(
        runtime: Arc<Runtime>,
        stacks: Stacks,
        descriptors: Arc<Descriptors>,
    ) -> Self {
        Self { process: process_abi::current(), runtime, stacks, descriptors }
    }

    pub(super) fn stacks(&self) -> &Stacks {
        &self.stacks
    }
}

impl Driver for Unattended {
    fn begin(self: Arc<Self>, _: Caller) -> Counted {
        Counted::by_nobody()
    }

    fn start(&self, task: Task) -> AbortHandle {
        let task = self.runtime.spawn(async {
            // The connections have not been polled since the last operation. This polls them, so
            // that a connection that the server has closed meanwhile is not used.
            tokio::task::yield_now().await;
            task.await;
        });
        task.abort_handle()
    }

    fn is_attended(&self) -> bool {
        false
    }

    fn is_of_this_process(&self) -> bool {
        process_abi::current() == self.process
    }

    fn lead(&self, _: Done<'_>, _: Instant) -> Result<()> {
        Ok(())
    }

    fn wait(&self, done: Done<'_>, until: Instant) -> Result<()> {
        if Handle::try_current().is_ok() {
            let text = "an async runtime runs on this thread, and the system gives no other thread";
            let hint = "use the async interface, or allow the process another thread";
            return Err(Error::new(ErrorKind::Internal, text).hint(hint));
        }
        let drive = || {
            let _here = Here::Unattended.begin();
            catch_unwind(AssertUnwindSafe(|| {
                self.runtime.block_on(async {
                    let lost = pin!(self.descriptors.until_lost());
                    let mut done = select(done, lost);
                    while Instant::now() < until {
                        let look = until.min(Instant::now() + LOOK);
                        if tokio::time::timeout_at(look.into(), &mut done).await.is_ok() {
                            break;
                        }
                    }
                });
            }))
        };
        let failed = |text: String| Error::new(ErrorKind::Internal, text);
        let driven = self.stacks.run(drive);
        driven
            .map_err(|error| failed(format!("no memory for a stack: {error}")))?
            .map_err(|_| failed("the runtime panicked; this is a bug".to_owned()))?;
        self.descriptors.check()
    }
}
