//! Operations that are started and left.

use std::{
    ffi::{c_char, c_int},
    future::Future as _,
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use akv_core::{Error, ErrorKind, blocking};
use process_abi::{ProcessId, event::EventDescriptor};
use zeroize::Zeroizing;

use crate::{
    Key,
    buffer::{Room, bytes, hand_over, object, text},
    last_error::{Failed, call, invalid_argument},
};

/// An operation in flight. May be used by only one thread at a time.
pub struct Pending {
    state: State,
    /// The maximum length of the result in bytes.
    max_len: usize,
    /// The caller's descriptor, created on request.
    event: Option<Event>,
}

enum State {
    Signing(blocking::Pending<Vec<u8>>),
    Decrypting(blocking::Pending<Zeroizing<Vec<u8>>>),
    Ended(Result<Zeroizing<Vec<u8>>, Error>),
}

impl Pending {
    fn new(state: State, key: &blocking::Key) -> Self {
        // A plaintext is never longer than a signature.
        Self { state, max_len: key.public_key().signature_len(), event: None }
    }

    /// Waits for at most `limit`. Returns whether the operation has ended.
    fn wait(&mut self, limit: Duration) -> bool {
        let result = match &mut self.state {
            State::Signing(pending) => {
                pending.wait_for(limit).map(|result| result.map(Zeroizing::new))
            }
            State::Decrypting(pending) => pending.wait_for(limit),
            State::Ended(_) => return true,
        };
        if let Some(result) = result.transpose() {
            self.state = State::Ended(result);
        }
        // Only the last waker is woken, and that was the wait's.
        self.watch();
        matches!(self.state, State::Ended(_))
    }

    /// Makes the descriptor, if there is one, readable when the operation ends.
    fn watch(&mut self) {
        if let Some(signal) = self.event.as_ref().map(|event| Arc::clone(&event.signal))
            && self.poll(&Waker::from(Arc::clone(&signal)))
        {
            signal.wake();
        }
    }

    /// Wakes `waker` when the operation has ended, unless it has.
    fn poll(&mut self, waker: &Waker) -> bool {
        let mut context = Context::from_waker(waker);
        let polled = match &mut self.state {
            State::Signing(pending) => Pin::new(pending).poll(&mut context).map_ok(Zeroizing::new),
            State::Decrypting(pending) => Pin::new(pending).poll(&mut context),
            State::Ended(_) => return true,
        };
        let Poll::Ready(result) = polled else { return false };
        self.state = State::Ended(result);
        true
    }

    /// The descriptor that is readable once the operation has ended.
    fn descriptor(&mut self) -> io::Result<c_int> {
        if let Some(event) = &self.event {
            return Ok(event.number);
        }
        let descriptor = EventDescriptor::new()?;
        let number = descriptor.number();
        let signal = Arc::new(Signal(Mutex::new(Some(descriptor))));
        self.event = Some(Event { number, process: process_abi::current(), signal });
        self.watch();
        Ok(number)
    }
}

/// The caller's side of a [`Signal`].
struct Event {
    number: c_int,
    process: ProcessId,
    signal: Arc<Signal>,
}

impl Drop for Event {
    fn drop(&mut self) {
        if process_abi::current() == self.process {
            drop(self.signal.lock().take());
        } else if let Ok(mut descriptor) = self.signal.0.try_lock() {
            // In a child of `fork`, the lock may have been held by a thread of the parent.
            *descriptor = None;
        }
    }
}

/// Makes the descriptor readable, unless it has been closed. There is no duplicate, which would keep
/// it in the caller's epoll instance.
struct Signal(Mutex<Option<EventDescriptor>>);

impl Signal {
    fn lock(&self) -> MutexGuard<'_, Option<EventDescriptor>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        if let Some(descriptor) = &*self.lock() {
            descriptor.signal();
        }
    }
}

/// Starts to sign a digest in the vault, and returns at once; otherwise like `akv_sign`. Free the
/// operation with `akv_pending_cancel`.
///
/// # Safety
/// `key` is null or an open key; `algorithm` is null or a C string; `digest` is null or points to
/// `digest_len` bytes; `pending` is null or points to room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_sign_start(
    key: *const Key,
    algorithm: *const c_char,
    digest: *const u8,
    digest_len: usize,
    pending: *mut *mut Pending,
) -> i32 {
    call("akv_sign_start", || {
        // SAFETY: guaranteed by the caller.
        let (key, algorithm) = unsafe { (object(key)?.pair()?, text(algorithm)?.parse()?) };
        // SAFETY: the same.
        let digest = unsafe { bytes(digest, digest_len) }?;
        let start = || Ok(Pending::new(State::Signing(key.start_sign(algorithm, digest)?), key));
        // SAFETY: the same.
        unsafe { hand_over(pending, start) }
    })
}

