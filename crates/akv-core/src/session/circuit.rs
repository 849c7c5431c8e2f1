//! Fail fast: operations on a vault that does not respond fail at once.
//!
//! Without this, during an outage every operation waits until its deadline, one after the other,
//! and a blocking server serves no other client in that time. Each vault has a
//! [`Circuit`] for each kind of operation. It opens after three consecutive operations that reach
//! their deadline without any response. An operation counts only if no later one got a response:
//! while a vault responds to most requests, those that hang are not an outage. Once it is open,
//! operations of that kind fail at once, except for at most one probe a second. Only a response to
//! a probe closes the circuit.
//!
//! A circuit is a few numbers that are read and written without a lock, so a child of `fork` starts
//! with its parent's state and continues independently.
//!
//! `akv-model` compiles this file too, against primitives that a model checker schedules.

use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

use crate::process::primitives::AtomicU64;

/// The circuit opens after this number of consecutive operations without a response.
const UNANSWERED: u64 = 3;

/// Minimum number of milliseconds between the starts of two probes.
const PROBE_INTERVAL: u64 = 1_000;

/// Stands for no time: a circuit's clock is always later.
const NEVER: u64 = 0;

/// A circuit breaker for operations of one kind on one vault. Times are milliseconds of a clock
/// that starts at 1 and that a fork does not change.
#[derive(Debug)]
pub(crate) struct Circuit {
    /// A [`State`].
    state: AtomicU64,
    /// When it was last closed: operations that began earlier are ignored.
    closed: AtomicU64,
    /// When the last operation that got a response began.
    last_answered: AtomicU64,
    /// When the last probe began.
    last_probe: AtomicU64,
}

/// The part that changes atomically.
#[derive(Clone, Copy, Debug)]
struct State {
    /// When the circuit opened, or [`NEVER`] while it is closed: 40 bits, 34 years.
    opened: u64,
    /// Consecutive operations without a response: 8 bits.
    unanswered: u64,
    /// How often it was closed: 16 bits. A change that began before finds another number.
    closings: u64,
}

impl State {
    const fn unpack(bits: u64) -> Self {
        Self { opened: bits >> 24, unanswered: bits >> 16 & 0xff, closings: bits & 0xffff }
    }

    const fn pack(self) -> u64 {
        let Self { opened, unanswered, closings } = self;
        (opened & 0xff_ffff_ffff) << 24 | (unanswered & 0xff) << 16 | closings & 0xffff
    }
}

/// How to handle an operation while the circuit is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Run it normally: the circuit has just been closed.
    Normal,
    /// Return the error that there has been no response since then, and run the operation as a
    /// probe.
    Probe(u64),
    /// Only return the error.
    Refused(u64),
}

impl Circuit {
    pub(crate) fn new() -> Self {
        Self {
            state: AtomicU64::new(0),
            closed: AtomicU64::new(NEVER),
            last_answered: AtomicU64::new(NEVER),
            last_probe: AtomicU64::new(NEVER),
        }
    }

    /// Whether [`admit`](Self::admit) must be called. In the closed state this is an operation's
    /// only cost.
    pub(crate) fn is_open(&self) -> bool {
        State::unpack(self.state.load(Relaxed)).opened != NEVER
    }

    /// How to handle an operation that begins now.
    #[cold]
    pub(crate) fn admit(&self, now: u64) -> Admission {
        let since = State::unpack(self.state.load(Relaxed)).opened;
        if since == NEVER {
            return Admission::Normal;
        }
        let last = self.last_probe.load(Relaxed);
        let due = last == NEVER || now.saturating_sub(last) >= PROBE_INTERVAL;
        if due && self.last_probe.compare_exchange(last, now, Relaxed, Relaxed).is_ok() {
            Admission::Probe(since)
        } else {
            Admission::Refused(since)
        }
    }

    /// A normal operation, which began at `began`, got a response, successful or not.
    pub(crate) fn answered(&self, began: u64) {
        // Mostly this is the same millisecond.
        if self.last_answered.load(Relaxed) < began {
            self.last_answered.fetch_max(began, Relaxed);
        }
        if State::unpack(self.state.load(Relaxed)).unanswered != 0 {
            self.change(|state| Some(State { unanswered: 0, ..state }));
        }
    }

    /// A normal operation, which began at `began`, reached its deadline without any response.
    /// Returns whether this has opened the circuit.
    #[cold]
    pub(crate) fn unanswered(&self, began: u64, now: u64) -> bool {
        let new = self.change(|state| {
            let later_response =
                began < self.closed.load(Relaxed) || began <= self.last_answered.load(Relaxed);
            if later_response || state.opened != NEVER {
                return None;
            }
            let unanswered = state.unanswered + 1;
            Some(match unanswered {
                UNANSWERED.. => State { opened: now, unanswered: 0, ..state },
                _ => State { unanswered, ..state },
            })
        });
        new.is_some_and(|state| state.opened != NEVER)
    }

    /// A probe got a response: closes the circuit.
    #[cold]
    pub(crate) fn close(&self, now: u64) {
        self.closed.store(now, Relaxed);
        self.change(|state| {
            Some(State { opened: NEVER, unanswered: 0, closings: state.closings + 1 })
        });
    }

