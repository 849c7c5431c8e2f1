//! The demo's TLS servers and handshakes.

use std::{collections::BTreeMap, time::Duration};

use akv_emulator::Stats;
use akv_tests::{
    Client, Nginx, Server,
    nginx::Setup,
    process::{Task, which},
};
use anyhow::{Result, ensure};

use super::{Identity, say, scene::Scene, step};

/// Handshakes of each kind before and after the reload.
const ROUNDS: usize = 8;

/// What was served.
pub(super) struct Served {
    pub(super) server: String,
    pub(super) private: String,
    /// The vault's counters when the server started.
    pub(super) before: Stats,
    counts: BTreeMap<String, usize>,
}

impl Served {
    fn new(server: String, scene: &Scene) -> Self {
        let before = scene.site.vault().stats();
        Self { server, private: String::new(), before, counts: BTreeMap::new() }
    }

    pub(super) fn handshakes(&self) -> usize {
        self.counts.values().sum()
    }

    pub(super) fn kinds(&self) -> String {
        let kinds: Vec<String> =
            self.counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        kinds.join(", ")
    }

    /// Connects with TLS 1.2 and 1.3 and checks that each certificate's key was used.
    fn connect(&mut self, scene: &Scene, address: &str, identities: &[Identity]) -> Result<()> {
        let plain = scene.site.plain();
        let trusted = scene.site.text("trusted.pem");
        for identity in identities {
            for arguments in identity.choose {
                let client = Client { address, ca: &trusted, arguments };
                for _ in 0..ROUNDS {
                    let seen = client.connect(&plain)?;
                    ensure!(seen.signature.starts_with(identity.signature), "{seen:?}");
                    let kind = format!("{} {}", seen.protocol, identity.kind);
                    *self.counts.entry(kind).or_default() += 1;
                }
            }
        }
        say(&format!(
            "{} so far, chain and host name verified: {}",
            self.handshakes(),
            self.kinds()
        ));
        Ok(())
    }
}

/// A master and two workers without root privileges, with both certificates, and a reload.
pub(super) fn nginx(scene: &Scene) -> Result<Served> {
    let version = Task::new(Nginx::program().unwrap_or_else(|| "nginx".into())).arg("-v").ok()?;
    let version = version.stderr.trim().rsplit('/').next().unwrap_or_default().to_owned();
    step(&format!("Starting nginx {version} with both key files"));
    let mut served = Served::new(format!("nginx {version}"), scene);
    let certificates = scene.identities.iter().map(|identity| {
        (identity.certificate.display().to_string(), identity.key_file.display().to_string())
    });
    let nginx = Nginx::start(&Setup {
        certificates: certificates.collect(),
        openssl_config: scene.site.path("openssl.cnf"),
        ..Setup::default()
    })?;
    say(&format!("one master and two workers at https://{}/", nginx.address()));
    step("Connecting with a real client, which verifies everything");
    served.connect(scene, &nginx.address(), &scene.identities)?;
    if scene.curl(nginx.port())? {
        *served.counts.entry("with curl".into()).or_default() += 1;
    }
    step("Reloading nginx, as after a change of its configuration");
    nginx.reload()?;
    served.connect(scene, &nginx.address(), &scene.identities)?;
    served.private = scene.no_private_key()?;
    step("Stopping nginx and reading its log");
    nginx.stop()?;
    say("no warning, error or alert in it");
    Ok(served)
}

/// The fallback: one server after the other, since `s_server` has only one main certificate.
pub(super) fn s_server(scene: &Scene) -> Result<Served> {
    ensure!(which("openssl").is_some(), "openssl is not installed");
    let mut served = Served::new("openssl s_server".into(), scene);
    for identity in &scene.identities {
        step(&format!("Starting openssl s_server with {}", identity.key_file.display()));
        let task = scene.site.openssl().task([
            "s_server".as_ref(),
            "-accept".as_ref(),
            "127.0.0.1:0".as_ref(),
            "-cert".as_ref(),
            identity.certificate.as_os_str(),
            "-key".as_ref(),
            identity.key_file.as_os_str(),
        ]);
        let (_server, address) = Server::start(task, Duration::from_secs(30), |line| {
            line.strip_prefix("ACCEPT ").map(str::to_owned)
        })?;
        step("Connecting with a real client, which verifies everything");
        served.connect(scene, &address, std::slice::from_ref(identity))?;
    }
    served.private = scene.no_private_key()?;
    Ok(served)
}
