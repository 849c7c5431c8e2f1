//! One answer in ten hangs: the handshakes that are not hit.

use akv_emulator::{Fault, FaultKind, Operation, Persona};
use anyhow::{Result, ensure};

use super::{Bench, section};
use crate::{
    contender::{HANGING, HIT, NOT_HANGING, NOT_HIT},
    keys::Keys,
    model::{Row, Section, Table, Unit},
    plan::Plan,
    programs::{Seen, SmallServer},
    service::Key,
    sweep::set_latency,
};

/// The deadline of an operation, with which a handshake that was hit ends.
const DEADLINE: &str = "1s";
/// Another client takes the place of one that waits for longer than this, and than others do. In
/// seconds.
const PATIENCE: [f64; 2] = [0.3, 0.8];
const CLIENTS: u32 = 64;
const LATENCY: u64 = 30;
const SHARE: f64 = 0.1;

impl Bench {
    pub(crate) fn hanging(&self) -> Result<Section> {
        let mut section = section(
            "hanging",
            "One answer in ten hangs",
            &[
                "Time from connecting to the end of the handshake, of the handshakes that were not hit; \
               small server with one thread, async, P-256, the vault takes 30 ms. 64 clients are in \
               progress beside those that hang: another client takes the place of one that waits for \
               long. A handshake that is hit fails with the deadline, here after 1 s. \
               Others fail where fail-fast takes the vault to be down.",
            ],
        );
        let mut failed = Vec::new();
        for (id, name, persona) in [
            ("vault", "a vault, HTTP/2", Persona::Vault),
            ("managed-hsm", "a Managed HSM, HTTP/1.1", Persona::ManagedHsm),
        ] {
            let (table, row) = self.service(id, name, persona)?;
            section.tables.push(table);
            failed.push(row);
        }
        section.tables.push(Table {
            id: "failed".to_owned(),
            caption: "handshakes that failed while one in ten hangs".to_owned(),
            unit: Unit::Count,
            rows: failed,
        });
        Ok(section)
    }

    fn service(&self, id: &str, name: &str, persona: Persona) -> Result<(Table, Row)> {
        let site = self.site(persona)?;
        site.set("timeout", DEADLINE)?;
        let keys = Keys::make(&site, Key::EcP256)?;
        set_latency(site.vault(), LATENCY);
        // Begins when the first of those that hang have failed.
        let plan = Plan { warm_up: self.plan.warm_up + 1.0, ..self.plan.clone() };
        let server = SmallServer {
            config: &site.path("openssl.cnf"),
            key: &keys.vault.key,
            certificate: &keys.vault.certificate,
            is_async: true,
        };
        let (mut without, mut with) = (Vec::new(), Vec::new());
        for round in 1..=plan.rounds {
            site.vault().clear_faults();
            let calm = self.programs.serve(&server, CLIENTS, &plan)?;
            let fault = Fault::new(FaultKind::Hang).on(Operation::Sign).forever();
            site.vault().fault(fault.probability(SHARE));
            let patience = (2.0 * calm.p99_ms / 1e3).clamp(PATIENCE[0], PATIENCE[1]);
            let hit = self.programs.serve_in_spite_of_faults(&server, CLIENTS, &plan, patience)?;
            eprintln!("hanging, {id}, round {round}: {calm:?}, {hit:?}");
            without.push(calm);
            with.push(hit);
        }
        ensure!(with.iter().any(|seen| seen.failed > seen.failed_early), "no answer hung");
        ensure!(with.iter().all(|seen| seen.done > 0), "in one round every handshake failed");
        let row = |label, value: fn(&Seen) -> f64| {
            let values = |all: &[Seen]| all.iter().map(value).collect();
            let cells = [(NOT_HANGING, values(&without)), (HANGING, values(&with))];
            Row::new(label, cells, &[(HANGING, NOT_HANGING)])
        };
        let table = Table {
            id: id.to_owned(),
            caption: name.to_owned(),
            unit: Unit::Milliseconds,
            rows: vec![row("p50", |seen| seen.p50_ms), row("p99", |seen| seen.p99_ms)],
        };
        let counts = |count: fn(&Seen) -> u64| with.iter().map(|seen| count(seen) as f64).collect();
        let hit = counts(|seen| seen.failed - seen.failed_early);
        let failed = Row::new(name, [(HIT, hit), (NOT_HIT, counts(|seen| seen.failed_early))], &[]);
        Ok((table, failed))
    }
}
