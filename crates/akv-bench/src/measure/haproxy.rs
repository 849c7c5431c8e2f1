//! HAProxy with one thread, of this machine or of another system.

use akv_emulator::Persona;
use anyhow::{Context as _, Result, ensure};

use super::{Bench, RATIOS, section};
use crate::{
    contender::{ASYNC, BLOCKING, LOCAL},
    hosts::{
        Place,
        haproxy::{self, Mode},
    },
    keys::Keys,
    model::{Section, Unit},
    programs::Behavior,
    service::Key,
    sweep::{Contender, Sweep},
};

impl Bench {
    pub(crate) fn haproxy(&self, id: &str, place: Place) -> Result<Section> {
        ensure!(place.has("haproxy"), "haproxy is not installed on {}", place.system);
        let [version, openssl] = haproxy::version(&place)?;
        let face = if place.uses_engine() { "engine" } else { "provider" };
        let mut section = section(
            id,
            format!("HAProxy {version}, {face}, OpenSSL {openssl}"),
            &[
                "TLS 1.3 handshakes with nbthread 1 and insecure-fork-wanted, P-256 of a vault; async \
               is ssl-mode-async. HAProxy starts anew for each round.",
            ],
        );
        section.text.push(format!("It is that of {}.", place.system));
        let site = self.site(Persona::Vault)?;
        let keys = Keys::make(&site, Key::EcP256)?;
        let contender = |name, how: Mode| Contender { name, uses_vault: how != Mode::Local, how };
        section.tables = Sweep {
            name: &format!("HAProxy {version}"),
            vault: site.vault(),
            unit: Unit::HandshakesPerSecond,
            rounds: self.plan.rounds,
            latencies: &self.plan.latencies,
            points: self.clients(),
            contenders: vec![
                contender(LOCAL, Mode::Local),
                contender(BLOCKING, Mode::Blocking),
                contender(ASYNC, Mode::Async),
            ],
            ratios: &RATIOS,
        }
        .run(|clients, mode| {
            let pair = if *mode == Mode::Local { &keys.local } else { &keys.vault };
            let server = haproxy::run(&place, &site, pair, *mode, None)?;
            let seen =
                self.programs.connect(server.port, *clients, Behavior::default(), &self.plan);
            Ok(seen.with_context(|| server.output())?.per_second)
        })?;
        Ok(section)
    }
}
