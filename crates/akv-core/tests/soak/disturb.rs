//! Injects faults.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use akv_emulator::{Emulator, Fault, FaultKind, Operation};
use fastrand::Rng;

use crate::{
    plan::Plan,
    world::{NAMES, Service, World},
};

/// Maximum number of queued faults per service, so that no operation meets many of them in a row.
const WAITING: u64 = 3;

/// A token that is refused within two seconds of another one is not replaced again: the service may
/// refuse every token.
const BETWEEN_REVOCATIONS: Duration = Duration::from_millis(2500);

/// Seconds between two faults of token requests at one service. There are few such requests, so
/// more faults would accumulate for each than its retries can handle.
const TOKEN_FAULTS: u64 = 5;

/// The queued and past faults of one service.
pub(crate) struct Queue {
    total: AtomicU64,
    began: Instant,
    /// The second of the run from which a token request may fail again.
    token: AtomicU64,
}

impl Queue {
    pub(crate) fn new() -> Self {
        Self { total: AtomicU64::new(0), began: Instant::now(), token: AtomicU64::new(0) }
    }

    /// Queues a random fault in a service, unless several are queued there.
    pub(crate) fn disturb(&self, emulator: &Emulator, rng: &mut Rng) {
        let waiting = self.total.load(Ordering::Relaxed).saturating_sub(emulator.stats().faults);
        if waiting >= WAITING {
            return;
        }
        let faults = if rng.u32(..20) > 0 { random(rng) } else { self.of_token(rng) };
        for fault in faults {
            self.total.fetch_add(1, Ordering::Relaxed);
            emulator.fault(fault);
        }
    }

    fn of_token(&self, rng: &mut Rng) -> Vec<Fault> {
        let now = self.began.elapsed().as_secs();
        let due = |from: u64| (now >= from).then_some(now + TOKEN_FAULTS);
        if self.token.fetch_update(Ordering::Relaxed, Ordering::Relaxed, due).is_err() {
            return Vec::new();
        }
        let kind = if rng.bool() { status(429) } else { status(500) };
        vec![Fault::new(kind).on(Operation::Token)]
    }

    pub(crate) fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }
}

fn status(status: u16) -> FaultKind {
    FaultKind::Status { status, retry_after: None }
}

fn random(rng: &mut Rng) -> Vec<Fault> {
    let kind = match rng.u32(..19) {
        0..=2 => status(429),
        3 => FaultKind::Status { status: 429, retry_after: Some(1) },
        4 => status(500),
        5 => status(502),
        6 => status(503),
        7 => status(408),
        8 | 9 => FaultKind::ResetAfterRequest,
        10 => FaultKind::TruncatedBody,
        11 => FaultKind::EmptyBody,
        12 => FaultKind::NotJson,
        13 => FaultKind::WrongShape,
        14 => FaultKind::SlowBody { millis: rng.u64(50..400) },
        15 => FaultKind::Latency { millis: rng.u64(5..100) },
        16 => FaultKind::CloseConnection,
        17 => return cut(FaultKind::ResetOnAccept),
        _ => return cut(FaultKind::ResetBeforeRequest),
    };
    vec![Fault::new(kind)]
}

/// A connection ends, and the next one breaks before it is usable.
fn cut(kind: FaultKind) -> Vec<Fault> {
    vec![Fault::new(FaultKind::CloseConnection), Fault::new(kind)]
}

/// Rotates keys and revokes tokens, evenly over the run.
pub(crate) struct Conductor<'a> {
    plan: &'a Plan,
    world: &'a World,
    rotated: u64,
    revoked: [u64; 2],
    /// When the tokens of each service were last revoked.
    last_revoked: [Option<Instant>; 2],
    /// The number of token requests when it last changed, and when that was.
    tokens: [(u64, Instant); 2],
}

impl<'a> Conductor<'a> {
    pub(crate) fn new(plan: &'a Plan, world: &'a World) -> Self {
        let tokens = [(0, Instant::now()); 2];
        Self { plan, world, rotated: 0, revoked: [0; 2], last_revoked: [None; 2], tokens }
    }

    /// Does everything that is due after this many signatures.
    pub(crate) fn conduct(&mut self, signatures: u64) {
        let due = |times: u64| times * signatures / self.plan.signatures.max(1);
        if self.rotated < due(self.plan.rotations).min(self.plan.rotations) {
            self.rotated += 1;
            for service in &self.world.services {
                for name in NAMES {
                    service.emulator.rotate_key(name).expect("a rotation");
                }
            }
        }
        for (index, service) in self.world.services.iter().enumerate() {
            let wanted = due(self.plan.revocations).min(self.plan.revocations);
            if self.is_calm(index, service) && self.revoked[index] < wanted {
                self.revoked[index] += 1;
                service.emulator.revoke_tokens();
                self.last_revoked[index] = Some(Instant::now());
                self.tokens[index].1 = Instant::now();
            }
        }
    }

    /// Whether the token in use is neither new nor about to be renewed. A token that is revoked
    /// between its issue and its first use, or soon after another one, is refused twice in one
    /// operation, which correctly ends it.
    fn is_calm(&mut self, index: usize, service: &Service) -> bool {
        let requests = service.emulator.stats().token_requests;
        let (last, since) = &mut self.tokens[index];
        if *last != requests {
            (*last, *since) = (requests, Instant::now());
        }
        let age = since.elapsed();
        let renewal = self.plan.token_lifetime / 2;
        let apart =
            self.last_revoked[index].is_none_or(|last| last.elapsed() > BETWEEN_REVOCATIONS);
        apart && age > renewal / 4 && age < renewal * 3 / 4 && age > Duration::from_millis(300)
    }

    /// Whether everything that was planned has happened.
    pub(crate) fn is_done(&self) -> bool {
        let revoked = self.revoked.iter().all(|revoked| *revoked >= self.plan.revocations);
        self.rotated >= self.plan.rotations && revoked
    }

    pub(crate) fn rotations(&self) -> u64 {
        self.rotated
    }

    pub(crate) fn revocations(&self) -> u64 {
        self.revoked.iter().sum()
    }
}
