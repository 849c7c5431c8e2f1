//! The checks of every server.

use anyhow::{Context as _, Result, ensure};

use crate::{
    backend::Backend,
    client::{Client, Version},
    load,
    protocol::Protocol,
    release::Release,
    scene::Scene,
    service::Service,
};

/// How often a server is reloaded under load.
const RELOADS: usize = 3;

/// Checks of one host only.
type Extra = fn(&Scene<'_>, &Service<'_>, &Client) -> Result<()>;

/// A host that serves TLS.
pub(crate) struct Server {
    /// Its unit, in which `*` stands for a part that the release determines.
    pub(crate) unit: &'static str,
    /// The unit's name in other releases.
    pub(crate) units: &'static [(Release, &'static str)],
    pub(crate) port: u16,
    pub(crate) protocol: Protocol,
    /// Whether it gets a new certificate without a restart.
    pub(crate) reloads: bool,
    /// Whether no other client connects, such as one that its package starts.
    pub(crate) alone: bool,
    /// Its log files.
    pub(crate) logs: &'static [&'static str],
    /// Parts of lines with words of failure that mean none.
    pub(crate) harmless: &'static [&'static str],
    /// More checks, before it stops.
    pub(crate) extra: Option<Extra>,
}

impl Server {
    /// The settings that most servers share.
    pub(crate) const HTTPS: Self = Self {
        unit: "",
        units: &[],
        port: 443,
        protocol: Protocol::Https(200),
        reloads: true,
        alone: true,
        logs: &[],
        harmless: &[],
        extra: None,
    };

    /// Starts it, uses it, reloads it under load, stops it, and reads its logs.
    ///
    /// # Errors
    /// A check fails; the error has what the server has logged.
    pub(crate) fn check(&self, scene: &Scene<'_>) -> Result<()> {
        let other = self.units.iter().find(|(release, _)| *release == scene.release);
        let unit = scene.machine.resolve(other.map_or(self.unit, |(_, unit)| unit))?;
        let _backend = Backend::start()?;
        scene.vault.reset_stats();
        let started = Service::start(&scene.machine, &unit);
        let stopped = started.and_then(|service| {
            self.use_it(scene, &service)?;
            service.stop()
        });
        let log = self.log(scene, &unit);
        stopped.with_context(|| format!("the end of its log:\n{}", end(&log)))?;
        check_log(&log, self.harmless)?;
        scene.check_disk()
    }

    fn use_it(&self, scene: &Scene<'_>, service: &Service<'_>) -> Result<()> {
        let client = Client::new(self.port, self.protocol, &scene.authority.certificate()?)?;
        client.wait_for_server(|| service.ended())?;
        for version in [Version::Tls12, Version::Tls13] {
            client.connect(version)?;
        }
        self.check_signatures(scene, &client).context("one client at a time")?;
        load::together(&client)?;
        self.check_signatures(scene, &client).context("clients at once")?;
        if self.reloads {
            load::during(&client, RELOADS, || {
                let certificate = scene.renew()?;
                service.reload()?;
                Ok(certificate)
            })?;
            self.check_signatures(scene, &client).context("during reloads")?;
        }
        scene.check_loads()?;
        self.extra.map_or(Ok(()), |extra| extra(scene, service, &client))
    }

    /// Each handshake costs exactly one signature.
    fn check_signatures(&self, scene: &Scene<'_>, client: &Client) -> Result<()> {
        match self.alone {
            true => scene.check_signatures(client.handshakes()),
            false => {
                let (signed, handshakes) = (scene.vault.stats().sign, client.handshakes());
                ensure!(signed >= handshakes, "{signed} signatures for {handshakes} handshakes");
                Ok(())
            }
        }
    }

    /// Everything that it has printed and logged.
    fn log(&self, scene: &Scene<'_>, unit: &str) -> String {
        let printed = std::fs::read_to_string(scene.machine.outside().join(format!("{unit}.log")));
        let mut log = printed.unwrap_or_default() + &scene.machine.journal().text();
        for file in self.logs {
            let file = scene.machine.resolve(file).unwrap_or_else(|_| (*file).to_owned());
            log += &scene.machine.read(&file).unwrap_or_default();
        }
        log
    }
}

/// The last lines.
fn end(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

/// Words of failure.
const WORDS: [&str; 11] = [
    "error",
    "fail",
    "crit",
    "alert",
    "emerg",
    "fatal",
    "panic",
    "segfault",
    "core dumped",
    "exited on signal",
    "timed out",
];

/// Refuses logs with words of failure.
fn check_log(log: &str, harmless: &[&str]) -> Result<()> {
    let bad: Vec<&str> = log
        .lines()
        .filter(|line| {
            let lower = line.to_lowercase();
            WORDS.iter().any(|word| lower.contains(word))
                && !harmless.iter().any(|part| line.contains(part))
        })
        .collect();
    ensure!(bad.is_empty(), "{} lines of its log tell of failures:\n{}", bad.len(), bad.join("\n"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_lines_with_words_of_failure_are_allowed() {
        let log = "started\n[error] no such file\n[notice] 0 failed\n";
        assert!(check_log(log, &["0 failed"]).is_err());
        assert!(check_log(log, &["0 failed", "no such file"]).is_ok());
        assert!(check_log("started\n", &[]).is_ok());
    }
}
