//! One version of a key, and how requests about it are sent.

use std::{slice, sync::Arc};

use azure_security_keyvault_keys::models::KeyClientGetKeyOptions;
use bytes::Bytes;
use tracing::Instrument as _;

use super::{
    KeyAttributes, KeyId,
    bundle::Bundle,
    request::{Action, OperationResult, Parameters, Targets, Unusable},
};
use crate::{
    Error, ErrorKind, KeyReference, Result,
    process::PerProcess,
    session::{Kind, Probe, Session, VaultCircuits, VaultClient},
    transport::{Failure, failure, invalid_response},
};

/// One version of a key in a vault.
pub(crate) struct Handle {
    pub(super) session: Session,
    pub(super) id: KeyId,
    targets: Targets,
    circuits: Arc<VaultCircuits>,
    /// This process's client of the vault, cached to avoid a look-up each time.
    vault_client: PerProcess<Arc<VaultClient>>,
}

impl Handle {
    /// A handle to one version of the key that `reference` names.
    ///
    /// # Errors
    /// The reference names no key, or one that is not allowed.
    pub(crate) fn new(
        session: &Session,
        reference: &KeyReference,
        version: String,
        attributes: Option<KeyAttributes>,
    ) -> Result<Self> {
        let vault = session.settings().destination(reference)?.url;
        let targets = Targets::new(&vault, key_name(reference)?, &version)?;
        Ok(Self {
            session: session.clone(),
            targets,
            id: KeyId::new(reference, version, attributes),
            circuits: session.circuits(reference),
            vault_client: PerProcess::new(),
        })
    }

    /// The URI of an operation.
    #[cfg(feature = "probe")]
    pub(super) fn target(&self, action: Action) -> &hyper::Uri {
        self.targets.of(action)
    }

    /// Runs a cryptographic operation in the vault.
    pub(super) async fn operate(
        &self,
        action: Action,
        parameters: &Parameters,
    ) -> Result<OperationResult> {
        let (_, answer) = self.operate_first(action, slice::from_ref(parameters)).await?;
        Ok(answer)
    }

    /// Runs an operation with the first parameters that the service does not reject as invalid, and
    /// returns their index. If it rejects all of them, the error is that of the first.
    pub(super) async fn operate_first(
        &self,
        action: Action,
        candidates: &[Parameters],
    ) -> Result<(usize, OperationResult)> {
        let bodies: Vec<_> = candidates.iter().map(Parameters::to_body).collect::<Result<_>>()?;
        let vault_client = || self.session.vault_client(self.id.reference());
        let vault = self.vault_client.get_or_try_init(vault_client)?;
        let span = tracing::debug_span!(
            "operation",
            name = ?action,
            algorithm = candidates.first().map(Parameters::algorithm),
            key = %self.id.pinned_reference(),
        );
        let bodies = &bodies;
        let attempt = |vault: Arc<VaultClient>| async move {
            let mut refusal = None;
            for (index, (parameters, body)) in candidates.iter().zip(bodies).enumerate() {
                let answer = vault
                    .operate(self.targets.of(action), body.clone())
                    .await
                    .map_err(|error| failure(error, self.id.reference(), &vault.host));
                match answer {
                    Ok(answer) => {
                        return OperationResult::read(&answer, self.id.version(), parameters)
                            .map(|answer| (index, answer))
                            .map_err(|unusable| unusable_response(&vault.host, unusable));
                    }
                    Err(Failure::Final(error)) if error.status() == Some(400) => {
                        refusal.get_or_insert(error);
                    }
                    Err(other) => return Err(other),
                }
            }
            let none = || Error::new(ErrorKind::Internal, "there is no request to send");
            Err(Failure::Final(refusal.unwrap_or_else(none)))
        };
        let probe = || self.probe(action, bodies);
        let circuit = (&self.circuits, action.kind());
        self.session.run_watched(&vault, circuit, probe, attempt).instrument(span).await
    }

    /// An attempt of the operation that only tests whether the vault responds.
    #[cold]
    fn probe(&self, action: Action, bodies: &[Bytes]) -> Probe {
        let (target, reference) = (self.targets.of(action).clone(), self.id.reference().clone());
        let body = bodies.first().cloned().unwrap_or_default();
        Box::new(move |vault| {
            let (target, body, reference) = (target.clone(), body.clone(), reference.clone());
            Box::pin(async move {
                let answer = vault.operate(&target, body).await;
                answer.map(drop).map_err(|error| failure(error, &reference, &vault.host))
            })
        })
    }
}

fn unusable_response(host: &str, unusable: Unusable) -> Failure {
    match unusable {
        Unusable::Shape(why) => invalid_response(host, &why),
        Unusable::Length(why) => Failure::Final(Error::new(ErrorKind::Response, why)),
    }
}

/// Requests a key.
pub(super) async fn fetch(session: &Session, reference: &KeyReference) -> Result<Bundle> {
    let during = || format!("load {reference}");
    let name = key_name(reference).map_err(|error| error.during(during()))?;
    let owned = (reference.clone(), name.to_owned());
    let attempt = move |vault| {
        let (reference, name) = owned.clone();
        async move { get(vault, &reference, &name).await }
    };
    let bundle = session.read(reference, Kind::GetKey, attempt).await;
    bundle.map_err(|error| error.during(during()))
}

/// One attempt to get a key.
async fn get(
    vault: Arc<VaultClient>,
    reference: &KeyReference,
    name: &str,
) -> Result<Bundle, Failure> {
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
        _ => invalid_response(&vault.host, error.message()),
    })
}

pub(crate) fn key_name(reference: &KeyReference) -> Result<&str> {
    reference.key_name().ok_or_else(|| {
        Error::new(ErrorKind::Reference, "the reference names a vault's list of keys, not a key")
            .hint("add the key's name: vault:NAME:KEY")
    })
}
