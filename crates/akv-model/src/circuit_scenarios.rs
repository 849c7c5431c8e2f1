//! Scenarios of [`Circuit`]: threads that use it while it opens and closes.

use shuttle::{sync::Arc, thread};

use crate::circuit::{Admission, Circuit};

const OPEN_AT: u64 = 1_000;

fn open() -> Arc<Circuit> {
    let circuit = Arc::new(Circuit::new());
    for _ in 0..3 {
        circuit.unanswered(OPEN_AT, OPEN_AT);
    }
    assert!(circuit.is_open());
    circuit
}

/// Runs these concurrently, and returns their results.
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

/// If many operations get no response, exactly one opens the circuit, and all are counted.
pub fn three_concurrent_timeouts_open_it_once() {
    let circuit = Arc::new(Circuit::new());
    let opened = at_once(&circuit, 4, |circuit, _| circuit.unanswered(OPEN_AT, OPEN_AT));
    assert_eq!(opened.into_iter().filter(|opened| *opened).count(), 1);
    assert!(circuit.is_open());
}

/// Two without a response do not open it, whatever other responses arrive meanwhile.
pub fn two_do_not_open_it() {
    let circuit = Arc::new(Circuit::new());
    at_once(&circuit, 4, |circuit, index| match index {
        0 | 1 => drop(circuit.unanswered(OPEN_AT, OPEN_AT)),
        _ => circuit.answered(OPEN_AT),
    });
    assert!(!circuit.is_open());
}

/// Operations that hang do not open it if later ones have been answered.
pub fn responses_to_later_operations_keep_it_closed() {
    let circuit = Arc::new(Circuit::new());
    circuit.answered(OPEN_AT + 1);
    at_once(&circuit, 4, |circuit, index| match index {
        0 => circuit.answered(OPEN_AT - 1),
        _ => drop(circuit.unanswered(OPEN_AT, OPEN_AT + 1_000)),
    });
    assert!(!circuit.is_open());
}

/// Of many operations within a second, one is a probe.
pub fn one_probe_runs_a_second() {
    let circuit = open();
    for second in 1..3 {
        let now = OPEN_AT + second * 1_000;
        let admitted = at_once(&circuit, 4, move |circuit, index| {
            circuit.admit(now + u64::try_from(index).expect("few"))
        });
        let tried = admitted.iter().filter(|admitted| matches!(admitted, Admission::Probe(_)));
        assert_eq!(tried.count(), 1, "{admitted:?}");
    }
}

/// Responses to operations that began before do not close it. The response to a probe does,
/// permanently: operations that began before that do not open it again.
pub fn only_a_probe_closes_it() {
    let circuit = open();
    at_once(&circuit, 3, |circuit, _| circuit.answered(OPEN_AT - 1));
    assert!(circuit.is_open());
    at_once(&circuit, 4, |circuit, index| match index {
        0 => circuit.close(OPEN_AT + 500),
        // They may end before the circuit is closed, or after.
        _ => drop(circuit.unanswered(OPEN_AT, OPEN_AT + 500)),
    });
    assert!(!circuit.is_open());
}
