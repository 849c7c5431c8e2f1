//! Operations in flight.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use super::{GRACE, InFlight, Wait};
use crate::{
    Error, ErrorKind, Result,
    process::driver::{self, Run},
    session::Session,
};

/// An operation in flight, from a method such as [`Key::start_sign`](super::Key::start_sign).
///
/// It runs in the background until it has a result: it can be waited for, polled like any future,
/// or left alone. Dropping it cancels the operation; the service may have executed it nevertheless.
/// If the system refuses a thread, it continues only while a thread waits for an operation.
///
/// ```no_run
/// use akv_core::{SignatureAlgorithm::Es256, blocking::Key};
///
/// # fn example(keys: [Key; 2], digest: [u8; 32]) -> akv_core::Result<()> {
/// // Both requests are in flight at the same time, on one thread.
/// let pending = keys.each_ref().map(|key| key.start_sign(Es256, &digest));
/// for signature in pending {
///     println!("{} bytes", signature?.wait()?.len());
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "dropping it cancels the operation"]
pub struct Pending<T: Send + 'static>(State<T>);

enum State<T> {
    Running(Running<T>),
    /// The result was there from the start; `None` once it is taken. In a box, so that the type is
    /// small whatever the result: it may lie on the stack of an OpenSSL ASYNC job.
    Known(Option<Box<Result<T>>>),
}

/// A value that no request is needed for.
impl<T: Send + 'static> From<T> for Pending<T> {
    fn from(value: T) -> Self {
        Self(State::Known(Some(Box::new(Ok(value)))))
    }
}

impl<T: Send + 'static> Pending<T> {
    /// Starts an operation of this session.
    ///
    /// # Errors
    /// The runtime cannot be started.
    pub(super) fn start(
        session: &Session,
        operation: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<Self> {
        if session.wait().is_some() {
            return Self::start_to_wait(session, operation);
        }
        Ok(Self::running(session, driver::start(Box::pin(operation))?, limit(session)))
    }

    /// Starts an operation that the caller waits for next. If it can only block meanwhile, it may
    /// carry out the operation itself, here.
    ///
    /// # Errors
    /// The runtime cannot be started, or is lost.
    pub(super) fn start_to_wait(
        session: &Session,
        operation: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<Self> {
        let (operation, until) = (Box::pin(operation), limit(session));
        if session.wait().is_some_and(Wait::is_of_use) {
            return Ok(Self::running(session, driver::start(operation)?, until));
        }
        Ok(match driver::run(operation, until)? {
            Run::Ended(result) => Self(State::Known(Some(Box::new(result)))),
            Run::Started(operation) => Self::running(session, operation, until),
        })
    }

    fn running(session: &Session, operation: driver::Pending<T>, until: Instant) -> Self {
        Self(State::Running(Running { operation, session: session.clone(), until }))
    }

    /// Waits for the result: by the client's own [`Wait`], or by blocking the calling thread.
    ///
    /// # Errors
    /// The operation's own error; or the runtime's thread gave no result within the deadline and a
    /// quarter of a second, this thread must not block, or the result has been taken.
    pub fn wait(self) -> Result<T> {
        match self.0 {
            State::Running(running) => running.wait(),
            State::Known(result) => result.map_or_else(|| Err(taken()), |result| *result),
        }
    }

    /// Blocks the calling thread for at most `timeout`. Returns `None` if there is no result yet.
    ///
    /// # Errors
    /// As [`Self::wait`].
    pub fn wait_for(&mut self, timeout: Duration) -> Result<Option<T>> {
        match &mut self.0 {
            State::Running(running) => running.wait_for(timeout),
            State::Known(result) => {
                result.take().map_or_else(|| Err(taken()), |result| result.map(Some))
            }
        }
    }
}

impl<T: Send + 'static> Future for Pending<T> {
    type Output = Result<T>;

    /// Ready at the latest with the operation's own deadline, unless the system refuses a thread.
    /// Once it has returned the result, it is never ready again.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T>> {
        match &mut self.get_mut().0 {
            State::Running(running) => running.poll(context.waker()),
            State::Known(result) => {
                result.take().map_or(Poll::Pending, |result| Poll::Ready(*result))
            }
        }
    }
}

/// Nothing is pinned.
impl<T: Send + 'static> Unpin for Pending<T> {}

/// When to give up on an operation that starts now.
fn limit(session: &Session) -> Instant {
    Instant::now() + session.settings().timeout() + GRACE
}

#[cold]
fn taken() -> Error {
    Error::new(ErrorKind::Internal, "the result has already been taken")
}

/// An operation of the runtime.
struct Running<T> {
    operation: driver::Pending<T>,
    session: Session,
    /// When to give up on the runtime.
    until: Instant,
}

impl<T: Send + 'static> Running<T> {
    fn wait(self) -> Result<T> {
        let attended = self.operation.is_attended();
        if let Some(wait) = self.session.wait().filter(|_| attended)
            && let Some(result) = self.wait_by(wait)
        {
            return result;
        }
        self.operation.wait(self.until)?.ok_or_else(|| self.no_result())
    }

    fn wait_for(&self, timeout: Duration) -> Result<Option<T>> {
        self.operation.check_process()?;
        let until = Instant::now().checked_add(timeout).unwrap_or(self.until);
        match self.operation.wait(until.min(self.until))? {
            None if Instant::now() >= self.until => Err(self.no_result()),
            result => Ok(result),
        }
    }

    /// `None` if that left the rest to us.
    fn wait_by(&self, wait: &dyn Wait) -> Option<Result<T>> {
        let mut waited = Waited { running: self, result: None };
        wait.wait(&mut waited);
        waited.result
    }

    /// The result, or the reason why there will not be one.
    fn result(&self, waker: &Waker) -> Option<Result<T>> {
        if let Poll::Ready(result) = self.poll(waker) {
            return Some(result);
        }
        (Instant::now() >= self.until).then(|| Err(self.no_result()))
    }

    fn poll(&self, waker: &Waker) -> Poll<Result<T>> {
        // First, because in a child of `fork` a lock of the operation may be held for ever.
        match self.operation.check_process() {
            Ok(()) => self.operation.poll(waker),
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    #[cold]
    fn no_result(&self) -> Error {
        let limit = self.session.settings().timeout() + GRACE;
        let text = format!("no result within {limit:?}: the runtime's thread is held up");
        Error::new(ErrorKind::Timeout, text)
    }
}

impl<T: Send + 'static> fmt::Debug for Pending<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").finish_non_exhaustive()
    }
}

/// An operation that a [`Wait`] waits for.
struct Waited<'a, T> {
    running: &'a Running<T>,
    result: Option<Result<T>>,
}

impl<T: Send + 'static> InFlight for Waited<'_, T> {
    fn has_ended(&mut self, waker: &Waker) -> bool {
        if self.result.is_none() {
            self.result = self.running.result(waker);
        }
        self.result.is_some()
    }

    fn canceller(&self) -> Box<dyn FnOnce() + Send> {
        self.running.operation.canceller()
    }
}
