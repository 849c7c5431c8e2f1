//! The errors of the service.

mod keys;

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::{operation::Operation, persona::Persona};

/// An error response of the data plane: `{"error": {"code", "message", "innererror": {"code"}}}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) inner: Option<&'static str>,
    /// Seconds after which a retry may succeed.
    pub(crate) retry_after: Option<i64>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), inner: None, retry_after: None }
    }

    fn with_inner(mut self, inner: &'static str) -> Self {
        self.inner = Some(inner);
        self
    }

    pub(crate) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Unauthorized", message)
    }

    pub(crate) fn bad_parameter(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadParameter", message)
    }

    /// The vault's error for an unknown property value.
    pub(crate) fn invalid_value(property: &str) -> Self {
        Self::bad_parameter(format!("Property {property} has invalid value\r\n"))
    }

    pub(crate) fn not_supported(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "NotSupported", message)
    }

    pub(crate) fn bad_name(persona: Persona, name: &str) -> Self {
        Self::bad_parameter(match persona {
            Persona::Vault => format!("The request URI contains an invalid name: {name}"),
            Persona::ManagedHsm => "Invalid key identifier or name".to_owned(),
        })
    }

    pub(crate) fn forbidden(message: impl Into<String>, inner: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "Forbidden", message).with_inner(inner)
    }

    pub(crate) fn throttled() -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "Throttled",
            "Request was not processed because too many requests were received. Reason: \
             VaultRequestTypeLimitReached",
        )
    }

    /// An internal error of the service; `request_id` is the one in the response.
    pub(crate) fn failing(
        status: StatusCode,
        persona: Persona,
        operation: Operation,
        request_id: &str,
    ) -> Self {
        match (status, persona) {
            (StatusCode::TOO_MANY_REQUESTS, _) => Self::throttled(),
            (StatusCode::INTERNAL_SERVER_ERROR, Persona::ManagedHsm) => {
                Self::new(status, "UnknownError", "Unknown error")
            }
            (StatusCode::INTERNAL_SERVER_ERROR, Persona::Vault) => {
                let activity = operation.activity();
                let message = format!("ActivityId: {request_id}, ActivityName: {activity}");
                Self::new(status, "ServerError", message)
            }
            _ => Self::server_error(status),
        }
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

    /// The emulator's own error: a success must not be lost by a restart.
    pub(crate) fn not_stored(error: &std::io::Error) -> Self {
        let message = format!(
            "The emulator could not write its state folder, and nothing was changed: {error}. Make \
             the folder writable, or start the emulator without it."
        );
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "StateNotStored", message)
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

    /// The body in the persona's format: a Managed HSM appends the request's id to the message.
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
