//! Parsers of structured arguments.

use std::fs;

use crate::{Application, AssignedIdentity, Fault, Latency, NewKey, Throttling};

/// Parses `tenant=ID,client=ID,secret=TEXT,certificate=FILE,federated-token=FILE`.
pub(super) fn application(text: &str) -> Result<Application, String> {
    let fields: Vec<(&str, &str)> = text
        .split(',')
        .map(|field| field.split_once('=').ok_or_else(|| format!("`{field}` has no `=`")))
        .collect::<Result<_, _>>()?;
    let one = |name: &str| {
        let found = fields.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| *value).ok_or_else(|| format!("`{name}=` is missing"))
    };
    let read = |file: &str| {
        fs::read_to_string(file).map_err(|error| format!("`{file}` cannot be read: {error}"))
    };
    let mut application = Application::new(one("tenant")?, one("client")?);
    let mut proofs = 0;
    for (name, value) in &fields {
        application = match *name {
            "tenant" | "client" => continue,
            "secret" => application.secret(*value),
            "certificate" => application.certificate(read(value)?),
            "federated-token" => application.federated_token(read(value)?.trim()),
            other => return Err(format!("`{other}` is not part of an application")),
        };
        proofs += 1;
    }
    match proofs {
        0 => Err("expected `secret=`, `certificate=` or `federated-token=`".into()),
        _ => Ok(application),
    }
}

/// Parses `client=ID,object=ID,resource=ID`, in any order.
pub(super) fn managed_identity(text: &str) -> Result<AssignedIdentity, String> {
    let mut identity = AssignedIdentity::default();
    for field in text.split(',') {
        let value = match field.split_once('=') {
            Some(("client", id)) => (&mut identity.client_id, id),
            Some(("object", id)) => (&mut identity.object_id, id),
            Some(("resource", id)) => (&mut identity.resource_id, id),
            _ => return Err(format!("`{field}` is neither client=, object= nor resource=")),
        };
        value.1.clone_into(value.0);
    }
    match identity.client_id.is_empty() {
        true => Err("`client=` is missing".to_owned()),
        false => Ok(identity),
    }
}

/// Parses a key's specification, `=`, and the subject of its certificate.
pub(super) fn certificate(text: &str) -> Result<(NewKey, String), String> {
    let wrong = "expected KEY=SUBJECT, for example ec:web:P-256=CN=www.example.org";
    let (key, subject) = text.split_once('=').ok_or(wrong)?;
    Ok((key.parse()?, subject.to_owned()))
}

/// Parses a fault in the control interface's format.
pub(super) fn fault(text: &str) -> Result<Fault, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// Parses a profile's name, or `P50,P99` in milliseconds.
pub(super) fn latency(text: &str) -> Result<Latency, String> {
    if let Some(profile) = Latency::from_name(text) {
        return Ok(profile);
    }
    let numbers = text.split_once(',').and_then(|(p50, p99)| {
        let json = serde_json::json!({ "p50": number(p50)?, "p99": number(p99)? });
        serde_json::from_value::<Latency>(json).ok().filter(Latency::is_valid)
    });
    let profiles = Latency::PROFILES.map(|(name, _)| name).join(", ");
    numbers.ok_or_else(|| format!("expected {profiles}, or P50,P99 in milliseconds"))
}

/// Parses the factor of the service's limits.
pub(super) fn throttling(text: &str) -> Result<Throttling, String> {
    let limits = number(text).map(|factor| Throttling::service().scale(factor));
    limits.filter(Throttling::is_valid).ok_or_else(|| "expected a number above 0".to_owned())
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

/// Parses `IDENTITY=TOKEN`.
pub(super) fn named_token(text: &str) -> Result<(String, String), String> {
    let parts =
        text.split_once('=').filter(|(identity, token)| !identity.is_empty() && !token.is_empty());
    let (identity, token) = parts.ok_or("expected IDENTITY=TOKEN")?;
    Ok((identity.to_owned(), token.to_owned()))
}
