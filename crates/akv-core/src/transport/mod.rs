//! HTTPS to the service, which is also the official client's transport.

mod connect;
mod connection;
mod failure;
mod http;
mod pool;
mod resolve;
mod retry;
mod socket;
mod tls;

#[cfg(feature = "probe")]
pub(crate) use connect::proxies;
pub(crate) use failure::{
    error_details, failure, not_executed, retry_after, unreachable_server, wrong_answer,
};
pub(crate) use http::{Http, Server, WholeResponse};
#[cfg(feature = "probe")]
pub(crate) use resolve::{UnknownHost, look_up};
pub(crate) use retry::{Failure, with_deadline};
#[cfg(feature = "probe")]
pub(crate) use tls::config as tls_config;
#[cfg(feature = "probe")]
pub(crate) use tls::verifier as tls_verifier;
