//! Puts the access token on requests, and handles refused tokens.

use std::{collections::HashMap, sync::Arc};

use azure_core::{
    error::{Error, ErrorKind, Result},
    http::{
        AsyncRawResponse, Context, RawResponse, Request, StatusCode,
        headers::{AUTHORIZATION, HeaderName, HeaderValue, Headers, WWW_AUTHENTICATE},
        policies::{Policy, PolicyResult},
    },
};
use url::Url;

use super::{
    token_cache::Tokens,
    unauthorized::{NoOtherToken, unauthorized},
};
use crate::{Error as AkvError, ErrorKind as AkvErrorKind, credential::Token, outside};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-request-id");

/// The last policy before the transport, closest to the wire.
///
/// The official client provokes a challenge with its first request, which costs a round trip, and
/// keeps its own tokens. The audience is known from the settings, so the first request is answered
/// here, and requests are sent with the token that all keys of the process share.
#[derive(Debug)]
pub(crate) struct Authorize {
    tokens: Arc<Tokens>,
    /// The only server that may receive the token.
    vault: Url,
}

impl Authorize {
    pub(crate) fn new(tokens: Arc<Tokens>, vault: Url) -> Arc<Self> {
        Arc::new(Self { tokens, vault })
    }

    fn local_challenge(&self) -> AsyncRawResponse {
        let challenge = format!(r#"Bearer scope="{}""#, self.tokens.scope());
        let headers = HashMap::from([(WWW_AUTHENTICATE, HeaderValue::from(challenge))]);
        AsyncRawResponse::from_bytes(StatusCode::Unauthorized, Headers::from(headers), Vec::new())
    }

    /// The token for the next request.
    pub(super) async fn token(&self) -> Result<Arc<Token>> {
        self.tokens.get().await.map_err(refusal)
    }

    /// The token to try after the service refused one with this challenge and request id, or why
    /// there is none.
    pub(super) async fn another(
        &self,
        refused: &Arc<Token>,
        challenge: Option<&str>,
        request_id: Option<&str>,
    ) -> Result<std::result::Result<Arc<Token>, NoOtherToken>> {
        self.check_challenge(challenge)?;
        let fresh = Box::pin(self.tokens.replace(Some(refused))).await;
        let fresh = fresh.map_err(|error| refusal(no_other_token(error, request_id)))?;
        Ok(if fresh.authorization() != refused.authorization() {
            Ok(fresh)
        } else if Arc::ptr_eq(&fresh, refused) {
            // Another operation has just replaced it.
            Err(NoOtherToken::Again)
        } else {
            Err(NoOtherToken::Unchanged)
        })
    }

    /// The error for a 401 that no other token can resolve.
    pub(super) fn unauthorized(&self, why: NoOtherToken, answer: &RawResponse) -> Error {
        refusal(unauthorized(&self.tokens, why, answer))
    }

    /// Refuses a challenge for a token of another audience: such a token would be valid elsewhere.
    fn check_challenge(&self, challenge: Option<&str>) -> Result<()> {
        let Some(challenge) = challenge else { return Ok(()) };
        let requested =
            ["resource", "scope"].into_iter().find_map(|name| parameter(challenge, name));
        let expected = audience(self.tokens.scope());
        match requested {
            Some(requested) if !audience(requested).eq_ignore_ascii_case(expected) => {
                Err(refusal(AkvError::new(
                    AkvErrorKind::Credential,
                    format!(
                        "the server requests a token for {:?} instead of {expected:?}; no token \
                         is sent",
                        outside::without_users(crate::error::shortened(requested, 200))
                    ),
                )))
            }
            _ => Ok(()),
        }
    }
}

#[async_trait::async_trait]
impl Policy for Authorize {
    async fn send(
        &self,
        ctx: &Context,
        request: &mut Request,
        next: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        if request.headers().get_optional_str(&AUTHORIZATION).is_none() {
            return Ok(self.local_challenge());
        }
        // Links between pages come from the network.
        if request.url().origin() != self.vault.origin() {
            return Err(refusal(AkvError::new(
                AkvErrorKind::Response,
                format!("the response links to another server: {}", outside::server(request.url())),
            )));
        }
        let token = self.token().await?;
        authorize(request, &token);
        let response = next[0].send(ctx, request, &next[1..]).await?;
        if response.status() != StatusCode::Unauthorized {
            return Ok(response);
        }
        let challenge = response.headers().get_optional_str(&WWW_AUTHENTICATE);
        let request_id = response.headers().get_optional_str(&REQUEST_ID);
        let (why, response) = match self.another(&token, challenge, request_id).await? {
            Err(why) => (why, response),
            Ok(fresh) => {
                authorize(request, &fresh);
                (NoOtherToken::Again, next[0].send(ctx, request, &next[1..]).await?)
            }
        };
        if response.status() != StatusCode::Unauthorized {
            return Ok(response);
        }
        // The official client would retry after a challenge, with the same token.
        let answer = response.try_into_raw_response().await?;
        Err(self.unauthorized(why, &answer))
    }
}

fn authorize(request: &mut Request, token: &Token) {
    // The value is ASCII.
    let value = token.authorization().to_str().unwrap_or_default();
    request.insert_header(AUTHORIZATION, value.to_owned());
}

/// Wraps one of our errors for the official client.
fn refusal(error: AkvError) -> Error {
    Error::new(ErrorKind::Credential, error)
}

/// Adds the service's request id about the refused token to the error about its replacement.
fn no_other_token(error: AkvError, request_id: Option<&str>) -> AkvError {
    let request_id = request_id.map(str::to_owned);
    let code = error.code().map(|code| format!("{code}: ")).unwrap_or_default();
    let reason = error.message();
    let text = format!("the access token was refused and cannot be replaced: {code}{reason}");
    AkvError::new(AkvErrorKind::Credential, text).answer(401, None, request_id).with_hint_of(&error)
}

/// The value of `name="…"` in a challenge (RFC 9110 section 11.6.1).
fn parameter<'a>(challenge: &'a str, name: &str) -> Option<&'a str> {
    challenge.split([',', ' ']).find_map(|part| {
        part.trim().strip_prefix(name)?.trim_start().strip_prefix("=\"")?.split('"').next()
    })
}

/// A scope or resource, without the parts that only one of the two forms has.
fn audience(text: &str) -> &str {
    text.strip_suffix("/.default").unwrap_or(text).trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_kinds_of_challenge() {
        let vault =
            r#"Bearer authorization="https://login.example/t", resource="https://vault.azure.net""#;
        assert_eq!(parameter(vault, "resource"), Some("https://vault.azure.net"));
        let hsm = r#"Bearer authorization="https://login.example/t",scope="https://managedhsm.azure.net/.default""#;
        assert_eq!(parameter(hsm, "scope").map(audience), Some("https://managedhsm.azure.net"));
        assert_eq!(parameter("Basic realm=\"x\"", "resource"), None);
    }
}
