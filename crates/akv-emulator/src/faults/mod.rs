//! Configurable faults, such as a network, a proxy or an overloaded service causes.

mod fault;
mod kind;

use std::sync::Mutex;

use aws_lc_rs::rand;

pub use self::{fault::Fault, kind::FaultKind};
use crate::{operation::Operation, sync::lock};

/// The queued faults, in the order in which they were added.
#[derive(Default)]
pub(crate) struct Faults {
    waiting: Mutex<Vec<Fault>>,
}

impl Faults {
    pub(crate) fn add(&self, fault: Fault) {
        lock(&self.waiting).push(fault);
    }

    /// The queued faults, with their remaining counts.
    pub(crate) fn list(&self) -> Vec<Fault> {
        lock(&self.waiting).clone()
    }

    pub(crate) fn clear(&self) {
        lock(&self.waiting).clear();
    }

    /// Takes a fault of exactly this kind for a connection; false if there is none.
    pub(crate) fn strike_connection(&self, kind: &FaultKind) -> bool {
        !self.take(|fault| fault.kind == *kind).is_empty()
    }

    /// Takes the faults of a request: the first one in the queue, and all that combine.
    pub(crate) fn strike(&self, operation: Operation) -> Vec<FaultKind> {
        self.take(|fault| !fault.kind.on_connection() && fault.matches(operation))
    }

    fn take(&self, matches: impl Fn(&Fault) -> bool) -> Vec<FaultKind> {
        let mut waiting = lock(&self.waiting);
        let mut struck = Vec::new();
        let mut exclusive = false;
        for fault in waiting.iter_mut() {
            let free = fault.kind.combines() || !exclusive;
            if free && matches(fault) && happens(fault.probability) {
                exclusive |= !fault.kind.combines();
                struck.push(fault.kind.clone());
                if let Some(times) = &mut fault.times {
                    *times = times.saturating_sub(1);
                }
            }
        }
        waiting.retain(|fault| fault.times != Some(0));
        struck
    }
}

fn happens(probability: f64) -> bool {
    if probability >= 1.0 {
        return true;
    }
    let mut random = [0; 4];
    rand::fill(&mut random).is_ok()
        && f64::from(u32::from_be_bytes(random)) < probability * f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn faults_apply_in_order_and_expire() {
        let faults = Faults::default();
        faults.add(Fault::throttled().on(Operation::Sign).times(2));
        faults.add(Fault::status(503));
        faults.add(Fault::latency(Duration::from_millis(5)).forever());
        let latency = FaultKind::Latency { millis: 5 };
        let status = |status| FaultKind::Status { status, retry_after: None };
        assert_eq!(faults.strike(Operation::GetKey), [status(503), latency.clone()]);
        assert_eq!(faults.strike(Operation::Sign), [status(429), latency.clone()]);
        assert_eq!(faults.strike(Operation::Sign), [status(429), latency.clone()]);
        assert_eq!(faults.strike(Operation::Sign), [latency]);
        assert!(faults.strike(Operation::Token).is_empty());
        faults.clear();
        assert!(faults.strike(Operation::Sign).is_empty());
    }

    #[test]
    fn faults_apply_with_their_probability() {
        let faults = Faults::default();
        faults.add(Fault::throttled().forever().probability(0.5));
        let struck = (0..1000).filter(|_| !faults.strike(Operation::Sign).is_empty()).count();
        assert!((350..650).contains(&struck), "{struck}");
        faults.clear();
        faults.add(Fault::throttled().forever().probability(0.0));
        assert!((0..1000).all(|_| faults.strike(Operation::Sign).is_empty()));
    }
}
