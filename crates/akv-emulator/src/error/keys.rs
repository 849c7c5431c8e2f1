//! Errors about keys and certificates.

use hyper::StatusCode;

use super::ApiError;
use crate::persona::Persona;

impl ApiError {
    pub(crate) fn malformed_backup(persona: Persona) -> Self {
        match persona {
            Persona::Vault => Self::new(
                StatusCode::BAD_REQUEST,
                "Malformed backup blob",
                "Backup blob is corrupt.",
            ),
            Persona::ManagedHsm => Self::new(
                StatusCode::BAD_REQUEST,
                "MalformedBackupBlob",
                "Backup blob belongs to a different crypto domain and cannot be used with this \
                 instance.",
            ),
        }
    }

    /// `id` is `name` or `name/version`; `base` the vault's URL.
    pub(crate) fn key_not_found(persona: Persona, base: &str, id: &str) -> Self {
        let message = match persona {
            Persona::Vault => format!(
                "A key with (name/id) {id} was not found in this key vault. If you recently \
                 deleted this key you may be able to recover it using the correct recovery \
                 command. For help resolving this issue, please see \
                 https://go.microsoft.com/fwlink/?linkid=2125182"
            ),
            Persona::ManagedHsm => format!("Key not found: Key not found: {base}/keys/{id}"),
        };
        Self::new(StatusCode::NOT_FOUND, "KeyNotFound", message)
    }

    pub(crate) fn certificate_not_found(id: &str) -> Self {
        let message = format!(
            "A certificate with (name/id) {id} was not found in this key vault. If you recently \
             deleted this certificate you may be able to recover it using the correct recovery \
             command. For help resolving this issue, please see \
             https://go.microsoft.com/fwlink/?linkid=2125182"
        );
        Self::new(StatusCode::NOT_FOUND, "CertificateNotFound", message)
    }

    pub(crate) fn deleted_certificate_not_found(name: &str) -> Self {
        let message = format!("Deleted Certificate not found: {name}");
        Self::new(StatusCode::NOT_FOUND, "CertificateNotFound", message)
    }

    /// A key that belongs to a certificate changes only with the certificate.
    pub(crate) fn managed(operation: &str) -> Self {
        Self::forbidden(
            format!(
                "Operation \"{operation}\" is not allowed as this object's lifetime is managed by \
                 Key Vault."
            ),
            "KeyManagedByKeyVault",
        )
    }

    pub(crate) fn deleted_key_not_found(persona: Persona, base: &str, name: &str) -> Self {
        let message = match persona {
            Persona::Vault => format!("Deleted Key not found: {name}"),
            Persona::ManagedHsm => {
                format!("Key not found: Deleted Key not found: {base}/deletedkeys/{name}")
            }
        };
        Self::new(StatusCode::NOT_FOUND, "KeyNotFound", message)
    }

    pub(crate) fn deleted_but_recoverable(object: &str, name: &str) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "Conflict",
            format!(
                "{object} {name} is currently in a deleted but recoverable state, and its name \
                 cannot be reused; in this state, the {} can only be recovered or purged.",
                object.to_ascii_lowercase()
            ),
        )
        .with_inner("ObjectIsDeletedButRecoverable")
    }

    /// Between the delete request and the end of the deletion.
    pub(crate) fn being_deleted(object: &str) -> Self {
        let message = format!("{object} is currently being deleted.");
        Self::new(StatusCode::CONFLICT, "Conflict", message).with_inner("ObjectIsBeingDeleted")
    }

    /// The same for a new key of that name.
    pub(crate) fn name_being_deleted(object: &str, name: &str) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "Conflict",
            format!(
                "{object} {name} is currently being deleted and cannot be re-created; retry later."
            ),
        )
        .with_inner("ObjectIsBeingDeleted")
    }

    /// A vault with purge protection purges deleted keys only by itself.
    pub(crate) fn purge_protected() -> Self {
        Self::forbidden(
            "Operation \"purge\" is not allowed because purge protection is enabled for this \
             vault. Key Vault service will automatically purge it after the retention period has \
             passed.",
            "ForbiddenByPolicy",
        )
    }

    /// A Managed HSM refuses all operations while it is being restored as a whole.
    pub(crate) fn hsm_restoring() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "Conflict",
            "User triggered Restore operation is in progress. Retry after the restore operation",
        )
    }

    /// A release policy that was marked immutable cannot change.
    pub(crate) fn release_policy_immutable(persona: Persona) -> Self {
        Self::bad_parameter(match persona {
            Persona::Vault => "AKV.SKR.1020: Immutable Key Release Policy cannot be modified.",
            Persona::ManagedHsm => "Immutable Release policy cannot be modified",
        })
    }

    pub(crate) fn release_policy_not_exportable() -> Self {
        Self::bad_parameter("AKV.SKR.1005: Non-exportable keys must not have release policy")
    }

    /// No environment is attested here, so no key can be released.
    pub(crate) fn not_attested() -> Self {
        Self::forbidden(
            "Target environment attestation statement cannot be verified.",
            "AccessDenied",
        )
    }

    pub(crate) fn restore_conflict(key_url: &str) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "Conflict",
            format!(
                "There was a conflict restoring the key '{key_url}'. This can happen if either: a \
                 second key with the same name was created after the first key was deleted; thus \
                 trying to restore a key whose name is already in use. To fix this, rename the \
                 second key to something else so that the restore works. The second probable \
                 cause of this exception is when multiple operations are performed in parallel \
                 against the key. To avoid this error, perform operations against a key in a \
                 sequential manner."
            ),
        )
    }

    pub(crate) fn key_disabled(operation: &str) -> Self {
        Self::forbidden(
            format!("Operation {operation} is not allowed on a disabled key."),
            "KeyDisabled",
        )
    }

    pub(crate) fn key_not_yet_valid(operation: &str) -> Self {
        Self::forbidden(
            format!("Operation {operation} is not allowed on a key that is not yet valid."),
            "KeyNotYetValid",
        )
    }

    pub(crate) fn key_expired(operation: &str) -> Self {
        Self::forbidden(
            format!("Operation {operation} is not allowed on a expired key."),
            "KeyExpired",
        )
    }

    pub(crate) fn operation_forbidden(operation: &str) -> Self {
        Self::forbidden(
            format!("Operation {operation} is not permitted on this key."),
            "KeyOperationForbidden",
        )
    }
}
