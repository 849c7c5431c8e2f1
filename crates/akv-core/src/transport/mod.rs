//! HTTPS to the service: what the official client sends its requests through.

mod authorize;
mod failure;
mod http;
mod limited;
mod resolve;
mod tls;

pub(crate) use authorize::Authorize;
pub(crate) use failure::{failure, pause, retry_after, unreachable_server};
pub(crate) use http::http_client;
pub(crate) use limited::Limited;
