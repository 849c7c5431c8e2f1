//! A vault and a Managed HSM with keys, and clients whose tokens come from a metadata service.

use std::ffi::OsString;

use akv_core::{
    Settings,
    SignatureAlgorithm::{self, Es256, Ps256, Rs256},
    blocking::{Client, Key},
};
use akv_emulator::{Curve, Emulator, NewKey, Persona, Stats};
use tempfile::TempDir;

use crate::{plan::Plan, verify::Verifier};

/// Long enough for several faults on a busy machine.
const TIMEOUT: &str = "20s";

/// One service and its client.
pub(crate) struct Service {
    pub(crate) emulator: Emulator,
    client: Client,
    kind: &'static str,
}

/// A key that stays pinned to its version.
pub(crate) struct Signer {
    pub(crate) key: Key,
    pub(crate) verifier: Verifier,
    pub(crate) algorithms: &'static [SignatureAlgorithm],
}

pub(crate) struct World {
    pub(crate) services: [Service; 2],
    pub(crate) signers: Vec<Signer>,
    _folder: TempDir,
}

/// The keys of each service.
pub(crate) const NAMES: [&str; 2] = ["rsa", "ec"];

impl World {
    pub(crate) fn new(plan: &Plan) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let services = [(Persona::Vault, "vault"), (Persona::ManagedHsm, "managedHsm")]
            .map(|(persona, kind)| Service::new(plan, persona, kind, &folder));
        let signers = services.iter().flat_map(|service| NAMES.map(|name| service.signer(name)));
        let signers = signers.collect();
        Self { services, signers, _folder: folder }
    }

    /// The counters of both services.
    pub(crate) fn stats(&self) -> [Stats; 2] {
        self.services.each_ref().map(|service| service.emulator.stats())
    }
}

impl Service {
    fn new(plan: &Plan, persona: Persona, kind: &'static str, folder: &TempDir) -> Self {
        let emulator = Emulator::builder()
            .persona(persona)
            .token_lifetime(plan.token_lifetime)
            .start()
            .expect("an emulator");
        emulator.create_key(NewKey::rsa("rsa", 2048)).expect("an RSA key");
        emulator.create_key(NewKey::ec("ec", Curve::P256)).expect("an EC key");
        let ca = folder.path().join(format!("{kind}.pem"));
        std::fs::write(&ca, emulator.ca_pem()).expect("a CA file");
        let variables = [
            ("AKV_ENDPOINT", emulator.endpoint().to_owned()),
            ("AKV_CA_FILE", ca.display().to_string()),
            ("AKV_CREDENTIAL", "managed-identity".to_owned()),
            ("IMDS_ENDPOINT", emulator.imds_endpoint().to_owned()),
            ("AKV_TIMEOUT", TIMEOUT.to_owned()),
        ];
        let read =
            |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v));
        let settings = Settings::builder().environment_from(read).build().expect("settings");
        Self { emulator, client: Client::new(settings), kind }
    }

    /// Opens the newest version of a key.
    pub(crate) fn open(&self, name: &str) -> Key {
        let reference = self.client.reference(&format!("{}:myVault:{name}", self.kind));
        reference.and_then(|reference| self.client.key(&reference)).expect("a key")
    }

    fn signer(&self, name: &str) -> Signer {
        let key = self.open(name);
        let verifier = Verifier::new(key.public_key());
        let algorithms: &[_] = if name == "rsa" { &[Rs256, Ps256] } else { &[Es256] };
        Signer { key, verifier, algorithms }
    }
}
