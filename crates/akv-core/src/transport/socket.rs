//! TCP connections that detect when the host closes their descriptors or reuses the numbers.

use std::{
    io, mem,
    net::SocketAddr,
    os::fd::AsRawFd as _,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::future::BoxFuture;
use hyper::{Uri, rt::ReadBufCursor};
use hyper_util::{
    client::legacy::connect::{Connected, Connection, HttpConnector},
    rt::TokioIo,
};
use process_abi::descriptor::Identity;
use tokio::net::TcpStream;
use tower_service::Service;

use super::{connect::BoxError, resolve::Resolver};
use crate::process::driver::above_standard_streams;

/// A connection. Its descriptor is used, and closed, only while it still refers to this connection.
pub(super) struct Socket {
    /// `None` only while it is dropped.
    stream: Option<TokioIo<TcpStream>>,
    place: Place,
}

/// The descriptor of a socket, with its identity.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    number: i32,
    identity: Option<Identity>,
}

impl Place {
    /// Whether the descriptor still refers to the socket.
    pub(super) fn is_ours(self) -> bool {
        Identity::of(self.number) == self.identity
    }
}

impl Socket {
    fn new(stream: TokioIo<TcpStream>) -> Self {
        let number = stream.inner().as_raw_fd();
        Self { stream: Some(stream), place: Place { number, identity: Identity::of(number) } }
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// The address of the other end.
    pub(super) fn peer_addr(&self) -> io::Result<SocketAddr> {
        match &self.stream {
            Some(stream) => stream.inner().peer_addr(),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn ours(self: Pin<&mut Self>) -> io::Result<Pin<&mut TokioIo<TcpStream>>> {
        let this = self.get_mut();
        match &mut this.stream {
            Some(stream) if this.place.is_ours() => Ok(Pin::new(stream)),
            _ => {
                let text = "the program closed the connection's descriptor";
                Err(io::Error::new(io::ErrorKind::BrokenPipe, text))
            }
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if !self.place.is_ours() {
            mem::forget(self.stream.take());
        }
    }
}

impl Connection for Socket {
    fn connected(&self) -> Connected {
        self.stream.as_ref().map_or_else(Connected::new, Connection::connected)
    }
}

impl hyper::rt::Read for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        // Most reads find nothing yet, and then there is no need to check the descriptor.
        if let Some(stream) = &self.stream {
            ready!(stream.inner().poll_read_ready(context))?;
        }
        self.ours()?.poll_read(context, buffer)
    }
}

/// Not vectored: `send` takes a flag against SIGPIPE, which would end a host whose thread carries out
/// the operation, but `writev` takes none.
impl hyper::rt::Write for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.ours()?.poll_write(context, bytes)
    }

    /// A socket has no buffer of its own.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.ours()?.poll_shutdown(context)
    }
}

/// Opens TCP connections.
#[derive(Clone)]
pub(super) struct Tcp(pub(super) HttpConnector<Resolver>);

impl Service<Uri> for Tcp {
    type Response = Socket;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Socket, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        let connecting = self.0.call(destination);
        Box::pin(async { Ok(Socket::new(above_standard_streams(connecting).await?)) })
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, future::poll_fn, io::IoSlice, net::TcpListener};

    use hyper::rt::Write as _;
    use nix::sys::signal::{SigSet, Signal};

    use super::*;

    /// Whether a blocked SIGPIPE waits for this thread.
    fn is_sigpipe_pending() -> bool {
        let status = fs::read_to_string("/proc/thread-self/status").unwrap();
        let pending = status.lines().find_map(|line| line.strip_prefix("SigPnd:")).unwrap();
        let pending = u64::from_str_radix(pending.trim(), 16).unwrap();
        pending & (1 << (Signal::SIGPIPE as i32 - 1)) != 0
    }

    #[test]
    fn writes_to_a_closed_connection_raise_no_signal() {
        let mut mask = SigSet::empty();
        mask.add(Signal::SIGPIPE);
        mask.thread_block().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            drop(listener);
            let mut socket = Socket::new(TokioIo::new(stream));
            let slices = [IoSlice::new(b"one"), IoSlice::new(b"two")];
            // The first writes may succeed, before the other end refuses them.
            while poll_fn(|context| Pin::new(&mut socket).poll_write_vectored(context, &slices))
                .await
                .is_ok()
            {}
        });
        assert!(!is_sigpipe_pending());
    }
}
