//! The HTTP client that a process shares among its vaults and credentials.

use super::resolve::Resolver;
use crate::{Error, ErrorKind, Result, Settings};
use std::{sync::Arc, time::Duration};

/// How long an unused connection is kept. The service closes them after some minutes.
const IDLE: Duration = Duration::from_secs(90);

/// Makes the client. Nothing is connected yet.
///
/// # Errors
/// A proxy's URL makes no sense, or TLS cannot be set up.
pub(crate) fn http_client(settings: &Settings) -> Result<reqwest::Client> {
    let values = settings.values();
    // Half-dead connections have hung clients for a quarter of an hour. They have to be found out
    // while there is time left to try another one: by pings on HTTP/2, by unacknowledged data.
    let probe = values.timeout / 5;
    let tls = super::tls::config(&values.roots)
        .map_err(|error| Error::new(ErrorKind::Internal, format!("cannot set up TLS: {error}")))?;
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        // A redirect would carry the token to wherever an answer says.
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .dns_resolver(Arc::new(Resolver::new(settings)))
        .connect_timeout(Duration::from_secs(5).min(values.timeout))
        .pool_idle_timeout(IDLE)
        .tcp_nodelay(true)
        .tcp_keepalive(Duration::from_secs(15))
        .tcp_keepalive_interval(Duration::from_secs(5))
        .tcp_keepalive_retries(3)
        .tcp_user_timeout(values.timeout / 3)
        .http2_keep_alive_interval(probe)
        .http2_keep_alive_timeout(probe)
        // The environment was read at load; it may be gone by now.
        .no_proxy();
    let environment = &values.environment;
    let either = |upper, lower| environment.get(upper).or_else(|| environment.get(lower));
    if let Some(proxy) = either("HTTPS_PROXY", "https_proxy") {
        let exceptions = either("NO_PROXY", "no_proxy").and_then(reqwest::NoProxy::from_string);
        let proxy = reqwest::Proxy::https(proxy).map_err(|_| {
            Error::new(ErrorKind::Settings, "HTTPS_PROXY is not the URL of a proxy")
        })?;
        builder = builder.proxy(proxy.no_proxy(exceptions));
    }
    builder
        .build()
        .map_err(|error| Error::new(ErrorKind::Internal, format!("cannot set up HTTP: {error}")))
}
