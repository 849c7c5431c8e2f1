//! An HTTP client that reads answers of sensible size only.

use azure_core::{
    error::{Error, ErrorKind, Result},
    http::{AsyncRawResponse, HttpClient, Request},
};
use bytes::Bytes;
use futures::TryStreamExt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Largest answer in bytes. A page of keys has some ten thousand.
const MAX_BODY: usize = 1024 * 1024;

/// Reads the whole answer, up to a limit, so that a retry covers a broken body too.
#[derive(Debug)]
pub(crate) struct Limited(reqwest::Client);

impl Limited {
    pub(crate) fn new(client: reqwest::Client) -> Arc<Self> {
        Arc::new(Self(client))
    }
}

#[async_trait::async_trait]
impl HttpClient for Limited {
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse> {
        let (status, headers, mut body) = self.0.execute_request(request).await?.deconstruct();
        // A decrypted text may be in it.
        let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
        while let Some(chunk) = body.try_next().await? {
            if bytes.len() + chunk.len() > MAX_BODY {
                return Err(Error::with_message(
                    ErrorKind::DataConversion,
                    format!("the answer is larger than {MAX_BODY} bytes"),
                ));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(AsyncRawResponse::from_bytes(status, headers, Bytes::from_owner(bytes)))
    }
}
