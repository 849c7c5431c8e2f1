//! Resolves host names: with the system's resolver, or with our own if the system's finds no files
//! (inside a `chroot`) or there is no thread that may block.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    str::FromStr as _,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
    time::Duration,
};

use dns_lookup::{AddrInfoHints, LookupErrorKind, SockType, getaddrinfo};
use domain::{
    base as dns,
    resolv::{StubResolver, stub::conf::ResolvConf},
};
use futures::future::BoxFuture;
use hyper_util::client::legacy::connect::dns::Name;
use process_abi::descriptor::StandardStreams;
use tokio::sync::Semaphore;
use tower_service::Service;

use super::connect::Observer;
use crate::{
    Settings,
    error::one_line,
    process::driver::{above_standard_streams, run_blocking},
};

/// A resolver of one process.
#[derive(Clone)]
pub(super) struct Resolver(Arc<Inner>);

/// Maximum number of concurrent look-ups by the system's resolver, each of which blocks a thread.
const MAX_LOOKUPS: usize = 16;

struct Inner {
    settings: Settings,
    observer: Option<Arc<dyn Observer>>,
    permits: Semaphore,
    /// Created on first use; few programs need it.
    own: OnceLock<OwnResolver>,
}

impl Resolver {
    pub(super) fn new(settings: &Settings, observer: Option<Arc<dyn Observer>>) -> Self {
        let (settings, permits) = (settings.clone(), Semaphore::new(MAX_LOOKUPS));
        Self(Arc::new(Inner { settings, observer, permits, own: OnceLock::new() }))
    }

    async fn addresses(&self, name: String) -> io::Result<Vec<SocketAddr>> {
        if !self.0.settings.values().names.root_has_changed()
            && let Some(found) = self.resolve_with_system(&name).await
        {
            return found;
        }
        let found = above_standard_streams(self.own().addresses(&name)).await?;
        Ok(found.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect())
    }

    /// Resolves with the system's resolver; `None` if there is no thread that may block.
    async fn resolve_with_system(&self, name: &str) -> Option<io::Result<Vec<SocketAddr>>> {
        let _permit = self.0.permits.acquire().await.ok()?;
        let host = name.to_owned();
        // The port 0 is replaced by that of the URL.
        let lookup = move || look_up(&host);
        match run_blocking(lookup).await {
            Ok(found) => Some(found),
            Err(error) => {
                tracing::debug!(%error, name, "cannot start a thread for the system's resolver");
                None
            }
        }
    }

    fn own(&self) -> &OwnResolver {
        self.0.own.get_or_init(|| {
            let settings = &self.0.settings;
            let files = &settings.values().names;
            // A name server that does not respond must leave time for a retry.
            let limit = (settings.timeout() / 4).max(SHORTEST);
            OwnResolver::new(&files.resolv_conf(), &files.hosts(), limit)
        })
    }
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (this, name) = (self.clone(), name.as_str().to_owned());
        Box::pin(async move {
            let found = this.addresses(name).await;
            if let Some(observer) = &this.0.observer {
                observer.resolved(&found);
            }
            found.map(Vec::into_iter)
        })
    }
}

/// The host does not exist or has no address.
#[derive(Debug, thiserror::Error)]
#[error("{0}: Name or service not known")]
pub(crate) struct UnknownHost(pub(crate) String);

impl From<UnknownHost> for io::Error {
    fn from(error: UnknownHost) -> Self {
        Self::new(io::ErrorKind::NotFound, error)
    }
}

/// The addresses of a host from the system's resolver, which blocks. Their port is 0.
///
/// # Errors
/// [`UnknownHost`], or another failure of the look-up.
fn look_up(name: &str) -> io::Result<Vec<SocketAddr>> {
    let _streams = StandardStreams::hold();
    let hints = AddrInfoHints { socktype: SockType::Stream.into(), ..AddrInfoHints::default() };
    let found = getaddrinfo(Some(name), None, Some(hints)).map_err(|error| match error.kind() {
        LookupErrorKind::NoName | LookupErrorKind::NoData => UnknownHost(name.to_owned()).into(),
        _ => io::Error::from(error),
    })?;
    found.map(|info| Ok(info?.sockaddr)).collect()
}

/// A resolver that needs no files and no thread. The system's would look for its files, and for
/// modules of the C library, in the new root directory.
struct OwnResolver {
    hosts: Vec<(String, IpAddr)>,
    dns: StubResolver,
}

impl OwnResolver {
    fn new(resolv_conf: &[u8], hosts: &[u8], limit: Duration) -> Self {
        let mut config = ResolvConf::new();
        // Unparsable lines are ignored, as in the C library (resolv.conf(5)).
        let _ = config.parse(&mut &*resolv_conf);
        config.options.timeout = config.options.timeout.min(limit);
        config.finalize();
        Self { hosts: read_hosts(hosts), dns: StubResolver::from_conf(config) }
    }

    /// As with the usual `hosts: files dns` of nsswitch.conf(5): no query is sent for a name in the
    /// file.
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let same = |(known, _): &&(String, IpAddr)| known.eq_ignore_ascii_case(name);
        let known: Vec<_> = self.hosts.iter().filter(same).map(|(_, address)| *address).collect();
        if !known.is_empty() {
            return Ok(known);
        }
        let qname = dns::Name::<Vec<u8>>::from_str(name).map_err(|_| {
            io::Error::new(io::ErrorKind::InvalidInput, format!("{name}: invalid host name"))
        })?;
        let answer = self.dns.lookup_host(qname).await;
        let found: Vec<_> = answer
            .map_err(|error| io::Error::other(format!("{name}: {}", one_line(&error.to_string()))))?
            .iter()
            .collect();
        if found.is_empty() {
            return Err(UnknownHost(name.to_owned()).into());
        }
        Ok(found)
    }
}

/// The names and addresses of a hosts(5) file.
fn read_hosts(content: &[u8]) -> Vec<(String, IpAddr)> {
    let content = String::from_utf8_lossy(content);
    let lines = content.lines().map(|line| line.split('#').next().unwrap_or_default());
    lines
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let address: IpAddr = words.next()?.parse().ok()?;
            Some(words.map(move |name| (name.to_owned(), address)))
        })
        .flatten()
        .collect()
}

/// Minimum time limit for a name server.
const SHORTEST: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    fn lookup(resolv_conf: &str, name: &str) -> io::Result<Vec<IpAddr>> {
        let hosts = "192.0.2.7 vault.test other.test # a comment\n2001:db8::1 six.test\n";
        run(async {
            let resolver = OwnResolver::new(resolv_conf.as_bytes(), hosts.as_bytes(), SHORTEST);
            resolver.addresses(name).await
        })
    }

    #[test]
    fn the_hosts_file_is_used_with_and_without_a_name_server() {
        for resolv_conf in ["nameserver 192.0.2.53\noptions ndots:2\n", "", "nonsense\n"] {
            let found = lookup(resolv_conf, "VAULT.test").unwrap();
            assert_eq!(found, [IpAddr::from([192, 0, 2, 7])]);
            let found = lookup(resolv_conf, "six.test").unwrap();
            assert_eq!(found, ["2001:db8::1".parse::<IpAddr>().unwrap()]);
        }
    }

    #[test]
    fn an_unreachable_name_server_times_out_soon() {
        let start = Instant::now();
        assert!(lookup("nameserver 127.0.0.1\noptions timeout:30\n", "no.test").is_err());
        assert!(start.elapsed() < Duration::from_secs(5));
    }
}
