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
pub(crate) use connect::{Observer, proxy};
#[cfg(feature = "probe")]
pub(crate) use failure::find_cause;
pub(crate) use failure::{
    error_details, failure, invalid_response, not_executed, retry_after, unreachable_server,
};
pub(crate) use http::{Http, Server, WholeResponse};
#[cfg(feature = "probe")]
pub(crate) use resolve::UnknownHost;
pub(crate) use retry::{Failure, with_deadline};
