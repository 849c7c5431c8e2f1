//! Keys as text and as JSON.

use std::io::{self, Write};

use akv_core::{AnyKey, KeyAttributes, PublicKey};
use serde_json::{Value, json};

use crate::{commands::pem::public_pem, text::moment};

/// The kind of a key: `RSA-HSM 3072`, `EC P-256`.
pub(crate) fn kind(key: &AnyKey) -> String {
    let named = key.attributes().and_then(KeyAttributes::key_type).map(|kind| kind.to_string());
    match key {
        AnyKey::Asymmetric(pair) => match pair.public_key() {
            PublicKey::Ec(ec) => {
                format!("{} {}", named.as_deref().unwrap_or("EC"), ec.curve().name())
            }
            other => format!("{} {}", named.as_deref().unwrap_or("RSA"), other.bits()),
        },
        _ => named.unwrap_or_else(|| "oct-HSM".to_owned()),
    }
}

/// A key as JSON.
pub(crate) fn key_json(key: &AnyKey) -> Value {
    let mut value = json!({
        "reference": key.pinned_reference().to_string(),
        "name": key.reference().key_name(),
        "version": key.version(),
        "kind": kind(key),
    });
    if let Some(attributes) = key.attributes() {
        value["type"] = json!(attributes.key_type().map(|kind| kind.as_str()));
        value["hardware"] = json!(attributes.key_type().map(|kind| kind.is_hardware()));
        let operations = attributes.operations().unwrap_or_default();
        value["operations"] =
            json!(operations.iter().map(|operation| operation.as_str()).collect::<Vec<_>>());
        merge(&mut value, attributes_json(attributes));
    }
    if let AnyKey::Asymmetric(pair) = key {
        value["bits"] = json!(pair.public_key().bits());
        if let PublicKey::Ec(ec) = pair.public_key() {
            value["curve"] = json!(ec.curve().name());
        }
        value["publicKey"] = json!(public_pem(&pair.public_key().to_spki_der()));
    }
    value
}

/// The attributes that lists also contain.
pub(crate) fn attributes_json(attributes: &KeyAttributes) -> Value {
    let time = |time: Option<_>| time.map(moment);
    json!({
        "enabled": attributes.enabled(),
        "notBefore": time(attributes.not_before()),
        "expires": time(attributes.expires()),
        "created": time(attributes.created()),
        "updated": time(attributes.updated()),
        "managed": attributes.managed(),
        "exportable": attributes.exportable(),
        "recoveryLevel": attributes.recovery_level(),
        "recoverableDays": attributes.recoverable_days(),
        "hsmPlatform": attributes.hsm_platform(),
        "tags": attributes.tags(),
    })
}

fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}

/// A key as lines of text.
pub(crate) fn describe(key: &AnyKey, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", key.pinned_reference())?;
    let mut line = |name: &str, value: &str| writeln!(out, "  {name:<12} {value}");
    line("type", &kind(key))?;
    if let Some(attributes) = key.attributes() {
        let yes_or_no = |yes| if yes { "yes" } else { "no" };
        line("enabled", yes_or_no(attributes.enabled()))?;
        if let Some(operations) = attributes.operations() {
            let names: Vec<_> = operations.iter().map(|operation| operation.as_str()).collect();
            line("operations", &names.join(", "))?;
        }
        for (name, time) in [
            ("not before", attributes.not_before()),
            ("expires", attributes.expires()),
            ("created", attributes.created()),
            ("updated", attributes.updated()),
        ] {
            if let Some(time) = time {
                line(name, &moment(time))?;
            }
        }
        if attributes.managed() {
            line("managed", "yes: it belongs to a certificate of the vault")?;
        }
        if attributes.exportable() {
            line("exportable", "yes: its private half may leave the vault")?;
        }
        if let Some(level) = attributes.recovery_level() {
            line("recovery", level)?;
        }
        for (name, value) in attributes.tags() {
            line("tag", &format!("{name} = {value}"))?;
        }
    }
    if let AnyKey::Asymmetric(pair) = key {
        let spki = pair.public_key().to_spki_der();
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &spki);
        line("SHA-256", &hex::encode(digest))?;
        write!(out, "{}", public_pem(&spki))?;
    }
    Ok(())
}
