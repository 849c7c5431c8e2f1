//! A tunnel through a proxy (RFC 9110 section 9.3.6).

use super::connect::Stream;
use crate::{Error, ErrorKind, Result};
use hyper::header::HeaderValue;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Maximum size of a proxy's response before the tunnel, in bytes.
const LONGEST: usize = 16 * 1024;

/// Requests a tunnel to `host` and `port` from the proxy.
pub(super) async fn tunnel(
    stream: &mut impl Stream,
    host: &str,
    port: u16,
    authorization: Option<&HeaderValue>,
) -> Result<()> {
    let failed = |why: String| Error::new(ErrorKind::Network, format!("no tunnel: {why}"));
    let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
    if let Some(value) = authorization.and_then(|value| value.to_str().ok()) {
        request += &format!("Proxy-Authorization: {value}\r\n");
    }
    request += "\r\n";
    stream.write_all(request.as_bytes()).await.map_err(|error| failed(error.to_string()))?;
    let mut answer = Vec::new();
    // The server behind the proxy sends nothing before we do, so none of its data can be read here
    // by mistake.
    while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
        let length =
            stream.read_buf(&mut answer).await.map_err(|error| failed(error.to_string()))?;
        if length == 0 || answer.len() > LONGEST {
            return Err(failed("the proxy gave no answer that makes sense".to_owned()));
        }
    }
    let line = String::from_utf8_lossy(&answer);
    let line = line.lines().next().unwrap_or_default();
    match line.split(' ').nth(1) {
        Some(status) if status.starts_with('2') => Ok(()),
        _ => Err(failed(format!("the proxy says {:?}", crate::error::one_line(line)))),
    }
}
