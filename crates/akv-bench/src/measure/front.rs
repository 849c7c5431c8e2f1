//! HAProxy with ASYNC jobs in front of nginx, compared with nginx alone.

use akv_emulator::Persona;
use anyhow::{Context as _, Result, ensure};

use super::{Bench, clients_label, section};
use crate::{
    contender::{ALONE, IN_FRONT},
    hosts::{
        Place,
        haproxy::{self, Mode},
        nginx,
    },
    keys::Keys,
    model::{Section, Unit},
    programs::Behavior,
    service::Key,
    sweep::{Contender, Sweep},
};

/// Workers of nginx alone. Behind HAProxy it has one.
const WORKERS: u32 = 8;
const CLIENTS: u32 = 64;

/// Who serves TLS.
enum Front {
    Nginx,
    Haproxy,
}

impl Bench {
    pub(crate) fn front(&self) -> Result<Section> {
        let place = Place::here()?;
        ensure!(place.has("haproxy") && place.has("nginx"), "haproxy and nginx are not installed");
        let [version, _] = haproxy::version(&place)?;
        let mut section = section(
            "front",
            format!("HAProxy {version} in front of nginx {}", nginx::version()?),
            &[
                "New connections with one request each, P-256 of a vault. nginx alone has 8 workers, and \
               serves TLS itself. Behind HAProxy (nbthread 1, ssl-mode-async) it has one, and serves \
               plain HTTP.",
            ],
        );
        let site = self.site(Persona::Vault)?;
        let keys = Keys::make(&site, Key::EcP256)?;
        section.tables = Sweep {
            name: "in front of nginx",
            vault: site.vault(),
            unit: Unit::RequestsPerSecond,
            rounds: self.plan.rounds,
            latencies: &self.plan.nginx_latencies,
            points: vec![(clients_label(CLIENTS), CLIENTS)],
            contenders: vec![
                Contender { name: ALONE, uses_vault: true, how: Front::Nginx },
                Contender { name: IN_FRONT, uses_vault: true, how: Front::Haproxy },
            ],
            ratios: &[(IN_FRONT, ALONE)],
        }
        .run(|clients, front| {
            let (server, _behind) = match front {
                Front::Nginx => (nginx::run(&site, WORKERS, Some(&keys.vault))?, None),
                Front::Haproxy => {
                    let behind = nginx::run(&site, 1, None)?;
                    let port = Some(behind.port);
                    let front = haproxy::run(&place, &site, &keys.vault, Mode::Async, port)?;
                    (front, Some(behind))
                }
            };
            let behavior = Behavior { resume: false, request: true };
            let seen = self.programs.connect(server.port, *clients, behavior, &self.plan);
            Ok(seen.with_context(|| server.output())?.per_second)
        })?;
        Ok(section)
    }
}
