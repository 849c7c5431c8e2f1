//! What the current thread does for the runtime.

use std::cell::Cell;

thread_local! {
    static HERE: Cell<Here> = const { Cell::new(Here::Other) };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Here {
    /// It drives nothing, or it is our own thread.
    Other,
    /// It is a caller's that leads, while our own thread stands by.
    Leads,
    /// It is a caller's, in a process without a thread of ours.
    Unattended,
}

impl Here {
    pub(super) fn get() -> Self {
        HERE.get()
    }

    /// Holds until the result is dropped.
    pub(super) fn begin(self) -> impl Drop {
        Before(HERE.replace(self))
    }
}

struct Before(Here);

impl Drop for Before {
    fn drop(&mut self) {
        HERE.set(self.0);
    }
}
