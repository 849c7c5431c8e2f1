//! Faulty response bodies.

use std::{io, time::Duration};

use bytes::Bytes;
use futures::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;

use crate::reply::Body;

/// The error page of a gateway in front of a service.
pub(crate) const HTML: &str = "<!DOCTYPE html><html><head><title>Service Unavailable</title></head>\
    <body><h1>Our services aren't available right now</h1></body></html>";

/// Number of pieces of a slow body.
const PIECES: usize = 8;

/// The first half, then the transfer breaks off.
pub(crate) fn truncated(bytes: &Bytes) -> Body {
    let half = bytes.slice(..bytes.len() / 2);
    let broken = Err(io::Error::other("body truncated on demand"));
    StreamBody::new(stream::iter([Ok(Frame::data(half)), broken])).boxed_unsync()
}

/// `{"value":"AAAA…"}` of exactly `total` bytes, generated piece by piece.
pub(crate) fn huge(total: u64) -> Body {
    const HEAD: &[u8] = b"{\"value\":\"";
    const TAIL: &[u8] = b"\"}";
    const PIECE: u64 = 64 * 1024;
    let frame = |bytes: Bytes| Ok::<_, io::Error>(Frame::data(bytes));
    let filler = total.saturating_sub((HEAD.len() + TAIL.len()) as u64);
    let pieces = (0..filler.div_ceil(PIECE)).map(move |index| {
        let length = PIECE.min(filler - index * PIECE);
        frame(Bytes::from(vec![b'A'; usize::try_from(length).unwrap_or(0)]))
    });
    let frames = std::iter::once(frame(Bytes::from_static(HEAD)))
        .chain(pieces)
        .chain(std::iter::once(frame(Bytes::from_static(TAIL))));
    StreamBody::new(stream::iter(frames)).boxed_unsync()
}

/// Pieces spread over `duration`.
pub(crate) fn slow(bytes: Bytes, duration: Duration) -> Body {
    let size = bytes.len().div_ceil(PIECES).max(1);
    let pause = duration / u32::try_from(PIECES - 1).unwrap_or(1);
    let frames = stream::unfold((bytes, true), move |(mut rest, first)| async move {
        if rest.is_empty() {
            return None;
        }
        if !first {
            tokio::time::sleep(pause).await;
        }
        let piece = rest.split_to(size.min(rest.len()));
        Some((Ok::<_, io::Error>(Frame::data(piece)), (rest, false)))
    });
    StreamBody::new(frames).boxed_unsync()
}
