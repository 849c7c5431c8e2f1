//! Keys without a request.

use super::{Emulator, Error};
use crate::{
    admin,
    keys::{KeyId, NewKey},
    persona::Target,
};

impl Emulator {
    /// Creates a key, or a new version if the key exists.
    ///
    /// # Errors
    /// [`Error::Refused`] for a key that the persona does not support, an invalid name or a deleted
    /// key.
    pub fn create_key(&self, key: NewKey) -> Result<KeyId, Error> {
        let target = self.target(&key.vault);
        Ok(admin::create(&self.state, &target, key)?)
    }

    /// Creates a key with a self-signed certificate for a subject such as `CN=www.example.org`, or
    /// a new version if the key exists.
    ///
    /// # Errors
    /// As [`Emulator::create_key`]; a Managed HSM has no certificates.
    pub fn create_certificate(&self, key: NewKey, subject: &str) -> Result<KeyId, Error> {
        let target = self.target(&key.vault);
        Ok(admin::create_certificate(&self.state, &target, key, subject)?)
    }

    /// Creates a key unless it already exists, deleted or not.
    ///
    /// # Errors
    /// As [`Emulator::create_key`].
    pub fn ensure_key(&self, key: NewKey) -> Result<(), Error> {
        let target = self.target(&key.vault);
        if self.state.store.key(&target.vault, &key.name).is_none() {
            admin::create(&self.state, &target, key)?;
        }
        Ok(())
    }

    /// Creates a key with a certificate unless the key already exists, deleted or not.
    ///
    /// # Errors
    /// As [`Emulator::create_certificate`].
    pub fn ensure_certificate(&self, key: NewKey, subject: &str) -> Result<(), Error> {
        let target = self.target(&key.vault);
        if self.state.store.key(&target.vault, &key.name).is_none() {
            admin::create_certificate(&self.state, &target, key, subject)?;
        }
        Ok(())
    }

    /// Creates a new version of a key in the default vault.
    ///
    /// # Errors
    /// [`Error::Refused`] if there is no such key.
    pub fn rotate_key(&self, name: &str) -> Result<KeyId, Error> {
        self.rotate_key_in("", name)
    }

    /// Creates a new version of a key in the vault with this host name.
    ///
    /// # Errors
    /// [`Error::Refused`] if there is no such key.
    pub fn rotate_key_in(&self, vault_host: &str, name: &str) -> Result<KeyId, Error> {
        Ok(admin::rotate(&self.state, &self.target(vault_host), name)?)
    }

    /// Disables or enables the current version of a key in the default vault.
    ///
    /// # Errors
    /// [`Error::Refused`] if there is no such key.
    pub fn set_key_enabled(&self, name: &str, enabled: bool) -> Result<KeyId, Error> {
        self.set_key_enabled_in("", name, enabled)
    }

    /// Disables or enables the current version of a key in the vault with this host name.
    ///
    /// # Errors
    /// [`Error::Refused`] if there is no such key.
    pub fn set_key_enabled_in(
        &self,
        vault_host: &str,
        name: &str,
        enabled: bool,
    ) -> Result<KeyId, Error> {
        Ok(admin::set_enabled(&self.state, &self.target(vault_host), name, enabled)?)
    }

    /// The default vault is served under the listener's address.
    fn target(&self, vault_host: &str) -> Target {
        match vault_host {
            "" => self.state.target(&self.address.to_string()),
            host => self.state.target(host),
        }
    }
}
