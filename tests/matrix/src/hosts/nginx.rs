//! nginx: the master loads the keys as root, workers of another user sign.

use akv_tests::process::wait_until;
use anyhow::{Context as _, Result};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{Host, Test, Way};
use crate::{
    client::{Client, Version},
    machine::LIMIT,
    release::Release,
    scene::Scene,
    server::Server,
    service::Service,
};

pub(super) const HOST: Host = Host {
    name: "nginx",
    packages: &["nginx"],
    ways: &[
        Way::KEY_FILE,
        Way::PKCS8,
        Way::new("Store").impossible(&[(
            &[Release::Debian12, Release::Debian13],
            "nginx has `store:` from 1.29 on; use a key file",
        )]),
        Way::new("Engine").impossible(&[(
            &[Release::Sid],
            "Debian's nginx is built without engines from 1.30 on; use `store:`",
        )]),
    ],
    test: Test::Server(Server {
        unit: "nginx.service",
        logs: &["/var/log/nginx/error.log"],
        extra: Some(upgrade),
        ..Server::HTTPS
    }),
};

/// A new binary takes over (`USR2`), which the recipe describes.
fn upgrade(scene: &Scene<'_>, service: &Service<'_>, client: &Client) -> Result<()> {
    let machine = &scene.machine;
    let config = "/etc/nginx/nginx.conf";
    machine.write(config, format!("env OPENSSL_CONF;\n{}", machine.read(config)?))?;
    service.reload()?;
    let master = |file: &str| machine.read(file).ok()?.trim().parse::<i32>().ok();
    let old = master("/run/nginx.pid").context("no master")?;
    kill(Pid::from_raw(old), Signal::SIGUSR2)?;
    wait_until("another master runs", LIMIT, || {
        master("/run/nginx.pid.oldbin").filter(|number| *number == old)?;
        master("/run/nginx.pid").filter(|number| *number != old)
    })?;
    kill(Pid::from_raw(old), Signal::SIGQUIT)?;
    wait_until("the old master ends", LIMIT, || {
        machine.processes().iter().all(|(number, _)| *number != old).then_some(())
    })?;
    for version in [Version::Tls12, Version::Tls13] {
        client.connect(version).context("after the upgrade")?;
    }
    scene.check_signatures(client.handshakes()).context("after the upgrade")
}
