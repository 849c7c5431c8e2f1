//! One version of a key, and how requests about it are sent.

use super::{
    KeyAttributes,
    bundle::Bundle,
    request::{Action, Answer, Parameters, Targets},
};
use crate::{
    Client, Error, ErrorKind, KeyReference, Result,
    operation::Failure,
    per_process::PerProcess,
    transport::{failure, wrong_answer},
    vault_client::VaultClient,
};
use azure_security_keyvault_keys::models::KeyClientGetKeyOptions;
use std::sync::Arc;
use tracing::Instrument as _;

/// One version of a key in a vault.
pub(crate) struct Handle {
    pub(super) client: Client,
    pub(super) reference: KeyReference,
    pub(super) pinned: KeyReference,
    targets: Targets,
    pub(super) version: String,
    /// `None` when a key file had all that was needed, so that nothing was asked.
    pub(super) attributes: Option<KeyAttributes>,
    /// This process's client of the vault, so that it need not be looked up each time.
    connection: PerProcess<Arc<VaultClient>>,
}

impl Handle {
    /// A handle of one version of the key that `reference` names.
    ///
    /// # Errors
    /// It names no key.
    pub(crate) fn new(
        client: &Client,
        reference: &KeyReference,
        version: String,
        attributes: Option<KeyAttributes>,
    ) -> Result<Self> {
        let vault = client.settings().vault_url(reference);
        let targets = Targets::new(&vault, key_name(reference)?, &version)?;
        Ok(Self {
            client: client.clone(),
            reference: reference.clone(),
            pinned: reference.pinned(&version),
            targets,
            version,
            attributes,
            connection: PerProcess::new(),
        })
    }

    /// Runs a cryptographic operation in the vault.
    pub(super) async fn operate(&self, action: Action, parameters: &Parameters) -> Result<Answer> {
        let body = parameters.to_body()?;
        let vault = self.connection.get_or_try_init(|| self.client.connection(&self.reference))?;
        let span = tracing::debug_span!(
            "operation",
            name = ?action,
            algorithm = parameters.algorithm(),
            key = %self.pinned,
        );
        self.client
            .run_on(&vault, |vault| {
                let body = body.clone();
                async move {
                    let answer = vault
                        .operate(self.targets.of(action), body)
                        .await
                        .map_err(|error| failure(error, &self.reference, &vault.host))?;
                    Answer::read(&answer, &self.version, parameters)
                        .map_err(|why| wrong_answer(&vault.host, &why))
                }
            })
            .instrument(span)
            .await
    }
}

/// Asks for a key.
pub(super) async fn fetch(client: &Client, reference: &KeyReference) -> Result<Bundle> {
    let operation = || format!("load {reference}");
    let name = key_name(reference).map_err(|error| error.during(operation()))?;
    let attempt = |vault: Arc<VaultClient>| async move {
        let options = KeyClientGetKeyOptions {
            key_version: reference.version().map(str::to_owned),
            ..KeyClientGetKeyOptions::default()
        };
        let answer = vault.keys.get_key(name, Some(options)).await;
        let key = answer
            .and_then(|answer| answer.into_model())
            .map_err(|error| failure(error, reference, &vault.host))?;
        Bundle::read(key, reference).map_err(|error| match error.kind() {
            ErrorKind::Unsupported => Failure::Final(error),
            _ => wrong_answer(&vault.host, error.message()),
        })
    };
    client.run(reference, attempt).await.map_err(|error| error.during(operation()))
}

pub(crate) fn key_name(reference: &KeyReference) -> Result<&str> {
    reference.key_name().ok_or_else(|| {
        Error::new(ErrorKind::Reference, "the reference names a vault's list of keys, not a key")
            .hint("add the key's name: vault:NAME:KEY")
    })
}
