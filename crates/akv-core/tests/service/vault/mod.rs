//! Listing keys and versions, creating, rotating and deleting keys.

mod certificate;
mod change;
mod create;
mod delete;
mod list;

use akv_core::blocking;
use akv_emulator::Persona;

use super::{Vault, run};

fn both() -> [(Vault, &'static str); 2] {
    [(Persona::Vault, "vault:myVault:"), (Persona::ManagedHsm, "managedHsm:myHsm:")]
        .map(|(persona, reference)| (Vault::of(persona), reference))
}

fn open(vault: &Vault, options: &[(&str, &str)], reference: &str) -> blocking::Vault {
    let client = vault.client(options);
    client.vault(&client.reference(reference).unwrap()).unwrap()
}

fn async_vault(vault: &Vault, reference: &str) -> akv_core::Vault {
    let client = akv_core::Client::new(vault.settings(&[]));
    client.vault(&client.reference(reference).unwrap()).unwrap()
}

fn versions(vault: &blocking::Vault, name: &str) -> usize {
    vault.versions(name).unwrap().map(Result::unwrap).count()
}
