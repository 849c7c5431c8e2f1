//! nginx, whose workers block: more of them, and session tickets.

use akv_emulator::Persona;
use anyhow::{Context as _, Result};

use super::{Bench, section};
use crate::{
    contender::{FULL, LOCAL, RESUMED},
    hosts::nginx,
    keys::Keys,
    model::{Section, Unit},
    programs::Behavior,
    service::Key,
    sweep::{Contender, Sweep},
};

impl Bench {
    pub(crate) fn nginx(&self) -> Result<Section> {
        let version = nginx::version().context("nginx is not installed")?;
        let mut section = section(
            "nginx",
            format!("nginx {version}: workers and session tickets"),
            &[
                "TLS 1.3 handshakes, P-256 of a vault. nginx uses no ASYNC jobs, so each worker blocks for \
               each signature; with reuseport every worker has its own queue of connections. Resumed \
               handshakes use a session ticket, and need no signature.",
            ],
        );
        section.text.push(format!(
            "{} clients; nginx starts anew for each round.",
            self.plan.nginx_clients
        ));
        let site = self.site(Persona::Vault)?;
        let keys = Keys::make(&site, Key::EcP256)?;
        let contender = |name, uses_vault, resume| Contender {
            name,
            uses_vault,
            how: (uses_vault, Behavior { resume, request: false }),
        };
        let workers = self.plan.workers.iter();
        section.tables = Sweep {
            name: "nginx",
            vault: site.vault(),
            unit: Unit::HandshakesPerSecond,
            rounds: self.plan.rounds,
            latencies: &self.plan.nginx_latencies,
            points: workers.map(|workers| (workers_label(*workers), *workers)).collect(),
            contenders: vec![
                contender(LOCAL, false, false),
                contender(FULL, true, false),
                contender(RESUMED, true, true),
            ],
            ratios: &[(FULL, LOCAL), (RESUMED, FULL)],
        }
        .run(|workers, (uses_vault, behavior)| {
            let pair = if *uses_vault { &keys.vault } else { &keys.local };
            let server = nginx::run(&site, *workers, Some(pair))?;
            let clients = self.plan.nginx_clients;
            let seen = self.programs.connect(server.port, clients, *behavior, &self.plan);
            Ok(seen.with_context(|| server.output())?.per_second)
        })?;
        Ok(section)
    }
}

fn workers_label(workers: u32) -> String {
    if workers == 1 { "1 worker".to_owned() } else { format!("{workers} workers") }
}
