//! Tests the connection to a vault, step by step (feature `probe`), for programs that diagnose
//! failures or measure times.
//!
//! A probe opens its own connection, as the library's operations do, and requests a new token from
//! each credential, so it meets the same conditions as a new process. It does not retry, and ends
//! within the setting `timeout`.
//!
//! ```no_run
//! use akv_core::{Client, Settings};
//!
//! # async fn example() -> akv_core::Result<()> {
//! let client = Client::new(Settings::from_environment()?);
//! let reference = client.reference("vault:myVault:myKey")?;
//! let server = client.probe_server(&reference).await?;
//! if let Some(tls) = &server.tls {
//!     match &tls.outcome {
//!         Ok(tls) => println!("{} with {} after {:?}", tls.version, tls.group, server.took()),
//!         Err(error) => println!("no TLS: {error}"),
//!     }
//! }
//! for credential in client.probe_credentials(&reference).await? {
//!     println!("{}: {:?}", credential.kind.name(), credential.step.outcome);
//! }
//! # Ok(())
//! # }
//! ```

mod claims;
mod credentials;
mod observer;
mod server;
mod signature;

pub use self::{
    claims::TokenFacts,
    credentials::CredentialProbe,
    server::{AnswerFacts, CertificateFacts, CertificateProblem, ServerProbe, TlsFacts},
    signature::SignatureTimes,
};

use std::{
    future::Future,
    time::{Duration, Instant},
};

use crate::{Error, ErrorKind, Result};

/// A step of a probe.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Step<T> {
    /// How long it took.
    pub took: Duration,
    /// Its result.
    pub outcome: Result<T>,
}

impl<T> Step<T> {
    /// Runs a step, which ends within `limit`.
    async fn run(limit: Duration, step: impl Future<Output = Result<T>>) -> Self {
        let start = Instant::now();
        let outcome = tokio::time::timeout(limit, step).await;
        let took = start.elapsed();
        let late = || Err(Error::new(ErrorKind::Timeout, format!("no response within {limit:?}")));
        Self { took, outcome: outcome.unwrap_or_else(|_| late()) }
    }
}
