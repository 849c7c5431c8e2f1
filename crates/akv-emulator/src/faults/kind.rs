//! What can go wrong.

use serde::{Deserialize, Serialize};

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum FaultKind {
    /// The answer comes this much later, in milliseconds; combines with every other fault.
    Latency {
        /// Milliseconds before the request is handled.
        millis: u64,
    },
    /// No answer ever; the connection stays open.
    Hang,
    /// An error status instead of the operation, with the service's error body.
    Status {
        /// The HTTP status code, 400 to 599.
        status: u16,
        /// Whole seconds for `Retry-After`; without it the header is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<u64>,
    },
    /// 401 although the token is valid.
    Unauthorized,
    /// 403: the caller lacks the permission.
    Forbidden,
    /// 403: the vault has roles, and the caller has none for the operation.
    ForbiddenByRole,
    /// 403: the vault's firewall does not let the caller's address in.
    ForbiddenByFirewall,
    /// 409: a Managed HSM is being restored from a backup of all of it.
    HsmRestore,
    /// A redirect instead of the operation.
    Redirect {
        /// The `Location` header, as it is.
        location: String,
    },
    /// TCP reset right after accept, before the TLS handshake. Has no operation.
    ResetOnAccept,
    /// TCP reset after the TLS handshake, before a request is read. Has no operation.
    ResetBeforeRequest,
    /// TCP reset when the request has been read.
    ResetAfterRequest,
    /// Half of the body under the full `Content-Length`, then the connection (HTTP/1.1) or the
    /// stream (HTTP/2) breaks.
    TruncatedBody,
    /// The status of the operation with no body.
    EmptyBody,
    /// An HTML page where JSON is due.
    NotJson,
    /// JSON of another shape.
    WrongShape,
    /// The right body labelled `text/html`.
    WrongContentType,
    /// A valid JSON document padded to this many bytes.
    HugeBody {
        /// Length of the body in bytes.
        bytes: u64,
    },
    /// The link to the next page leads elsewhere. Only for lists.
    NextLink {
        /// The `nextLink` member, as it is.
        location: String,
    },
    /// A member of the answer that is base64url encodes other bytes.
    WrongBytes {
        /// The member as a JSON pointer (RFC 6901).
        #[serde(default = "value")]
        member: String,
        /// How many bytes.
        length: usize,
        /// What each of them is.
        #[serde(default = "highest")]
        fill: u8,
    },
    /// A signature of the right form and length that does not verify. Only for sign.
    WrongSignature,
    /// The body comes in eight pieces spread over this time.
    SlowBody {
        /// Milliseconds from the first to the last piece.
        millis: u64,
    },
    /// The connection is closed in order after the response; combines with every other fault.
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
