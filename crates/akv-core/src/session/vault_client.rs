//! The clients of one vault in a process: the official ones, the fast path, the limit of requests.

use std::{sync::Arc, time::Duration};

use azure_core::{
    credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions},
    http::{ClientOptions, RetryOptions, Transport, policies::Policy},
    time::OffsetDateTime,
};
use azure_security_keyvault_certificates::{CertificateClient, CertificateClientOptions};
use azure_security_keyvault_keys::{KeyClient, KeyClientOptions};
use bytes::Bytes;
use hyper::Uri;
use tokio::sync::Semaphore;
use url::Url;

use super::{Session, authorize::Authorize, direct::Direct, hedge::hedged};
use crate::{Error, ErrorKind, Result, counters::Metrics, transport::Http};

/// One process's client of one vault.
pub(crate) struct VaultClient {
    /// The official client, for everything except operations with keys.
    pub(crate) keys: KeyClient,
    pub(crate) certificates: CertificateClient,
    pub(crate) permits: Semaphore,
    /// For messages: host and port.
    pub(crate) host: String,
    direct: Direct,
    hedge: Option<Hedge>,
    metrics: Arc<Metrics>,
}

/// A second request, on a separate connection: that of the first may be half dead.
struct Hedge {
    after: Duration,
    direct: Direct,
}

impl VaultClient {
    /// The client of the vault at `url`; `spare` has the connections for second requests.
    ///
    /// # Errors
    /// None if the URL was checked.
    pub(crate) fn new(
        session: &Session,
        http: &Http,
        spare: Option<&Http>,
        url: &Url,
        authorize: Arc<Authorize>,
    ) -> Result<Self> {
        let values = session.settings().values();
        let failed = |error: azure_core::Error| Error::new(ErrorKind::Internal, error.to_string());
        let direct = |http| Direct::new(http, url, Arc::clone(&authorize)).map_err(failed);
        let hedge = match values.hedge_after.zip(spare) {
            Some((after, spare)) => Some(Hedge { after, direct: direct(spare)? }),
            None => None,
        };
        let direct = direct(http)?;
        let client_options = ClientOptions {
            per_try_policies: vec![authorize as Arc<dyn Policy>],
            // Retries are in `transport::retry`, where one deadline covers them and also broken
            // responses.
            retry: RetryOptions::none(),
            transport: Some(Transport::new(Arc::new(http.clone()))),
            ..ClientOptions::default()
        };
        // `Authorize` checks challenges, also for vaults behind a configured endpoint.
        let verify_challenge_resource = Some(false);
        let options = KeyClientOptions {
            client_options: client_options.clone(),
            verify_challenge_resource,
            ..KeyClientOptions::default()
        };
        let keys = KeyClient::new(url.as_str(), Arc::new(Placeholder), Some(options));
        let options = CertificateClientOptions {
            client_options,
            verify_challenge_resource,
            ..CertificateClientOptions::default()
        };
        let certificates =
            CertificateClient::new(url.as_str(), Arc::new(Placeholder), Some(options));
        Ok(Self {
            keys: keys.map_err(failed)?,
            certificates: certificates.map_err(failed)?,
            permits: Semaphore::new(values.max_concurrency),
            host: url.authority().to_owned(),
            direct,
            hedge,
            metrics: Arc::clone(session.metrics()),
        })
    }

    /// Runs an operation with a key. If hedging is on and the response is slow, sends the request
    /// again if the limit of requests in flight permits it.
    pub(crate) async fn operate(&self, target: &Uri, body: Bytes) -> azure_core::Result<Bytes> {
        let Some(Hedge { after, direct }) = &self.hedge else {
            return self.direct.post(target, body).await;
        };
        let first = self.direct.post(target, body.clone());
        let second = || {
            let permit = self.permits.try_acquire().ok()?;
            self.metrics.hedge();
            tracing::debug!(host = self.host, ?after, "no response yet; sending a second request");
            Some(async move {
                let _permit = permit;
                direct.post(target, body).await
            })
        };
        // Boxed to keep the future small when hedging is off.
        Box::pin(hedged(*after, first, second)).await
    }
}

/// Placeholder for a credential in the official client; [`Authorize`] replaces it by the real
/// token.
#[derive(Debug)]
struct Placeholder;

#[async_trait::async_trait]
impl TokenCredential for Placeholder {
    async fn get_token(
        &self,
        _scopes: &[&str],
        _options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let far = OffsetDateTime::now_utc() + azure_core::time::Duration::days(36_500);
        Ok(AccessToken::new(Secret::new("placeholder"), far))
    }
}
