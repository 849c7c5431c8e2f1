//! Pages of a list: `maxresults`, `$skiptoken` and `nextLink`.

use serde_json::{Value, json};

use super::Context;
use crate::{base64url, error::ApiError, persona::Persona};

/// Default and maximum number of entries per page.
const MAX_RESULTS: usize = 25;

/// The requested page. `items` are sorted by their first member, which the link to the next page
/// contains, so that keys created meanwhile do not shift it.
pub(super) fn page(
    context: &Context<'_>,
    path: &str,
    items: Vec<(String, Value)>,
) -> Result<Value, ApiError> {
    let requested = context.query.get("maxresults").map(String::as_str);
    let limit = match requested.map(str::parse::<usize>) {
        None => MAX_RESULTS,
        Some(Ok(limit @ 1..=MAX_RESULTS)) => limit,
        Some(_) => return Err(ApiError::invalid_value("maxresults")),
    };
    let persona = context.persona();
    let after = match context.query.get("$skiptoken") {
        None => None,
        Some(token) => {
            Some(read_token(persona, token).ok_or_else(|| ApiError::invalid_value("$skiptoken"))?)
        }
    };
    let mut rest = items
        .into_iter()
        .filter(|(id, _)| after.as_ref().is_none_or(|after| id > after))
        .peekable();
    let mut last = String::new();
    let mut values = Vec::new();
    while values.len() < limit {
        let Some((id, value)) = rest.next() else { break };
        last = id;
        values.push(value);
    }
    let mut page = json!({ "value": values });
    if rest.peek().is_some() {
        page["nextLink"] = next_link(context, path, &last, requested).into();
    } else if persona == Persona::Vault {
        page["nextLink"] = Value::Null;
    }
    Ok(page)
}

fn next_link(context: &Context<'_>, path: &str, last: &str, requested: Option<&str>) -> String {
    let (target, token) = (context.target, write_token(context.persona(), last));
    match context.persona() {
        Persona::Vault => {
            let version = context.query.get("api-version").map_or("", String::as_str);
            let size = requested.map(|size| format!("&maxresults={size}")).unwrap_or_default();
            let base = &target.base_with_port;
            format!("{base}{path}?api-version={version}&$skiptoken={token}{size}")
        }
        Persona::ManagedHsm => {
            let size = requested.map(|size| format!("maxresults={size}&")).unwrap_or_default();
            format!("{}{path}?{size}$skiptoken={token}", target.base)
        }
    }
}

/// Opaque to clients, but in the service's format and alphabet.
fn write_token(persona: Persona, last: &str) -> String {
    let marker = base64url::encode(last);
    base64url::encode(match persona {
        Persona::Vault => {
            let marker = format!("2!{}!{marker}", marker.len());
            json!({ "NextMarker": marker, "TargetLocation": 0 }).to_string()
        }
        Persona::ManagedHsm => format!("+RID:~{marker}#RT:1#TRC:1#ISV:2#IEO:65567#QCF:8"),
    })
}

fn read_token(persona: Persona, token: &str) -> Option<String> {
    let text = String::from_utf8(base64url::decode(token)?).ok()?;
    let marker = match persona {
        Persona::Vault => {
            let value: Value = serde_json::from_str(&text).ok()?;
            value.get("NextMarker")?.as_str()?.rsplit('!').next()?.to_owned()
        }
        Persona::ManagedHsm => text.strip_prefix("+RID:~")?.split('#').next()?.to_owned(),
    };
    String::from_utf8(base64url::decode(&marker)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_round_trip_and_hostile_ones_are_refused() {
        for persona in [Persona::Vault, Persona::ManagedHsm] {
            assert_eq!(read_token(persona, &write_token(persona, "key-1")).unwrap(), "key-1");
            for token in ["", "AA", "{}", "%%%", "ICAg"] {
                assert_eq!(read_token(persona, token), None, "{token}");
            }
        }
    }
}
