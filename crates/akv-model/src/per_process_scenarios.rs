//! Scenarios of [`PerProcess`](crate::process::per_process::PerProcess): a race for the first use, failures,
//! and forks at every step.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use crate::{
    process::per_process::PerProcess,
    process::{self, FIRST, ProcessId, step},
};

/// How often values were created and dropped, in their own process and in others.
#[derive(Default)]
struct Counts {
    made: AtomicUsize,
    dropped: AtomicUsize,
    dropped_by_others: AtomicUsize,
}

/// A value that records its process.
struct Value {
    process: ProcessId,
    counts: Arc<Counts>,
}

impl Value {
    /// Takes some steps, like the start of a runtime.
    fn make(counts: &Arc<Counts>) -> Self {
        let process = process::current();
        step();
        counts.made.fetch_add(1, Relaxed);
        step();
        Self { process, counts: Arc::clone(counts) }
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        if let Some(process) = process::of_this_task() {
            let own = process == self.process;
            let counter = if own { &self.counts.dropped } else { &self.counts.dropped_by_others };
            counter.fetch_add(1, Relaxed);
        }
    }
}

type Cell = Arc<PerProcess<Value>>;

/// Uses the value, and checks that it belongs to this process.
fn use_once(cell: &Cell, counts: &Arc<Counts>) {
    let value = cell.get_or_try_init(|| Ok::<_, ()>(Value::make(counts)));
    let Ok(value) = value else { panic!("making it does not fail") };
    if let Some(process) = process::of_this_task() {
        assert_eq!(value.process, process, "a value of another process");
    }
}

fn new() -> (Cell, Arc<Counts>) {
    process::reset();
    (Arc::new(PerProcess::new()), Arc::default())
}

/// Starts a detached task, which a fork leaves behind.
fn start(work: impl FnOnce() + Send + 'static) {
    crate::spawn(async move { work() });
}

/// Concurrent threads create one value.
pub fn a_race_makes_one_value() {
    let (cell, counts) = new();
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let (cell, counts) = (Arc::clone(&cell), Arc::clone(&counts));
            shuttle::thread::spawn(move || use_once(&cell, &counts))
        })
        .collect();
    use_once(&cell, &counts);
    for thread in threads {
        thread.join().expect("no panic");
    }
    assert_eq!(counts.made.load(Relaxed), 1);
    drop(cell);
    assert_eq!(counts.dropped.load(Relaxed), 1, "one's own value is dropped");
}

/// A failure is returned to the caller that met it, and the next call tries again.
pub fn a_failure_is_not_kept() {
    let (cell, counts) = new();
    let tries = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let (cell, counts, tries) =
                (Arc::clone(&cell), Arc::clone(&counts), Arc::clone(&tries));
            shuttle::thread::spawn(move || {
                let value = cell.get_or_try_init(|| {
                    step();
                    if tries.fetch_add(1, Relaxed) == 0 {
                        Err(())
                    } else {
                        Ok(Value::make(&counts))
                    }
                });
                value.is_err()
            })
        })
        .collect();
    let failed = threads.into_iter().map(|thread| usize::from(thread.join().expect("no panic")));
    assert_eq!(failed.sum::<usize>(), 1);
    assert_eq!((tries.load(Relaxed), counts.made.load(Relaxed)), (2, 1));
}

/// A child that is forked at any step of its parent's threads uses its own value, waits for no
/// thread that does not exist, and drops nothing of its parent's; so does its own child.
pub fn a_child_has_its_own() {
    let (cell, counts) = new();
    for _ in 0..2 {
        let (cell, counts) = (Arc::clone(&cell), Arc::clone(&counts));
        start(move || use_once(&cell, &counts));
    }
    step();
    step();
    process::fork();
    use_once(&cell, &counts);
    {
        let (cell, counts) = (Arc::clone(&cell), Arc::clone(&counts));
        start(move || {
            process::join(FIRST.child());
            use_once(&cell, &counts);
        });
    }
    use_once(&cell, &counts);
    step();
    process::fork();
    use_once(&cell, &counts);
    use_once(&cell, &counts);
    process::end();
    let made = counts.made.load(Relaxed);
    assert!((2..=3).contains(&made), "{made} values for three processes");
    assert_eq!(counts.dropped.load(Relaxed) + counts.dropped_by_others.load(Relaxed), 0);
}

/// A child that discards an inherited value without having used it drops nothing of its parent's.
pub fn a_child_drops_nothing_of_its_parents() {
    let (cell, counts) = new();
    // A second task, since there is nothing to schedule with one.
    start(step);
    use_once(&cell, &counts);
    process::fork();
    drop(cell);
    process::end();
    assert_eq!(counts.made.load(Relaxed), 1);
    assert_eq!(counts.dropped.load(Relaxed) + counts.dropped_by_others.load(Relaxed), 0);
}

/// No system does this, but it must work: the threads of two processes use the same cell
/// concurrently. Each gets values of its own process, and no thread waits for ever.
pub fn two_processes_at_once() {
    let (cell, counts) = new();
    let threads: Vec<_> = [FIRST, FIRST, FIRST.child(), FIRST.child()]
        .into_iter()
        .map(|process| {
            let (cell, counts) = (Arc::clone(&cell), Arc::clone(&counts));
            shuttle::thread::spawn(move || {
                process::join(process);
                use_once(&cell, &counts);
                use_once(&cell, &counts);
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no panic");
    }
    assert_eq!(counts.dropped_by_others.load(Relaxed), 0);
}