    /// Changes the state atomically, and returns the new state; `None` if there is nothing to
    /// change.
    fn change(&self, change: impl Fn(State) -> Option<State>) -> Option<State> {
        let mut bits = self.state.load(Acquire);
        loop {
            let new = change(State::unpack(bits))?;
            match self.state.compare_exchange(bits, new.pack(), AcqRel, Acquire) {
                Ok(_) => return Some(new),
                Err(other) => bits = other,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn open(at: u64) -> Circuit {
        let circuit = Circuit::new();
        let opened: Vec<_> = (0..UNANSWERED).map(|_| circuit.unanswered(at, at)).collect();
        assert_eq!(opened, [false, false, true]);
        circuit
    }

    #[test]
    fn opens_after_three_consecutive_operations_without_a_response() {
        let circuit = Circuit::new();
        for now in [10, 20] {
            assert!(!circuit.unanswered(now, now));
        }
        circuit.answered(25);
        for now in [30, 40] {
            assert!(!circuit.unanswered(now, now));
        }
        assert!(!circuit.is_open());
        assert_eq!(circuit.admit(45), Admission::Normal);
        assert!(circuit.unanswered(50, 50) && circuit.is_open());
        assert_eq!(circuit.admit(60), Admission::Probe(50));
    }

    #[test]
    fn probes_once_a_second_and_only_their_response_closes_it() {
        let circuit = open(100);
        assert_eq!(circuit.admit(101), Admission::Probe(100));
        for now in [101, 500, 1_100] {
            assert_eq!(circuit.admit(now), Admission::Refused(100));
        }
        assert_eq!(circuit.admit(1_101), Admission::Probe(100));
        // An operation that began before the circuit opened, and gets its response now.
        circuit.answered(90);
        assert!(circuit.is_open());
        circuit.close(1_150);
        assert!(!circuit.is_open());
    }

    #[test]
    fn operations_that_began_before_it_closed_do_not_reopen_it() {
        let circuit = open(100);
        circuit.close(200);
        for began in [90, 150, 199] {
            assert!(!circuit.unanswered(began, 300));
        }
        assert!(!circuit.is_open());
        let opened: Vec<_> = (0..3).map(|_| circuit.unanswered(200, 1_200)).collect();
        assert_eq!(opened, [false, false, true]);
    }

    #[test]
    fn operations_that_hang_while_later_ones_are_answered_do_not_open_it() {
        let circuit = Circuit::new();
        circuit.answered(100);
        for began in [10, 50, 80, 100] {
            assert!(!circuit.unanswered(began, began + 1_000));
        }
        // An earlier response, which came late, changes nothing.
        circuit.answered(20);
        assert!(!circuit.unanswered(100, 1_100));
        let opened: Vec<_> = [101, 120, 140].map(|began| circuit.unanswered(began, 1_200)).into();
        assert_eq!(opened, [false, false, true]);
    }

    /// A reference model: the rules as documented for users.
    #[derive(Default)]
    struct Model {
        in_a_row: u64,
        open: Option<u64>,
        closed: u64,
        answered: u64,
        last: Option<u64>,
    }

    #[derive(Clone, Debug)]
    enum Event {
        Begin,
        Answered { took: u64 },
        Unanswered { took: u64 },
        ProbeAnswered,
    }

    fn event() -> impl Strategy<Value = (u64, Event)> {
        let event = prop_oneof![
            3 => Just(Event::Begin),
            1 => (0..3_000_u64).prop_map(|took| Event::Answered { took }),
            4 => (0..3_000_u64).prop_map(|took| Event::Unanswered { took }),
            1 => Just(Event::ProbeAnswered),
        ];
        (0..700_u64, event)
    }

    proptest! {
        #[test]
        fn behaves_like_the_documented_model(events in proptest::collection::vec(event(), 1..80)) {
            let (circuit, mut model, mut now) = (Circuit::new(), Model::default(), 5_000);
            for (pause, event) in events {
                now += pause;
                match event {
                    Event::Begin => {
                        let expected = match model.open {
                            None => Admission::Normal,
                            Some(since) if model.last.is_none_or(|at| now - at >= 1_000) => {
                                model.last = Some(now);
                                Admission::Probe(since)
                            }
                            Some(since) => Admission::Refused(since),
                        };
                        prop_assert_eq!(circuit.admit(now), expected);
                    }
                    Event::Answered { took } => {
                        circuit.answered(now - took);
                        model.answered = model.answered.max(now - took);
                        model.in_a_row = 0;
                    }
                    Event::Unanswered { took } => {
                        circuit.unanswered(now - took, now);
                        let began = now - took;
                        let is_first = began >= model.closed && began > model.answered;
                        if is_first && model.open.is_none() {
                            model.in_a_row += 1;
                        }
                        if model.in_a_row >= 3 && model.open.is_none() {
                            model.open = Some(now);
                        }
                    }
                    Event::ProbeAnswered => {
                        circuit.close(now);
                        let Model { answered, last, .. } = model;
                        model = Model { closed: now, answered, last, ..Model::default() };
                    }
                }
                prop_assert_eq!(circuit.is_open(), model.open.is_some());
            }
        }
    }
}
