//! The fast path to the service, for the operations that servers run all the time.
//!
//! The official client's pipeline does for each request what can be done once per key: it builds
//! the URL, collects headers, and clones everything for retries, although retries are ours. That
//! was a fifth of a signature's instructions. All other requests go through it.

use std::sync::Arc;

use azure_core::{
    error::{Error, ErrorKind, Result},
    http::RawResponse,
};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request, StatusCode, Uri,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, USER_AGENT, WWW_AUTHENTICATE},
};
use url::Url;

use super::{authorize::Authorize, unauthorized::NoOtherToken};
use crate::{
    credential::Token,
    transport::{Http, Server, WholeResponse},
};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("akv-core/", env!("CARGO_PKG_VERSION")));
const REQUEST_ID: &str = "x-ms-request-id";

/// Posts to one vault with the shared token.
pub(crate) struct Direct {
    server: Server,
    authorize: Arc<Authorize>,
}

impl Direct {
    /// The fast path to the vault at `url`.
    ///
    /// # Errors
    /// None if the URL was checked.
    pub(crate) fn new(http: &Http, url: &Url, authorize: Arc<Authorize>) -> Result<Self> {
        let url =
            Uri::try_from(url.as_str()).map_err(|error| Error::new(ErrorKind::Other, error))?;
        Ok(Self { server: http.server(&url)?, authorize })
    }

    /// Posts JSON, and returns the body of a successful response.
    ///
    /// # Errors
    /// As for the official client.
    pub(crate) async fn post(&self, target: &Uri, body: Bytes) -> Result<Bytes> {
        let token = self.authorize.token().await?;
        let mut answer = self.server.exchange(target, request(&token, body.clone())).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            let header = |name| answer.headers.get(name).and_then(|value| value.to_str().ok());
            let (challenge, request_id) = (header(WWW_AUTHENTICATE.as_str()), header(REQUEST_ID));
            let mut why = NoOtherToken::Again;
            match self.authorize.another(&token, challenge, request_id).await? {
                Ok(fresh) => answer = self.server.exchange(target, request(&fresh, body)).await?,
                Err(reason) => why = reason,
            }
            if answer.status == StatusCode::UNAUTHORIZED {
                return Err(self.authorize.unauthorized(why, &raw(answer)));
            }
        }
        if answer.status.is_success() { Ok(answer.body) } else { Err(failed(answer)) }
    }
}

fn request(token: &Token, body: Bytes) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = hyper::Method::POST;
    let headers = request.headers_mut();
    headers.insert(AUTHORIZATION, token.authorization().clone());
    headers.insert(ACCEPT, JSON);
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(USER_AGENT, AGENT);
    request
}

fn raw(answer: WholeResponse) -> RawResponse {
    RawResponse::from_bytes(answer.status.as_u16().into(), answer.texts(), answer.body)
}

fn failed(answer: WholeResponse) -> Error {
    let status = answer.status.as_u16().into();
    let raw_response = Some(Box::new(raw(answer)));
    ErrorKind::HttpResponse { status, error_code: None, raw_response }.into_error()
}
