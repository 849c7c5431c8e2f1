//! The meaning of a 401 when there is no other token to try.

use azure_core::http::RawResponse;

use super::token_cache::Tokens;
use crate::{Error, ErrorKind, error::one_line, transport::error_details};

/// Why there is no other token after the last 401 of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoOtherToken {
    /// The credential returned the refused token again.
    Unchanged,
    /// The refused token was new: it had replaced another one that was refused.
    Again,
}

/// The error to report, from the service's response and the properties of the credential.
pub(super) fn unauthorized(tokens: &Tokens, why: NoOtherToken, answer: &RawResponse) -> Error {
    let credential = tokens.credential();
    let name = credential.name();
    // A source that cannot renew its token never has a second one.
    let (happened, advice) = match (credential.unrenewable(), why) {
        (Some((source, advice)), _) => {
            (format!("the access token was refused, and {source}"), advice)
        }
        (None, NoOtherToken::Unchanged) => (
            format!("the access token was refused, and {name} returned the same one again"),
            "check that this identity belongs to the vault's tenant; if its login or tenant has \
             changed, sign in again or wait until the cached token expires"
                .to_owned(),
        ),
        (None, NoOtherToken::Again) => (
            format!("two access tokens in a row were refused, the second one fresh from {name}"),
            "check that this identity belongs to the vault's tenant, and check cloud, endpoint \
             and this machine's clock"
                .to_owned(),
        ),
    };
    let details = error_details(answer);
    let text = match details.message {
        Some(message) => format!("{happened}: {}", one_line(&message)),
        None => happened,
    };
    Error::new(ErrorKind::Service, text).answer(401, details.code, details.request_id).hint(advice)
}
