//! Scenarios of [`Circuit`]: threads that use it while it opens and closes.

use crate::circuit::{Admission, Circuit};
use shuttle::{sync::Arc, thread};

const OPEN_AT: u64 = 1_000;

fn open() -> Arc<Circuit> {
    let circuit = Arc::new(Circuit::new());
    for _ in 0..3 {
        circuit.unanswered(OPEN_AT, OPEN_AT);
    }
    assert!(circuit.is_open());
    circuit
}

/// Runs these at the same time, and gives what they give.
fn at_once<T: Send + 'static>(
    circuit: &Arc<Circuit>,
    threads: usize,
    each: impl Fn(&Circuit, usize) -> T + Send + Sync + 'static,
) -> Vec<T> {
    let each = Arc::new(each);
    let start = |index| {
        let (circuit, each) = (Arc::clone(circuit), Arc::clone(&each));
        thread::spawn(move || each(&circuit, index))
    };
    let threads: Vec<_> = (0..threads).map(start).collect();
    threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
}

/// Of many operations without an answer exactly one opens the circuit, and all are counted.
pub fn three_at_once_open_it_once() {
    let circuit = Arc::new(Circuit::new());
    let opened = at_once(&circuit, 4, |circuit, _| circuit.unanswered(OPEN_AT, OPEN_AT));
    assert_eq!(opened.into_iter().filter(|opened| *opened).count(), 1);
    assert!(circuit.is_open());
}

/// Two without an answer do not open it, whatever else is answered meanwhile.
pub fn two_do_not_open_it() {
    let circuit = Arc::new(Circuit::new());
    at_once(&circuit, 4, |circuit, index| match index {
        0 | 1 => drop(circuit.unanswered(OPEN_AT, OPEN_AT)),
        _ => circuit.answered(),
    });
    assert!(!circuit.is_open());
}

/// Of many that come within a second one is tried.
pub fn one_is_tried_a_second() {
    let circuit = open();
    for second in 1..3 {
        let now = OPEN_AT + second * 1_000;
        let admitted = at_once(&circuit, 4, move |circuit, index| {
            circuit.admit(now + u64::try_from(index).expect("few"))
        });
        let tried = admitted.iter().filter(|admitted| matches!(admitted, Admission::Trial(_)));
        assert_eq!(tried.count(), 1, "{admitted:?}");
    }
}

/// The answers of those that began before do not close it; a trial's does, for good: what began
/// before that does not open it again.
pub fn only_a_trial_closes_it() {
    let circuit = open();
    at_once(&circuit, 3, |circuit, _| circuit.answered());
    assert!(circuit.is_open());
    at_once(&circuit, 4, |circuit, index| match index {
        0 => circuit.close(OPEN_AT + 500),
        // They may come before the circuit is closed, or after.
        _ => drop(circuit.unanswered(OPEN_AT, OPEN_AT + 500)),
    });
    assert!(!circuit.is_open());
}
