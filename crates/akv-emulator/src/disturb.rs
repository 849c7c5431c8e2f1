//! Applies the faults of a request.

use std::{io, time::Duration};

use bytes::Bytes;
use hyper::{
    Response, StatusCode, Version,
    header::{CONNECTION, CONTENT_TYPE, HeaderValue, LOCATION, RETRY_AFTER},
};
use serde_json::Value;

use crate::{
    auth::Caller,
    base64url, bodies,
    call::Call,
    error::ApiError,
    faults::FaultKind,
    persona::Target,
    reply::{Body, Reply, RequestContext, error_reply, full, plain},
    wire::Control,
};

/// Faults before the operation: delays it, replaces its response, or breaks the connection.
pub(crate) async fn before(
    faults: &[FaultKind],
    context: &RequestContext,
    (call, target, caller): (&Call, &Target, &Caller),
    connection: &Control,
) -> io::Result<Option<Response<Body>>> {
    let mut answer = None;
    for fault in faults {
        match fault {
            FaultKind::Latency { millis } => {
                tokio::time::sleep(Duration::from_millis(*millis)).await;
            }
            FaultKind::Hang => std::future::pending().await,
            FaultKind::ResetAfterRequest => {
                connection.reset();
                return Err(io::Error::other("connection reset on demand"));
            }
            FaultKind::Status { status, retry_after } => {
                answer = Some(status_answer(context, call, *status, *retry_after));
            }
            FaultKind::Unauthorized => {
                let error =
                    ApiError::unauthorized("[TokenExpired] Error validating token: 'S2S12086'.");
                answer = Some(error_reply(context, &error));
            }
            FaultKind::Forbidden => {
                let error = ApiError::forbidden_by_policy(call, target, caller);
                answer = Some(error_reply(context, &error));
            }
            FaultKind::ForbiddenByRole => {
                let error = ApiError::forbidden_by_role(call, target, caller);
                answer = Some(error_reply(context, &error));
            }
            FaultKind::ForbiddenByFirewall => {
                let error = ApiError::forbidden_by_firewall(target, caller);
                answer = Some(error_reply(context, &error));
            }
            FaultKind::HsmRestore => {
                answer = Some(error_reply(context, &ApiError::hsm_restoring()));
            }
            FaultKind::Redirect { location } => {
                let mut response = context.response(StatusCode::FOUND, full(Bytes::new()), 0);
                if let Ok(location) = HeaderValue::from_str(location) {
                    response.headers_mut().insert(LOCATION, location);
                }
                answer = Some(response);
            }
            _ => {}
        }
    }
    Ok(answer)
}

fn status_answer(
    context: &RequestContext,
    call: &Call,
    status: u16,
    retry_after: Option<u64>,
) -> Response<Body> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let error = ApiError::failing(status, context.persona, call.operation, &context.request_id);
    let mut response = error_reply(context, &error);
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The response, after which the connection is closed if a fault requires it.
pub(crate) fn closing(
    faults: &[FaultKind],
    version: Version,
    connection: &Control,
    mut response: Response<Body>,
) -> Response<Body> {
    if faults.contains(&FaultKind::CloseConnection) {
        close(version, connection, &mut response);
    }
    response
}

/// Closes the connection after the response: with a header in HTTP/1.1, because the client must not
/// send another request, and with GOAWAY in HTTP/2.
fn close(version: Version, connection: &Control, response: &mut Response<Body>) {
    if version == Version::HTTP_2 {
        connection.close();
    } else {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
}

/// Faults in the operation's response.
pub(crate) fn after(
    faults: &[FaultKind],
    context: &RequestContext,
    mut reply: Reply,
) -> Response<Body> {
    for fault in faults {
        match fault {
            FaultKind::WrongSignature => corrupt(&mut reply.body),
            FaultKind::WrongShape => reply.body = Some(serde_json::json!({ "value": [true, 7] })),
            FaultKind::EmptyBody => reply.body = None,
            FaultKind::WrongBytes { member, length, fill } => {
                let value = reply.body.as_mut().and_then(|body| body.pointer_mut(member));
                if let Some(value) = value {
                    *value = base64url::encode(vec![*fill; *length]).into();
                }
            }
            FaultKind::NextLink { location } => {
                if let Some(page) = reply.body.as_mut() {
                    page["nextLink"] = location.as_str().into();
                }
            }
            _ => {}
        }
    }
    let bytes = reply.bytes();
    let length = bytes.len() as u64;
    for fault in faults {
        match fault {
            FaultKind::TruncatedBody => {
                return context.response(reply.status, bodies::truncated(&bytes), length);
            }
            FaultKind::NotJson => return html(context, reply.status, Bytes::from(bodies::HTML)),
            FaultKind::WrongContentType => return html(context, reply.status, bytes),
            FaultKind::HugeBody { bytes: total } => {
                return context.response(reply.status, bodies::huge(*total), *total);
            }
            FaultKind::SlowBody { millis } => {
                let body = bodies::slow(bytes, Duration::from_millis(*millis));
                return context.response(reply.status, body, length);
            }
            _ => {}
        }
    }
    plain(context, &reply)
}

fn html(context: &RequestContext, status: StatusCode, body: Bytes) -> Response<Body> {
    let length = body.len() as u64;
    let mut response = context.response(status, full(body), length);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    response
}

/// Flips one bit in the middle of `value`.
fn corrupt(body: &mut Option<Value>) {
    let Some(value) = body.as_mut().and_then(|body| body.get_mut("value")) else { return };
    let Some(mut signature) = value.as_str().and_then(base64url::decode) else { return };
    let middle = signature.len() / 2;
    if let Some(byte) = signature.get_mut(middle) {
        *byte ^= 1;
        *value = base64url::encode(&signature).into();
    }
}
