//! `cargo xtask demo`: demonstrates the main use on this machine.

mod scene;
mod servers;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use akv_tests::process::interrupted;
use anyhow::{Context as _, Result, bail};
use clap::Args;
use signal_hook::{consts::TERM_SIGNALS, flag};

use self::{scene::Scene, servers::Served};
use crate::{
    build::Build,
    needs::{self, NGINX, OPENSSL},
};

/// Arguments of `cargo xtask demo`.
#[derive(Args)]
pub(crate) struct Demo {
    /// Uses a release build of the module, which takes minutes.
    #[arg(long)]
    release: bool,
    /// Keeps the folder with the configuration, certificates and key files.
    #[arg(long)]
    keep: bool,
    /// Serves with `openssl s_server` even if nginx is installed.
    #[arg(long)]
    s_server: bool,
}

impl Demo {
    pub(crate) fn run(&self) -> Result<()> {
        catch_signals()?;
        let with_nginx = self.prepare()?;
        step("Building the provider module (takes minutes the first time)");
        let module =
            Build { release: self.release, glibc: None }.modules()?.join("akv_provider.so");
        let mut scene = Scene::open(&module)?;
        let shown = self.show(&scene, with_nginx);
        match (&shown, self.keep) {
            (_, true) => step(&format!("Keeping {}", scene.keep().display())),
            (Ok(_), false) => step("Cleaning up: removing the folder and the vault"),
            (Err(_), false) if interrupted().load(Ordering::Relaxed) => {
                step("Interrupted: cleaning up (--keep keeps the folder)");
            }
            (Err(_), false) => step("Cleaning up after the failure (--keep keeps the folder)"),
        }
        // The vault ends here, together with its counters.
        let summary = shown.map(|served| scene.summary(&served));
        drop(scene);
        println!("\n{}", summary?);
        Ok(())
    }

    /// Installs missing programs; true if nginx can serve.
    fn prepare(&self) -> Result<bool> {
        step("Looking for openssl and nginx");
        let missing = needs::install(&[OPENSSL, NGINX])?;
        if missing.iter().any(|need| need.name == OPENSSL.name) {
            bail!("{}", needs::explain(&missing));
        }
        if self.s_server {
            say("serving with `openssl s_server`, as requested");
            return Ok(false);
        }
        if !missing.is_empty() {
            say(&needs::explain(&missing));
            say("falling back to `openssl s_server` as the TLS server");
        }
        Ok(missing.is_empty())
    }

    fn show(&self, scene: &Scene, with_nginx: bool) -> Result<Served> {
        scene.make_certificates()?;
        if with_nginx { servers::nginx(scene) } else { servers::s_server(scene) }
    }
}

/// Ctrl-C and SIGTERM end the demo gracefully; a second one ends it at once.
fn catch_signals() -> Result<()> {
    for signal in TERM_SIGNALS {
        let flag = Arc::clone(interrupted());
        flag::register_conditional_shutdown(*signal, 130, Arc::<AtomicBool>::clone(&flag))
            .and_then(|_| flag::register(*signal, flag))
            .context("cannot catch signals")?;
    }
    Ok(())
}

fn step(text: &str) {
    println!("==> {text}");
}

fn say(text: &str) {
    println!("    {text}");
}

/// One of the demo's two certificates.
#[derive(Clone, Debug)]
struct Identity {
    /// `RSA` or `EC`.
    kind: &'static str,
    /// The key's reference.
    reference: String,
    /// The key file, which is a handle.
    key_file: PathBuf,
    /// The certificate.
    certificate: PathBuf,
    /// The client arguments that make the server use it, for TLS 1.2 and 1.3.
    choose: [&'static str; 2],
    /// The name of the server's signature in `s_client`.
    signature: &'static str,
}
