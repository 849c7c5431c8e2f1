//! Name resolution, connections, and proxies.

use super::proxy;
use crate::{
    Error, ErrorKind, Result, Settings,
    error::one_line,
    outside::causes,
    process::driver::run_blocking,
    transport::{UnknownHost, look_up, tls_config},
};
use hyper_util::client::proxy::matcher::Intercept;
use rustls_pki_types::ServerName;
use std::{io, net::SocketAddr, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

/// The transport of the TLS connection to the server: TCP, or TLS to a proxy.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub(super) async fn addresses(host: &str, port: u16) -> Result<Vec<SocketAddr>> {
    let name = host.to_owned();
    let found = run_blocking(move || look_up(&name)).await.and_then(|found| found);
    let mut found = found.map_err(|error| unresolved(host, &error))?;
    found.iter_mut().for_each(|address| address.set_port(port));
    Ok(found)
}

fn unresolved(host: &str, error: &io::Error) -> Error {
    if error.get_ref().is_some_and(|inner| inner.is::<UnknownHost>()) {
        return Error::new(ErrorKind::Reference, format!("there is no host {host}"))
            .hint("check the vault's name and the cloud");
    }
    let text = one_line(&error.to_string());
    Error::new(ErrorKind::Network, format!("the name {host} cannot be looked up: {text}"))
        .hint("check this machine's network and /etc/resolv.conf")
}

/// Connects to the first address that accepts a connection.
pub(super) async fn first(addresses: &[SocketAddr]) -> Result<(TcpStream, SocketAddr)> {
    let mut last = Error::new(ErrorKind::Network, "there is no address");
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                let _ = stream.set_nodelay(true);
                return Ok((stream, *address));
            }
            Err(error) => {
                // The server accepted the connection and closed it before this check.
                let broke = match error.kind() {
                    io::ErrorKind::ConnectionReset => "the connection broke: ",
                    _ => "",
                };
                let text = format!("{address}: {broke}{}", one_line(&error.to_string()));
                last = Error::new(ErrorKind::Network, text);
            }
        }
    }
    Err(last)
}

/// The proxy's tunnel. The connection to the proxy may itself use TLS.
pub(super) async fn through(
    intercept: &Intercept,
    stream: TcpStream,
    settings: &Settings,
    host: &str,
    port: u16,
) -> Result<Box<dyn Stream>> {
    let mut stream: Box<dyn Stream> = if intercept.uri().scheme_str() == Some("https") {
        let name = intercept.uri().host().unwrap_or_default();
        let failed = |error: &(dyn std::error::Error + 'static)| {
            Error::new(ErrorKind::Network, format!("no TLS with the proxy: {}", causes(error)))
        };
        let config = tls_config(&settings.values().roots).map_err(|error| failed(&error))?;
        let name = ServerName::try_from(name.to_owned()).map_err(|error| failed(&error))?;
        let connected = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
        Box::new(connected.map_err(|error| failed(&error))?)
    } else {
        Box::new(stream)
    };
    proxy::tunnel(&mut stream, host, port, intercept.basic_auth()).await?;
    Ok(stream)
}