/// Starts to decrypt in the vault, and returns at once; otherwise like `akv_decrypt` with a key pair.
/// Free the operation with `akv_pending_cancel`.
///
/// # Safety
/// `key` is null or an open key; `algorithm` is null or a C string; `ciphertext` is null or points to
/// `ciphertext_len` bytes; `pending` is null or points to room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_decrypt_start(
    key: *const Key,
    algorithm: *const c_char,
    ciphertext: *const u8,
    ciphertext_len: usize,
    pending: *mut *mut Pending,
) -> i32 {
    call("akv_decrypt_start", || {
        // SAFETY: guaranteed by the caller.
        let (key, algorithm) = unsafe { (object(key)?.pair()?, text(algorithm)?.parse()?) };
        // SAFETY: the same.
        let ciphertext = unsafe { bytes(ciphertext, ciphertext_len) }?;
        let start =
            || Ok(Pending::new(State::Decrypting(key.start_decrypt(algorithm, ciphertext)?), key));
        // SAFETY: the same.
        unsafe { hand_over(pending, start) }
    })
}

/// Returns in `*fd` a descriptor that becomes readable when the operation has ended, for event loops.
/// Do not read from it or close it; it is closed by `akv_pending_cancel`, which also removes
/// it from epoll instances. Where the system refuses this
/// library a thread, the operation continues only inside functions that wait.
///
/// # Safety
/// `pending` is null or from a function that starts an operation; `fd` is null or points to an int.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_pending_fd(pending: *mut Pending, fd: *mut c_int) -> i32 {
    call("akv_pending_fd", || {
        // SAFETY: guaranteed by the caller.
        let (pending, fd) = unsafe { (operation(pending)?, fd.as_mut()) };
        let fd = fd.ok_or_else(|| invalid_argument("the pointer to the descriptor is null"))?;
        *fd = pending.descriptor().map_err(|error| {
            Error::new(ErrorKind::Internal, format!("no descriptor for an operation: {error}"))
        })?;
        Ok(())
    })
}

/// Blocks until the operation has ended, successfully or not, for at most `milliseconds`. Fails with
/// `AKV_CODE_TIMEOUT` if it has not ended by then.
///
/// # Safety
/// As for `akv_pending_fd`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_pending_wait(pending: *mut Pending, milliseconds: u32) -> i32 {
    call("akv_pending_wait", || {
        // SAFETY: guaranteed by the caller.
        let pending = unsafe { operation(pending) }?;
        if pending.wait(Duration::from_millis(milliseconds.into())) {
            return Ok(());
        }
        let text = format!("the operation has not ended within {milliseconds} ms");
        Err(Error::new(ErrorKind::Timeout, text).into())
    })
}

/// Returns the result of the operation: the signature or plaintext, or the operation's error. Blocks
/// if it has not ended. May be called again, for example with a larger buffer.
///
/// # Safety
/// `pending` is null or from a function that starts an operation; `out` is null or has room for
/// `*len` bytes; `len` is null or points to a length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_pending_finish(
    pending: *mut Pending,
    out: *mut u8,
    len: *mut usize,
) -> i32 {
    call("akv_pending_finish", || {
        // SAFETY: guaranteed by the caller.
        let (pending, room) = unsafe { (operation(pending)?, Room::new(out, len)?) };
        let Some(room) = room.for_up_to(pending.max_len)? else { return Ok(()) };
        // The operation ends with its own deadline.
        while !pending.wait(Duration::MAX) {}
        match &pending.state {
            State::Ended(Ok(result)) => room.put(result),
            State::Ended(Err(error)) => Err(error.clone().into()),
            State::Signing(_) | State::Decrypting(_) => {
                Err(Error::new(ErrorKind::Internal, "the operation has not ended").into())
            }
        }
    })
}

/// Frees an operation. If it has not ended, it is cancelled; the service may have executed it
/// nevertheless.
///
/// # Safety
/// `pending` is null or from a function that starts an operation, and is not used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_pending_cancel(pending: *mut Pending) {
    // SAFETY: guaranteed by the caller.
    unsafe { c_abi::free_box::<Pending>(pending.cast()) }
}

/// # Safety
/// `pending` is null or points to a live operation that nothing else uses during `'a`.
unsafe fn operation<'a>(pending: *mut Pending) -> Result<&'a mut Pending, Failed> {
    // SAFETY: guaranteed by the caller.
    unsafe { pending.as_mut() }
        .ok_or_else(|| invalid_argument("the pointer to the operation is null"))
}
