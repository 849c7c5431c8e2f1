//! A vault's keys as names that the store can open.

use std::time::SystemTime;

use akv_core::{KeyAttributes, KeyItem};
use ossl_abi::constants::OBJECT_NAME;
use ossl_abi::names;
use ossl_abi::params::{ParamArray, Values};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// The reference of a list entry, with a description for the user.
pub(super) fn name(item: &KeyItem) -> ParamArray {
    let values = Values::new()
        .int(names::OBJECT_TYPE, OBJECT_NAME)
        .utf8(names::OBJECT_DATA, &item.reference().to_string());
    match description(item.attributes(), SystemTime::now()) {
        Some(text) => values.utf8(names::OBJECT_DESCRIPTION, &text),
        None => values,
    }
    .build()
}

/// Restrictions on the key's use, now or later, and whether it has a certificate.
fn description(attributes: &KeyAttributes, now: SystemTime) -> Option<String> {
    let mut notes = Vec::new();
    if attributes.managed() {
        notes.push("with a certificate".to_owned());
    }
    if !attributes.enabled() {
        notes.push("disabled".to_owned());
    }
    if let Some(time) = attributes.not_before().filter(|time| *time > now) {
        notes.push(format!("not valid before {}", text(time)?));
    }
    if let Some(time) = attributes.expires() {
        let word = if time <= now { "expired" } else { "expires" };
        notes.push(format!("{word} {}", text(time)?));
    }
    (!notes.is_empty()).then(|| notes.join(", "))
}

fn text(time: SystemTime) -> Option<String> {
    OffsetDateTime::from(time).format(&Rfc3339).ok()
}
