//! The connections of a process to one server.
//!
//! hyper-util's pool holds the connections to all servers and looks them up by scheme and host for
//! each request: 11 000 of the 67 000 instructions of a signature over HTTP/1.1. Here each server
//! has its own pool. Callers that arrive while the first connection is being made wait for it
//! instead of each opening one: it may carry all of their requests.

use std::{
    collections::VecDeque,
    error::Error as StdError,
    fmt, mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use azure_core::error::{Error, ErrorKind};
use hyper::{
    Request, Response, Uri,
    body::Incoming,
    client::conn::http1,
    header::{HOST, HeaderValue},
    http::uri::{Authority, Scheme},
};
use tokio::{
    runtime::Handle,
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, sleep_until},
};

use super::{
    connect::{BoxError, Connector},
    connection::{Body, Connection},
    socket::Place,
};

/// How long an unused connection is kept. The service closes connections after some minutes.
const IDLE: Duration = Duration::from_secs(90);

/// Connections to one scheme, host and port.
pub(super) struct Pool {
    connector: Connector,
    server: Uri,
    host: HeaderValue,
    probe: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The one HTTP/2 connection, which all requests share.
    shared: Option<Shared>,
    /// Idle HTTP/1.1 connections, with the time of last use; the last one is used next.
    idle: Vec<(Connection, Instant)>,
    waiting: VecDeque<oneshot::Sender<Result<Connection, ConnectError>>>,
    /// Connections that are being opened.
    opening: usize,
    /// The server uses HTTP/1.1, so each request in flight needs its own connection.
    exclusive: bool,
    sweeper: Option<JoinHandle<()>>,
}

struct Shared {
    connection: Connection,
    used: Instant,
}

impl Pool {
    /// # Errors
    /// None if the parts are from a URL.
    pub(super) fn new(
        connector: Connector,
        scheme: Scheme,
        authority: Authority,
        probe: Duration,
    ) -> hyper::http::Result<Self> {
        let host = host(&scheme, &authority)?;
        let server =
            Uri::builder().scheme(scheme).authority(authority).path_and_query("/").build()?;
        Ok(Self { connector, server, host, probe, state: Mutex::default() })
    }

    /// Sends a request to `url`, of which only the path is used. The connection returns to the pool
    /// when the lease is dropped, which must be after the response has been read.
    pub(super) async fn send(
        self: &Arc<Self>,
        url: &Uri,
        mut request: Request<Body>,
    ) -> azure_core::Result<(Response<Incoming>, Lease)> {
        loop {
            let (mut connection, reused) = self.connection().await?;
            self.address(url, &connection, &mut request);
            let mut failed = match connection.send(request).await {
                Ok(response) => return Ok((response, Lease::new(self, connection))),
                Err(failed) => failed,
            };
            // The server closed the connection while it was idle.
            match failed.take_message().filter(|_| reused) {
                Some(unsent) => request = unsent,
                None => return Err(Error::new(ErrorKind::Io, failed.into_error())),
            }
        }
    }

    /// HTTP/1.1 has the host in a header and only the path in the request line.
    fn address(&self, url: &Uri, connection: &Connection, request: &mut Request<Body>) {
        match connection {
            Connection::Http1(..) => {
                request.headers_mut().insert(HOST, self.host.clone());
                *request.uri_mut() =
                    url.path_and_query().cloned().map_or_else(Uri::default, Uri::from);
            }
            Connection::Http2(..) => {
                request.headers_mut().remove(HOST);
                *request.uri_mut() = url.clone();
            }
        }
    }

    /// A connection, and whether it was used before.
    async fn connection(self: &Arc<Self>) -> azure_core::Result<(Connection, bool)> {
        loop {
            let waiting = {
                let mut state = self.state();
                if let Some(connection) = state.take() {
                    return Ok((connection, true));
                }
                let (sender, receiver) = oneshot::channel();
                state.waiting.push_back(sender);
                self.open_enough(&mut state);
                receiver
            };
            match waiting.await {
                Ok(Ok(connection)) => return Ok((connection, false)),
                Ok(Err(error)) => return Err(Error::new(ErrorKind::Connection, error)),
                // The runtime that was opening it ended; this one continues.
                Err(_) => {}
            }
        }
    }

    /// Opens connections for the waiting callers: only one until the server's protocol is known,
    /// and only one with HTTP/2.
    fn open_enough(self: &Arc<Self>, state: &mut State) {
        state.waiting.retain(|waiting| !waiting.is_closed());
        let most = if state.exclusive { usize::MAX } else { 1 };
        while state.opening < state.waiting.len().min(most) {
            state.opening += 1;
            tokio::spawn(Opening { pool: Arc::clone(self), settled: false }.run());
        }
    }

