//! HTTPS to the service: what the official client sends its requests through.

mod authorize;
mod connect;
mod connection;
mod direct;
mod failure;
mod http;
mod pool;
mod resolve;
mod socket;
mod tls;
mod unauthorized;

pub(crate) use authorize::Authorize;
#[cfg(feature = "probe")]
pub(crate) use connect::proxies;
pub(crate) use direct::Direct;
pub(crate) use failure::{failure, not_executed, retry_after, unreachable_server, wrong_answer};
pub(crate) use http::Http;
#[cfg(feature = "probe")]
pub(crate) use tls::config as tls_config;
#[cfg(feature = "probe")]
pub(crate) use tls::verifier as tls_verifier;
