//! Kinds of faults.

use serde::{Deserialize, Serialize};

/// A kind of fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum FaultKind {
    /// The response is delayed; combines with every other fault.
    Latency {
        /// Milliseconds before the request is handled.
        millis: u64,
    },
    /// There is no response; the connection stays open.
    Hang,
    /// An error status instead of the operation, with the service's error body.
    Status {
        /// The HTTP status code, 400 to 599.
        status: u16,
        /// Whole seconds for `Retry-After`; without it the header is omitted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<u64>,
    },
    /// 401 although the token is valid.
    Unauthorized,
    /// 403: the caller lacks the permission.
    Forbidden,
    /// 403: the vault uses roles, and the caller has none for the operation.
    ForbiddenByRole,
    /// 403: the vault's firewall does not admit the caller's address.
    ForbiddenByFirewall,
    /// 409: a Managed HSM is being restored from a full backup.
    HsmRestore,
    /// A redirect instead of the operation.
    Redirect {
        /// The `Location` header, verbatim.
        location: String,
    },
    /// TCP reset right after accept, before the TLS handshake. Has no operation.
    ResetOnAccept,
    /// TCP reset after the TLS handshake, before a request is read. Has no operation.
    ResetBeforeRequest,
    /// TCP reset after the request has been read.
    ResetAfterRequest,
    /// Half of the body with the full `Content-Length`, then the connection (HTTP/1.1) or the
    /// stream (HTTP/2) breaks.
    TruncatedBody,
    /// The status of the operation with no body.
    EmptyBody,
    /// An HTML page instead of JSON.
    NotJson,
    /// JSON of the wrong shape.
    WrongShape,
    /// The right body labelled `text/html`.
    WrongContentType,
    /// A valid JSON document padded to this many bytes.
    HugeBody {
        /// Length of the body in bytes.
        bytes: u64,
    },
    /// The link to the next page has another location. Only for lists.
    NextLink {
        /// The `nextLink` member, verbatim.
        location: String,
    },
    /// A base64url member of the response contains other bytes.
    WrongBytes {
        /// The member as a JSON pointer (RFC 6901).
        #[serde(default = "value")]
        member: String,
        /// The number of bytes.
        length: usize,
        /// The value of each byte.
        #[serde(default = "highest")]
        fill: u8,
    },
    /// A signature of the right format and length that does not verify. Only for sign.
    WrongSignature,
    /// The body is sent in eight pieces spread over this time.
    SlowBody {
        /// Milliseconds from the first to the last piece.
        millis: u64,
    },
    /// The connection is closed gracefully after the response; combines with every other fault.
    CloseConnection,
}

fn value() -> String {
    "/value".to_owned()
}

const fn highest() -> u8 {
    u8::MAX
}

impl FaultKind {
    pub(super) const fn on_connection(&self) -> bool {
        matches!(self, Self::ResetOnAccept | Self::ResetBeforeRequest)
    }

    pub(super) const fn combines(&self) -> bool {
        matches!(self, Self::Latency { .. } | Self::CloseConnection)
    }
}
