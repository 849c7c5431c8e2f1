//! `arc_swap::ArcSwapOption` as its documentation describes it.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::process::step;

/// A slot for an `Arc` with atomic calls.
pub struct ArcSwapOption<T>(Mutex<Option<Arc<T>>>);

impl<T> ArcSwapOption<T> {
    /// An empty slot.
    pub const fn const_empty() -> Self {
        Self(Mutex::new(None))
    }

    /// The current value.
    pub fn load_full(&self) -> Option<Arc<T>> {
        self.at_once().clone()
    }

    /// The current value.
    pub fn load(&self) -> Option<Arc<T>> {
        self.load_full()
    }

    /// Replaces the value.
    pub fn store(&self, new: Option<Arc<T>>) {
        drop(self.swap(new));
    }

    /// Replaces the value, and returns the old one.
    pub fn swap(&self, new: Option<Arc<T>>) -> Option<Arc<T>> {
        std::mem::replace(&mut *self.at_once(), new)
    }

    /// Replaces the value if it is the same, and returns the old one.
    pub fn compare_and_swap(
        &self,
        current: &Option<Arc<T>>,
        new: Option<Arc<T>>,
    ) -> Option<Arc<T>> {
        let mut place = self.at_once();
        let before = place.clone();
        let same = before.as_ref().map(Arc::as_ptr) == current.as_ref().map(Arc::as_ptr);
        let replaced = if same { std::mem::replace(&mut *place, new) } else { None };
        drop(place);
        // Dropping it may run steps, which must not happen with the lock held.
        drop(replaced);
        before
    }

    /// The lock belongs to the only real thread; it is never held across a step of the model.
    fn at_once(&self) -> MutexGuard<'_, Option<Arc<T>>> {
        step();
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> fmt::Debug for ArcSwapOption<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ArcSwapOption")
    }
}
