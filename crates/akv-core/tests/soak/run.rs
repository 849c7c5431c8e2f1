//! The run itself: workers that sign and verify, and a conductor that injects faults.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use fastrand::Rng;
use sha2::{Digest as _, Sha256};

use crate::{
    disturb::{Conductor, Queue},
    memory::Memory,
    plan::Plan,
    report::Report,
    world::World,
};

/// Interval between checks of memory and tokens.
const TICK: Duration = Duration::from_millis(100);

/// The state that the workers share.
struct Shared<'a> {
    plan: &'a Plan,
    world: &'a World,
    queues: [Queue; 2],
    signed: AtomicU64,
    /// Everything planned has happened; the run ends when the number of signatures is also reached.
    satisfied: AtomicBool,
    slowest: Mutex<Duration>,
    errors: Mutex<Vec<String>>,
}

impl Shared<'_> {
    fn is_over(&self) -> bool {
        let enough = self.signed.load(Ordering::Relaxed) >= self.plan.signatures;
        let failed = !self.errors.lock().unwrap().is_empty();
        failed || enough && self.satisfied.load(Ordering::Relaxed)
    }

    /// Signs, and injects a fault now and then.
    fn sign(&self, rng: &mut Rng) -> Result<(), String> {
        let chosen = rng.usize(..self.world.signers.len());
        let signer = &self.world.signers[chosen];
        let algorithm = signer.algorithms[rng.usize(..signer.algorithms.len())];
        let digest = Sha256::digest(rng.u64(..).to_le_bytes());
        if rng.u64(..self.plan.per_fault) == 0 {
            let service = rng.usize(..self.queues.len());
            self.queues[service].disturb(&self.world.services[service].emulator, rng);
        }
        let start = Instant::now();
        let signature = signer.key.sign(algorithm, &digest).map_err(|error| error.to_string())?;
        let took = start.elapsed();
        if !signer.verifier.verifies(algorithm, &digest, &signature) {
            return Err(format!("a wrong signature ({algorithm}) of {:?}", signer.key));
        }
        self.signed.fetch_add(1, Ordering::Relaxed);
        let mut slowest = self.slowest.lock().unwrap();
        *slowest = took.max(*slowest);
        Ok(())
    }
}

/// Runs a plan to its end.
///
/// # Panics
/// A signature failed or does not verify, the memory grew, or faults did not occur as planned.
pub(crate) fn run(plan: &Plan) {
    println!("soak: seed {} (set AKV_SOAK_SEED to repeat it), {plan:?}", plan.seed);
    let started = Instant::now();
    let world = World::new(plan);
    let shared = Shared {
        plan,
        world: &world,
        queues: [Queue::new(), Queue::new()],
        signed: AtomicU64::new(0),
        satisfied: AtomicBool::new(false),
        slowest: Mutex::default(),
        errors: Mutex::default(),
    };
    let mut memory = Memory::default();
    let mut conductor = Conductor::new(plan, &world);
    thread::scope(|scope| {
        // The last sender is dropped with the last worker, even if it panics.
        let (alive, ended) = mpsc::channel::<()>();
        for worker in 0..plan.threads {
            let (shared, alive) = (&shared, alive.clone());
            scope.spawn(move || {
                let _alive = alive;
                let mut rng = Rng::with_seed(shared.plan.seed.wrapping_add(worker));
                while !shared.is_over() {
                    if let Err(error) = shared.sign(&mut rng) {
                        shared.errors.lock().unwrap().push(error);
                    }
                }
            });
        }
        drop(alive);
        while ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
            let signed = shared.signed.load(Ordering::Relaxed);
            memory.sample(signed);
            conductor.conduct(signed);
            shared.satisfied.store(conductor.is_done(), Ordering::Relaxed);
        }
    });
    let errors = shared.errors.into_inner().unwrap();
    let report = Report {
        plan,
        took: started.elapsed(),
        signatures: shared.signed.into_inner(),
        slowest: shared.slowest.into_inner().unwrap(),
        queued: shared.queues.each_ref().map(Queue::total),
        rotations: conductor.rotations(),
        revocations: conductor.revocations(),
        stats: world.stats(),
        memory,
        errors: errors.len(),
    };
    println!("{report}");
    assert!(errors.is_empty(), "{errors:#?}");
    for (service, signer) in world.services.iter().zip(world.signers.chunks(2)) {
        let newest = service.open("rsa");
        assert_ne!(newest.version(), signer[0].key.version(), "the keys were rotated");
    }
    report.check();
}
