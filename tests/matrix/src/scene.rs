//! A machine with a key in the vault, the modules, and a recipe.

use std::{os::unix::fs::PermissionsExt as _, path::Path};

use akv_emulator::Emulator;
use akv_tests::Output;
use anyhow::{Result, ensure};
use rustls::pki_types::CertificateDer;

use crate::{
    authority::Authority,
    cloud::{Cloud, VAULT},
    hosts::Way,
    keys::{self, Kind, Secret},
    machine::Machine,
    recipe::{Recipe, Step},
    release::Release,
};

/// The recipe of every machine.
const FIRST: &str = "first-steps";
/// Its section for ways that have none.
const OTHERWISE: &str = "Key file";

/// The certificate of the recipes, and its request.
const CERTIFICATE: &str = "/etc/akv/site.pem";
const REQUEST: &str = "/etc/akv/site.csr";

/// What the scenes of a host share.
#[derive(Clone, Copy)]
pub(crate) struct Stage<'a> {
    /// The layers of the machine, from the top.
    pub(crate) layers: [&'a Path; 2],
    /// A folder for the machine.
    pub(crate) work: &'a Path,
    pub(crate) cloud: &'a Cloud,
    pub(crate) authority: &'a Authority,
    pub(crate) release: Release,
}

/// The machine with everything around it.
pub(crate) struct Scene<'a> {
    pub(crate) machine: Machine,
    pub(crate) vault: Emulator,
    pub(crate) authority: &'a Authority,
    pub(crate) release: Release,
    /// Whether the key is named by a key file, which has its public half, and nothing is requested
    /// ahead of time.
    from_file: bool,
    secret: Secret,
    commands: Vec<String>,
}

impl<'a> Scene<'a> {
    /// Boots a machine, and follows the first steps and
    /// the section of a recipe.
    pub(crate) fn prepare(
        stage: &Stage<'a>,
        kind: Kind,
        recipe: &Recipe,
        way: &Way,
    ) -> Result<Self> {
        let (vault, authority) = (stage.cloud.vault()?, stage.authority);
        let secret = keys::create(kind, &vault, authority)?;
        let machine = Machine::boot(stage.layers, &stage.work.join("machine"))?;
        let mut scene = Self {
            machine,
            vault,
            authority,
            release: stage.release,
            from_file: way.name.starts_with(OTHERWISE),
            secret,
            commands: Vec::new(),
        };
        scene.set_up(recipe, way)?;
        Ok(scene)
    }

    fn set_up(&mut self, recipe: &Recipe, way: &Way) -> Result<()> {
        let machine = &self.machine;
        machine.name_vault(VAULT)?;
        machine.trust(self.vault.ca_pem())?;
        let first = Recipe::open(FIRST)?;
        for step in first.steps(way.name).or_else(|_| first.steps(OTHERWISE))? {
            self.follow(&step)?;
        }
        machine.write("/etc/akv/ca.pem", self.authority.certificate()?)?;
        self.renew_certificate()?;
        for step in recipe.steps(way.section)? {
            match step {
                Step::Commands(lines) => self.commands.push(lines),
                Step::File { path, mode, content } => {
                    self.from_file &= !content.contains("AKV_WARM");
                    self.follow(&Step::File { path, mode, content })?;
                }
            }
        }
        Ok(())
    }

    /// Runs the recipe's commands.
    pub(crate) fn run_commands(&self) -> Result<()> {
        for lines in &self.commands {
            self.shell(lines)?;
        }
        Ok(())
    }

    fn follow(&self, step: &Step) -> Result<()> {
        match step {
            Step::Commands(lines) => self.shell(lines).map(drop),
            Step::File { path, mode, content } => {
                let path = self.machine.resolve(path)?;
                self.machine.write(&path, content)?;
                if let Some(mode) = mode {
                    let mode = u32::from_str_radix(mode, 8)?;
                    let permissions = std::fs::Permissions::from_mode(mode);
                    std::fs::set_permissions(self.machine.path(&path), permissions)?;
                }
                Ok(())
            }
        }
    }

    /// An administrator's commands, whose OpenSSL loads the modules.
    pub(crate) fn shell(&self, lines: &str) -> Result<Output> {
        self.machine.shell(lines, &[("OPENSSL_CONF", "/etc/akv/openssl.cnf")])
    }

    /// A new certificate for the request, in its place.
    fn renew_certificate(&self) -> Result<CertificateDer<'static>> {
        let (pem, der) = self.authority.issue(&self.machine.path(REQUEST))?;
        // Moved there, as ACME clients do: nginx from 1.27.2 on takes a file of the same number and
        // second for the old one.
        let new = format!("{CERTIFICATE}.new");
        self.machine.write(&new, pem + &self.authority.certificate()?)?;
        std::fs::rename(self.machine.path(&new), self.machine.path(CERTIFICATE))?;
        Ok(der.into())
    }

    /// The same, with the recipe's commands, which may copy it.
    pub(crate) fn renew(&self) -> Result<CertificateDer<'static>> {
        let certificate = self.renew_certificate()?;
        self.run_commands()?;
        Ok(certificate)
    }

    /// Refuses a private key on the machine's disk.
    pub(crate) fn check_disk(&self) -> Result<()> {
        let written = self.machine.written();
        self.secret.check_absent(&written.each_ref().map(|folder| folder.as_path()))
    }

    /// Compares the number of signatures.
    pub(crate) fn check_signatures(&self, expected: u64) -> Result<()> {
        let signed = self.vault.stats().sign;
        ensure!(signed == expected, "{signed} signatures in the vault instead of {expected}");
        Ok(())
    }

    /// Refuses requests for a key whose public half is in a file.
    pub(crate) fn check_loads(&self) -> Result<()> {
        let requests = self.vault.stats().get_key;
        ensure!(!self.from_file || requests == 0, "{requests} requests for a key in a file");
        Ok(())
    }

    pub(crate) fn end(self) -> Result<()> {
        self.vault.shutdown();
        self.machine.shut_down()
    }
}
