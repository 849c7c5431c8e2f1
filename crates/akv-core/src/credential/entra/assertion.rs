//! Client assertions, which an application sends in place of a secret.

use std::{fmt, path::Path, sync::Arc};

use azure_core::http::ClientMethodOptions;
use azure_identity::ClientAssertion;
use url::Url;
use zeroize::Zeroizing;

use super::{Proof, refusal::TokenError};
use crate::{Error, ErrorKind, Result, credential::small_text};

/// Maximum size of a federated token in bytes; those of Kubernetes have some thousand.
const MAX_TOKEN: u64 = 64 * 1024;

/// Signs or reads the assertion for one request.
pub(super) struct Assertion {
    proof: Arc<Proof>,
    /// The token endpoint.
    audience: Url,
    client: String,
}

impl Assertion {
    pub(super) fn new(proof: Arc<Proof>, audience: Url, client: String) -> Self {
        Self { proof, audience, client }
    }

    fn text(&self) -> Result<Zeroizing<String>> {
        let failed = |reason| Error::new(ErrorKind::Credential, reason);
        match &*self.proof {
            Proof::Certificate(certificate, chain) => {
                certificate.assertion(self.audience.as_str(), &self.client, *chain).map_err(failed)
            }
            Proof::Federated(path) => federated(path),
            // A secret needs no assertion.
            Proof::Secret(_) => Err(failed("a client secret is not an assertion".to_owned())),
        }
    }
}

fn federated(path: &Path) -> Result<Zeroizing<String>> {
    let wrong = |reason: String| {
        let text = format!("the federated token file {path:?} {reason}");
        Error::new(ErrorKind::Credential, text)
            .hint("the file must stay readable after a chroot and after privileges are dropped")
    };
    let text =
        small_text(path, MAX_TOKEN).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    match text.trim() {
        "" => Err(wrong("is empty".to_owned())),
        token => Ok(Zeroizing::new(token.to_owned())),
    }
}

#[async_trait::async_trait]
impl ClientAssertion for Assertion {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let text = self.text().map_err(|error| TokenError::last(error).into_error())?;
        Ok(text.as_str().to_owned())
    }
}

impl fmt::Debug for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Assertion({:?})", self.client)
    }
}
