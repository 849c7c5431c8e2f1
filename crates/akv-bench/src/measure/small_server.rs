//! A small server with an event loop, whose only thread signs.

use std::path::PathBuf;

use akv_emulator::Persona;
use akv_tests::Site;
use anyhow::Result;

use super::{Bench, RATIOS, section};
use crate::{
    contender::{ASYNC, BLOCKING, LOCAL},
    keys::{Keys, Pair},
    model::{Section, Unit},
    programs::SmallServer,
    service::Key,
    sweep::{Contender, Sweep},
};

/// How the server signs.
struct How {
    config: PathBuf,
    pair: Pair,
    is_async: bool,
}

impl Bench {
    /// With P-256 of a vault, or with RSA-2048 of a Managed HSM.
    pub(crate) fn small_server(&self, key: Key) -> Result<Section> {
        let is_rsa = key == Key::Rsa2048;
        let site = self.site(if is_rsa { Persona::ManagedHsm } else { Persona::Vault })?;
        let keys = Keys::make(&site, key)?;
        let (id, service) = match is_rsa {
            true => ("epoll-rsa", "a Managed HSM, HTTP/1.1"),
            false => ("epoll", "a vault, HTTP/2"),
        };
        let mut section = section(
            id,
            format!("Small server, {key} ({service})"),
            &[
                "TLS 1.3 handshakes of a server with one thread and an event loop (epoll). Its clients \
               are on another thread; each begins the next handshake when one is done.",
            ],
        );
        let wanted = self.clients();
        // The Managed HSM's limit of a partition is reached with many clients only.
        let points = match is_rsa {
            true => wanted.into_iter().filter(|(_, clients)| *clients > 1).take(1).collect(),
            false => wanted,
        };
        let longest = [self.plan.latencies.iter().copied().max().unwrap_or(30)];
        section.tables = Sweep {
            name: &section.title,
            vault: site.vault(),
            unit: Unit::HandshakesPerSecond,
            rounds: self.plan.rounds,
            latencies: if is_rsa { &longest } else { &self.plan.latencies },
            points,
            contenders: contenders(&site, &keys),
            ratios: &RATIOS,
        }
        .run(|clients, How { config, pair, is_async }| {
            let Pair { key, certificate, .. } = pair;
            let server = SmallServer { config, key, certificate, is_async: *is_async };
            Ok(self.programs.serve(&server, *clients, &self.plan)?.per_second)
        })?;
        Ok(section)
    }
}

fn contenders(site: &Site, keys: &Keys) -> Vec<Contender<How>> {
    let contender = |name, uses_vault, config: &str, pair: &Pair, is_async| Contender {
        name,
        uses_vault,
        how: How { config: site.path(config), pair: pair.clone(), is_async },
    };
    vec![
        contender(LOCAL, false, "plain.cnf", &keys.local, false),
        contender(BLOCKING, true, "openssl.cnf", &keys.vault, false),
        contender(ASYNC, true, "openssl.cnf", &keys.vault, true),
    ]
}
