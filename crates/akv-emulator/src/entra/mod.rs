//! Microsoft Entra ID: tokens for registered applications, on the HTTPS listener.
//!
//! Protocol: <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>.

mod assertion;
mod refusal;
mod token;

use std::{io, sync::Arc};

use http_body_util::{BodyExt as _, Limited};
use hyper::{
    Method, Response, StatusCode,
    body::Incoming,
    header::{HeaderName, HeaderValue},
    http::request::Parts,
};
use serde_json::{Value, json};

use self::refusal::{Ids, Refusal};
use crate::{
    clock::Clock,
    disturb,
    reply::Body,
    request::authority,
    state::State,
    token_reply::{self, TokenReply},
    wire::Control,
};

/// Maximum size of a form; an assertion with its certificates has some ten thousand bytes.
const FORM_LIMIT: usize = 128 * 1024;

/// The endpoints of the authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// `/TENANT/oauth2/v2.0/token`
    Token { tenant: String },
    /// `/TENANT/v2.0/.well-known/openid-configuration`
    Configuration { tenant: String },
    /// `/common/discovery/instance`
    Instance,
}

impl Route {
    /// `None` for the paths of a vault.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        match *segments.as_slice() {
            [tenant, "oauth2", "v2.0", "token"] => Some(Self::Token { tenant: tenant.to_owned() }),
            [tenant, "v2.0", ".well-known", "openid-configuration"] => {
                Some(Self::Configuration { tenant: tenant.to_owned() })
            }
            [_, "discovery", "instance"] => Some(Self::Instance),
            _ => None,
        }
    }
}

/// Handles one request to the authority. An error breaks the connection or stream.
pub(crate) async fn handle(
    state: &Arc<State>,
    connection: &Control,
    route: Route,
    parts: &Parts,
    body: Incoming,
) -> io::Result<Response<Body>> {
    let ids = Ids::new(&parts.headers);
    let base = format!("https://{}", authority(parts));
    let form = Limited::new(body, FORM_LIMIT).collect().await.map(|body| body.to_bytes());
    let answer = || {
        let result = match (&route, &parts.method) {
            (Route::Token { tenant }, &Method::POST) => {
                token::grant(state, &base, tenant, &form.unwrap_or_default())
            }
            (Route::Configuration { tenant }, &Method::GET) => configuration(state, &base, tenant),
            (Route::Instance, &Method::GET) => Ok(instance(&base)),
            _ => Err(Refusal::method_not_allowed()),
        };
        reply(result, &ids, &state.clock)
    };
    if !matches!(route, Route::Token { .. }) {
        return Ok(answer().into_response());
    }
    let failing = |status| reply(Err(Refusal::failing(status)), &ids, &state.clock);
    let result = token_reply::play(state, failing, answer).await;
    let (faults, response) = result.inspect_err(|_| connection.reset())?;
    Ok(disturb::closing(&faults, parts.version, connection, response))
}

fn reply(result: Result<Value, Refusal>, ids: &Ids, clock: &Clock) -> TokenReply {
    let (status, body) = match result {
        Ok(body) => (StatusCode::OK, body),
        Err(refusal) => (refusal.status(), refusal.body(ids, clock)),
    };
    let mut reply = TokenReply::new(status, body);
    let fixed = [
        ("cache-control", "no-store, no-cache"),
        ("pragma", "no-cache"),
        ("expires", "-1"),
        ("p3p", "CP=\"DSP CUR OTPi IND OTRi ONL FIN\""),
        ("strict-transport-security", "max-age=31536000; includeSubDomains"),
        ("x-content-type-options", "nosniff"),
        ("x-ms-ests-server", concat!("akv-emulator-", env!("CARGO_PKG_VERSION"))),
    ];
    for (name, value) in fixed {
        reply.header(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let date = httpdate::fmt_http_date(clock.system_time());
    for (name, value) in [("x-ms-request-id", ids.trace.as_str()), ("date", date.as_str())] {
        if let Ok(value) = HeaderValue::from_str(value) {
            reply.header(HeaderName::from_static(name), value);
        }
    }
    reply
}

fn configuration(state: &State, base: &str, tenant: &str) -> Result<Value, Refusal> {
    if !state.entra.has_tenant(tenant) {
        return Err(Refusal::unknown_tenant(tenant));
    }
    Ok(json!({
        "token_endpoint": format!("{base}/{tenant}/oauth2/v2.0/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "response_types_supported": ["token"],
        "subject_types_supported": ["pairwise"],
        "issuer": format!("{base}/{tenant}/v2.0"),
        "authorization_endpoint": format!("{base}/{tenant}/oauth2/v2.0/authorize"),
    }))
}

/// The metadata lists only this authority, so that clients trust it.
fn instance(base: &str) -> Value {
    let host = base.trim_start_matches("https://");
    json!({
        "tenant_discovery_endpoint": format!("{base}/common/v2.0/.well-known/openid-configuration"),
        "api-version": "1.1",
        "metadata": [{ "preferred_network": host, "preferred_cache": host, "aliases": [host] }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_authoritys_paths_are_its_own() {
        let tenant = "contoso.example".to_owned();
        let token = Route::parse("/contoso.example/oauth2/v2.0/token");
        assert_eq!(token, Some(Route::Token { tenant: tenant.clone() }));
        let configuration = Route::parse("/contoso.example/v2.0/.well-known/openid-configuration");
        assert_eq!(configuration, Some(Route::Configuration { tenant }));
        assert_eq!(Route::parse("/common/discovery/instance"), Some(Route::Instance));
        for path in ["/keys/k/v/sign", "/keys/oauth2/v2.0", "/a/oauth2/v2.0/token/", "/"] {
            assert_eq!(Route::parse(path), None, "{path}");
        }
    }
}
