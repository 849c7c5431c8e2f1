//! The service's errors, as its clients see them.

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::{operation::Operation, persona::Persona};

/// An error answer of the data plane: `{"error": {"code", "message", "innererror": {"code"}}}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) inner: Option<&'static str>,
}

impl ApiError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), inner: None }
    }

    fn with_inner(mut self, inner: &'static str) -> Self {
        self.inner = Some(inner);
        self
    }

    pub(crate) fn bad_parameter(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadParameter", message)
    }

    /// The vault's answer to a property value that it does not know.
    pub(crate) fn invalid_value(property: &str) -> Self {
        Self::bad_parameter(format!("Property {property} has invalid value\r\n"))
    }

    pub(crate) fn not_supported(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "NotSupported", message)
    }

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

    pub(crate) fn bad_name(persona: Persona, name: &str) -> Self {
        Self::bad_parameter(match persona {
            Persona::Vault => format!("The request URI contains an invalid name: {name}"),
            Persona::ManagedHsm => "Invalid key identifier or name".to_owned(),
        })
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

    /// A key that belongs to a certificate is changed with it only.
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

    pub(crate) fn deleted_but_recoverable(name: &str) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "Conflict",
            format!(
                "Key {name} is currently in a deleted but recoverable state, and its name cannot \
                 be reused; in this state, the key can only be recovered or purged."
            ),
        )
        .with_inner("ObjectIsDeletedButRecoverable")
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

    fn forbidden(message: impl Into<String>, inner: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "Forbidden", message).with_inner(inner)
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
            format!("Operation {operation} is not allowed on an expired key."),
            "KeyExpired",
        )
    }

    pub(crate) fn operation_forbidden(operation: &str) -> Self {
        Self::forbidden(
            format!("Operation {operation} is not permitted on this key."),
            "KeyOperationForbidden",
        )
    }

    /// The caller has no role or access policy for the operation.
    pub(crate) fn forbidden_by_policy(operation: Operation, vault: &str) -> Self {
        let permission = format!("{} {}", operation.collection(), operation.permission());
        let nobody = uuid::Uuid::nil();
        Self::forbidden(
            format!(
                "The user, group or application 'appid={nobody};oid={nobody};\
                 iss=https://sts.windows.net/{nobody}/' does not have {permission} permission \
                 on key vault '{vault};location=emulator'. For help resolving this issue, please \
                 see https://go.microsoft.com/fwlink/?linkid=2125287"
            ),
            "ForbiddenByPolicy",
        )
    }

    /// The caller has no role for the operation.
    pub(crate) fn forbidden_by_role(operation: Operation, vault: &str) -> Self {
        let nobody = uuid::Uuid::nil();
        let (collection, permission) = (operation.collection(), operation.permission());
        Self::forbidden(
            format!(
                "Caller is not authorized to perform action on resource.\r\nIf role assignments, \
                 deny assignments or role definitions were changed recently, please observe \
                 propagation time.\r\nCaller: appid={nobody};oid={nobody};\
                 iss=https://sts.windows.net/{nobody}/\r\nAction: \
                 'Microsoft.KeyVault/vaults/{collection}/{permission}/action'\r\nResource: \
                 '/subscriptions/{nobody}/resourcegroups/emulator/providers/microsoft.keyvault/\
                 vaults/{vault}'\r\nAssignment: (not found)\r\nDenyAssignmentId: null\r\n\
                 DecisionReason: null \r\nVault: {vault};location=emulator\r\n"
            ),
            "ForbiddenByRbac",
        )
    }

    /// The caller's address is outside of the vault's network rules.
    pub(crate) fn forbidden_by_firewall(vault: &str) -> Self {
        let nobody = uuid::Uuid::nil();
        Self::forbidden(
            format!(
                "Client address is not authorized and caller is not a trusted service.\r\n\
                 Client address: 127.0.0.1\r\nCaller: appid={nobody};oid={nobody};\
                 iss=https://sts.windows.net/{nobody}/\r\nVault: {vault};location=emulator"
            ),
            "ForbiddenByFirewall",
        )
    }

    pub(crate) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Unauthorized", message)
    }

    pub(crate) fn throttled() -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "Throttled",
            "Request was not processed because too many requests were received. Reason: \
             VaultRequestTypeLimitReached",
        )
    }

    pub(crate) fn server_error(status: StatusCode) -> Self {
        let code = match status.as_u16() {
            408 => "RequestTimeout",
            503 => "ServiceUnavailable",
            504 => "GatewayTimeout",
            _ => "ServerError",
        };
        Self::new(status, code, status.canonical_reason().unwrap_or("Error"))
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFound", "The requested resource was not found.")
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "MethodNotAllowed",
            "The requested resource does not support this HTTP method.",
        )
    }

    /// The body in the persona's form: a Managed HSM appends the request's id to the message.
    pub(crate) fn body(&self, persona: Persona, request_id: &str) -> Value {
        let message = match persona {
            Persona::Vault => self.message.clone(),
            Persona::ManagedHsm => format!("{} (Activity ID: {request_id})", self.message),
        };
        let mut error = json!({ "code": self.code, "message": message });
        if let Some(inner) = self.inner {
            error["innererror"] = json!({ "code": inner });
        }
        json!({ "error": error })
    }
}
