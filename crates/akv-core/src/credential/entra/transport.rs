//! The transport to the token endpoint.

use std::{borrow::Cow, sync::Arc};

use azure_core::{
    error::Result,
    http::{AsyncRawResponse, Body, HttpClient, Request},
};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::refusal::{TokenError, refusal};
use crate::{
    Error, ErrorKind, outside,
    transport::{Http, retry_after},
};

/// Reads the response before the official credential does, which cannot parse the error bodies of
/// the real service (their texts contain escapes) and treats a response without a token as success.
#[derive(Debug)]
pub(super) struct TokenEndpoint(Http);

impl TokenEndpoint {
    pub(super) fn new(http: Http) -> Arc<Self> {
        Arc::new(Self(http))
    }
}

#[async_trait::async_trait]
impl HttpClient for TokenEndpoint {
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse> {
        let response = self.0.execute_request(request).await?;
        let (status, headers, body) = response.deconstruct();
        let body = body.collect().await?;
        let host = outside::server(request.url());
        if status.is_success() {
            return match is_grant(&body) {
                true => Ok(AsyncRawResponse::from_bytes(status, headers, body)),
                false => Err(TokenError::passing(no_grant(host), None).into_error()),
            };
        }
        let status = u16::from(status);
        let error = refusal(host, status, &body, &withheld(request));
        Err(match status {
            408 | 429 | 500..=599 => TokenError::passing(error, retry_after(&headers)),
            _ => TokenError::last(error),
        }
        .into_error())
    }
}

fn is_grant(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Grant<'a> {
        #[serde(borrow)]
        access_token: Cow<'a, str>,
        expires_in: u64,
    }
    outside::json(body)
        .is_ok_and(|grant: Grant<'_>| !grant.access_token.is_empty() && grant.expires_in > 0)
}

fn no_grant(host: &str) -> Error {
    Error::new(ErrorKind::Credential, format!("the response from {host} contains no token"))
}

/// The secrets in a request's form body.
fn withheld(request: &Request) -> Vec<Zeroizing<String>> {
    let Body::Bytes(form) = request.body() else { return Vec::new() };
    url::form_urlencoded::parse(form)
        .filter(|(name, _)| matches!(&**name, "client_secret" | "client_assertion"))
        .map(|(_, value)| Zeroizing::new(value.into_owned()))
        .filter(|value| !value.is_empty())
        .collect()
}
