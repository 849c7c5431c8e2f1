//! One signature over the probe's connection.

use std::time::Duration;

use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};

use super::{CredentialProbe, ServerProbe, server::Exchange};
use crate::{Error, ErrorKind, Key, Result, SignatureAlgorithm, transport::WholeResponse};

/// The times of a signature on an open connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignatureTimes {
    /// From the request to the head of the response.
    pub first_byte: Duration,
    /// From the request to the end of the response.
    pub whole: Duration,
    /// The service's share as it reports it (`x-ms-server-latency`); only a Managed HSM does.
    pub service: Option<Duration>,
}

impl ServerProbe {
    /// Signs `digest` over this probe's connection with the token of `credential`, and verifies the
    /// signature. Sends one request, without a retry.
    ///
    /// # Errors
    /// There is no connection or no token, the service refuses (with the errors of [`Key::sign`]),
    /// or the signature does not verify.
    pub async fn sign(
        &mut self,
        key: &Key,
        algorithm: SignatureAlgorithm,
        digest: &[u8],
        credential: &CredentialProbe,
    ) -> Result<SignatureTimes> {
        let Some(token) = &credential.token else {
            return Err(Error::new(ErrorKind::Credential, "the credential returned no token"));
        };
        let (target, body) = key.sign_request(algorithm, digest)?;
        let json = HeaderValue::from_static("application/json");
        let headers = [(AUTHORIZATION, token.authorization().clone()), (CONTENT_TYPE, json)];
        let exchange = self.exchange(hyper::Method::POST, &target, &headers, body).await?;
        let Exchange { response, first_byte, whole } = exchange;
        let WholeResponse { status, headers, body } = response;
        if !status.is_success() {
            let text = format!("the service returned HTTP {}", status.as_u16());
            let error = Error::new(ErrorKind::Service, text);
            return Err(error.answer(status.as_u16(), None, None));
        }
        key.check_signature(algorithm, digest, &body)?;
        let header = headers.get("x-ms-server-latency").and_then(|value| value.to_str().ok());
        let service = header.and_then(|text| text.trim().parse().ok()).map(Duration::from_millis);
        Ok(SignatureTimes { first_byte, whole, service })
    }
}