    /// Hands a connection to the first waiting caller, or keeps it. An HTTP/2 connection is handed
    /// to all and kept.
    fn hand_over(self: &Arc<Self>, state: &mut State, connection: Connection) {
        if connection.share().is_some() {
            for waiting in mem::take(&mut state.waiting) {
                // A caller that has given up is ignored.
                let _ = connection.share().map(|connection| waiting.send(Ok(connection)));
            }
            state.shared = Some(Shared { connection, used: Instant::now() });
            self.sweep_later(state);
            return;
        }
        let mut connection = connection;
        while let Some(waiting) = state.waiting.pop_front() {
            match waiting.send(Ok(connection)) {
                Err(Ok(back)) => connection = back,
                _ => return,
            }
        }
        state.idle.push((connection, Instant::now()));
        self.sweep_later(state);
    }

    /// Starts closing unused connections.
    fn sweep_later(self: &Arc<Self>, state: &mut State) {
        if state.sweeper.as_ref().is_none_or(JoinHandle::is_finished) {
            state.sweeper = Some(tokio::spawn(sweep(Arc::downgrade(self))));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A connection that is not known to be closed.
    fn take(&mut self) -> Option<Connection> {
        if let Some(shared) = &mut self.shared {
            if !shared.connection.is_closed() {
                shared.used = Instant::now();
                return shared.connection.share();
            }
            self.shared = None;
        }
        while let Some((connection, since)) = self.idle.pop() {
            if !connection.is_closed() && since.elapsed() < IDLE {
                return Some(connection);
            }
        }
        None
    }

    /// Returns the error to all waiting callers.
    fn fail(&mut self, error: BoxError) {
        let error = ConnectError(error.into());
        let failed = if self.exclusive { 1 } else { self.waiting.len() };
        let open: Vec<_> = self.waiting.drain(..failed.min(self.waiting.len())).collect();
        for waiting in open {
            let _ = waiting.send(Err(error.clone()));
        }
    }

    /// Drops connections that were unused for too long, and returns when to check again.
    fn sweep(&mut self) -> Option<Instant> {
        self.shared
            .take_if(|shared| shared.connection.is_closed() || shared.used.elapsed() >= IDLE);
        self.idle.retain(|(connection, since)| !connection.is_closed() && since.elapsed() < IDLE);
        let oldest = self.idle.iter().map(|(_, since)| *since).min();
        [oldest, self.shared.as_ref().map(|shared| shared.used)].into_iter().flatten().min()
    }
}

async fn sweep(pool: Weak<Pool>) {
    let mut next = Instant::now() + IDLE;
    loop {
        sleep_until(next).await;
        let Some(pool) = pool.upgrade() else { return };
        let mut state = pool.state();
        let Some(oldest) = state.sweep() else {
            state.sweeper = None;
            return;
        };
        next = oldest + IDLE;
    }
}

/// A connection that is being opened, independently of waiting callers that give up.
struct Opening {
    pool: Arc<Pool>,
    settled: bool,
}

impl Opening {
    async fn run(mut self) {
        let Pool { connector, server, probe, .. } = &*self.pool;
        let outcome = Connection::open(connector, server.clone(), *probe).await;
        self.settled = true;
        let mut state = self.pool.state();
        state.opening -= 1;
        match outcome {
            Ok(connection) => {
                state.exclusive = matches!(connection, Connection::Http1(..));
                self.pool.hand_over(&mut state, connection);
            }
            Err(error) => state.fail(error),
        }
        self.pool.open_enough(&mut state);
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        if !self.settled {
            let mut state = self.pool.state();
            state.opening -= 1;
            // The callers retry, each on its own runtime: this one ends.
            state.waiting.clear();
        }
    }
}

/// A connection whose response is still being read.
pub(super) struct Lease(Option<(Weak<Pool>, http1::SendRequest<Body>, Place)>);

impl Lease {
    fn new(pool: &Arc<Pool>, connection: Connection) -> Self {
        Self(match connection {
            Connection::Http1(sender, place) => Some((Arc::downgrade(pool), sender, place)),
            Connection::Http2(..) => None,
        })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some((pool, mut sender, place)) =
            self.0.take().filter(|(_, sender, _)| !sender.is_closed())
        else {
            return;
        };
        if sender.is_ready() {
            give_back(&pool, Connection::Http1(sender, place));
        } else if let Ok(runtime) = Handle::try_current() {
            // The end of the response is still to be read.
            runtime.spawn(async move {
                if sender.ready().await.is_ok() {
                    give_back(&pool, Connection::Http1(sender, place));
                }
            });
        }
    }
}

fn give_back(pool: &Weak<Pool>, connection: Connection) {
    if let Some(pool) = pool.upgrade() {
        pool.hand_over(&mut pool.state(), connection);
    }
}

/// The connection error, shared by all waiting callers.
#[derive(Clone, Debug)]
struct ConnectError(Arc<dyn StdError + Send + Sync>);

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot connect")
    }
}

impl StdError for ConnectError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.0)
    }
}

/// The `Host` header: with the port only if it is not the scheme's default.
fn host(scheme: &Scheme, authority: &Authority) -> hyper::http::Result<HeaderValue> {
    let usual = if *scheme == Scheme::HTTP { 80 } else { 443 };
    let text = match authority.port_u16().filter(|port| *port != usual) {
        Some(port) => format!("{}:{port}", authority.host()),
        None => authority.host().to_owned(),
    };
    Ok(HeaderValue::try_from(text)?)
}

#[cfg(test)]
mod tests;
