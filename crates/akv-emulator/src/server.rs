//! Listeners and connections.

use std::{io, sync::Arc, time::Duration};

use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use rustls::server::Acceptor;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{LazyConfigAcceptor, server::TlsStream};

use crate::{
    faults::FaultKind,
    identity,
    persona::known,
    routes,
    state::State,
    stats::count,
    wire::{Control, Wire},
};

/// Time limit of a handshake.
const HANDSHAKE: Duration = Duration::from_secs(30);

/// Accepts HTTPS connections until the task is aborted.
pub(crate) async fn serve_https(listener: TcpListener, state: Arc<State>) {
    loop {
        let Some(stream) = accept(&listener).await else { continue };
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            if let Err(error) = https_connection(stream, state).await {
                tracing::debug!(%error, "connection ended");
            }
        });
    }
}

/// Accepts plain HTTP connections to the identity endpoints until the task is aborted.
pub(crate) async fn serve_identity(listener: TcpListener, state: Arc<State>) {
    loop {
        let Some(stream) = accept(&listener).await else { continue };
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(|request| identity::handle(Arc::clone(&state), request));
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                tracing::debug!(%error, "identity connection ended");
            }
        });
    }
}

async fn accept(listener: &TcpListener) -> Option<TcpStream> {
    match listener.accept().await {
        Ok((stream, _)) => {
            let _ = stream.set_nodelay(true);
            Some(stream)
        }
        Err(error) => {
            // Usually too many open files: give connections time to end.
            tracing::warn!(%error, "accept failed");
            tokio::time::sleep(Duration::from_millis(20)).await;
            None
        }
    }
}

async fn https_connection(stream: TcpStream, state: Arc<State>) -> io::Result<()> {
    count(&state.counters.connections);
    let control = Arc::new(Control::default());
    state.connections.add(&control);
    let wire = Wire::new(stream, Arc::clone(&control));
    if state.faults.strike_connection(&FaultKind::ResetOnAccept) {
        count(&state.counters.faults);
        control.reset();
        return Ok(());
    }
    let tls = tokio::time::timeout(HANDSHAKE, handshake(wire, &state)).await??;
    count(&state.counters.tls_handshakes);
    if state.faults.strike_connection(&FaultKind::ResetBeforeRequest) {
        count(&state.counters.faults);
        control.reset();
        return Ok(());
    }
    serve(tls, &state, &control).await.map_err(io::Error::other)
}

/// The SNI name selects the persona, and so the protocols offered.
async fn handshake(wire: Wire, state: &State) -> io::Result<TlsStream<Wire>> {
    let start = LazyConfigAcceptor::new(Acceptor::default(), wire).await?;
    let named = start.client_hello().server_name().and_then(known);
    let persona = named.map_or(state.persona, |(_, persona)| persona);
    start.into_stream(state.tls.config(persona)).await
}

async fn serve(
    tls: TlsStream<Wire>,
    state: &Arc<State>,
    control: &Arc<Control>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let service =
        service_fn(|request| routes::handle(Arc::clone(state), Arc::clone(control), request));
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // Only one of the personas sends a date; the replies add it.
    builder.http1().auto_date_header(false);
    builder.http2().auto_date_header(false);
    let connection = builder.serve_connection(TokioIo::new(tls), service);
    tokio::pin!(connection);
    let mut closing = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => return ended,
            () = control.aborted.notified() => return Ok(()),
            () = control.closing.notified(), if !closing => {
                closing = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}
