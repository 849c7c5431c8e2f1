//! The token endpoint: the client credentials grant of RFC 6749 section 4.4.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{assertion, refusal::Refusal};
use crate::{applications::Registered, state::State, stats::count};

/// The only kind of assertion (RFC 7523 section 2.2).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The token for a form, or the error. `base` is the authority's URL.
pub(super) fn grant(
    state: &State,
    base: &str,
    tenant: &str,
    form: &[u8],
) -> Result<Value, Refusal> {
    let form: HashMap<String, String> = url::form_urlencoded::parse(form).into_owned().collect();
    if !state.entra.has_tenant(tenant) {
        return Err(Refusal::unknown_tenant(tenant));
    }
    let field = |name: &str| form.get(name).map(String::as_str).filter(|text| !text.is_empty());
    let required = |name: &str| field(name).ok_or_else(|| Refusal::missing(name));
    let grant_type = required("grant_type")?;
    if grant_type != "client_credentials" {
        let text = format!("The app requested an unsupported grant type '{grant_type}'.");
        return Err(Refusal::new(400, "unsupported_grant_type", 70_003, text));
    }
    let client_id = required("client_id")?;
    let application = state.entra.find(tenant, client_id).ok_or_else(|| {
        let text = format!(
            "Application with identifier '{client_id}' was not found in the directory '{tenant}'. \
             This can happen if the application has not been installed by the administrator of \
             the tenant or consented to by any user in the tenant. You may have sent your \
             authentication request to the wrong tenant."
        );
        Refusal::new(400, "unauthorized_client", 700_016, text)
    })?;
    let now = state.clock.now();
    let endpoint = format!("{base}/{tenant}");
    check_proof(&application, field, &endpoint, now)?;
    let audience = audience(required("scope")?)?;
    let lifetime = state.tokens.lifetime().as_secs();
    count(&state.counters.tokens_issued);
    Ok(json!({
        "token_type": "Bearer",
        "expires_in": lifetime,
        "ext_expires_in": lifetime,
        "access_token": state.tokens.issue(audience, tenant, &application.client_id, now),
    }))
}

fn check_proof<'a>(
    application: &Registered,
    field: impl Fn(&str) -> Option<&'a str>,
    endpoint: &str,
    now: i64,
) -> Result<(), Refusal> {
    match (field("client_secret"), field("client_assertion")) {
        (Some(secret), _) if application.secrets.iter().any(|known| known == secret) => Ok(()),
        (Some(_), _) => Err(Refusal::client(7_000_215, "Invalid client secret is provided.")),
        (None, Some(text)) => {
            match field("client_assertion_type") {
                Some(JWT_BEARER) => {}
                Some(_) => {
                    let text = "The value of 'client_assertion_type' is not supported.";
                    return Err(Refusal::request(50_026, text));
                }
                None => return Err(Refusal::missing("client_assertion_type")),
            }
            assertion::check(application, text, endpoint, now)
        }
        (None, None) => Err(Refusal::client(
            7_000_218,
            "The request body must contain the following parameter: 'client_assertion' or \
             'client_secret'.",
        )),
    }
}

/// The resource of a scope such as `https://vault.azure.net/.default`.
fn audience(scope: &str) -> Result<&str, Refusal> {
    let wrong = || {
        let text = format!(
            "The provided value for scope {scope} is not valid. Client credential flows must have \
             a scope value with /.default suffixed to the resource identifier (application ID URI)."
        );
        Refusal::new(400, "invalid_scope", 1_002_012, text)
    };
    scope.strip_suffix("/.default").filter(|resource| !resource.contains(' ')).ok_or_else(wrong)
}
