//! Rotation policies: their JSON, the service's limits, and their effect on a key.
//!
//! Source: <https://learn.microsoft.com/azure/key-vault/keys/how-to-configure-key-rotation>.

use serde_json::{Value, json};

use crate::{attributes::Attributes, error::ApiError, period::Period, persona::Persona};

/// Minimum days until a rotated key expires.
const EXPIRY_DAYS: i64 = 28;
/// Minimum days between a rotation and the key's creation, and its expiry.
const TRIGGER_DAYS: i64 = 7;

/// The default policy of a key.
pub(crate) fn default(persona: Persona) -> Value {
    match persona {
        Persona::Vault => json!({ "lifetimeActions": [notify()], "attributes": {} }),
        Persona::ManagedHsm => json!({ "lifetimeActions": [], "attributes": {} }),
    }
}

/// Every vault policy has this action, requested or not.
fn notify() -> Value {
    json!({ "trigger": { "timeBeforeExpiry": "P30D" }, "action": { "type": "Notify" } })
}

/// Checks a new policy and completes it as the service does. `expires` is whether the key's current
/// version expires.
pub(crate) fn update(
    persona: Persona,
    previous: Option<&Value>,
    requested: &Value,
    expires: bool,
    now: i64,
) -> Result<Value, ApiError> {
    let created = previous.and_then(|policy| policy["attributes"]["created"].as_i64());
    let mut attributes = json!({ "created": created.unwrap_or(now), "updated": now });
    let mut expiry = None;
    if let Some(text) = requested["attributes"]["expiryTime"].as_str() {
        let period = Period::parse(text).filter(|period| period.days() >= EXPIRY_DAYS);
        expiry = Some(period.ok_or_else(|| ApiError::invalid_value("expiryTime"))?);
        attributes["expiryTime"] = text.into();
    }
    let mut actions: Vec<Value> = Vec::new();
    for action in requested["lifetimeActions"].as_array().into_iter().flatten() {
        let kind = action["action"]["type"].as_str().unwrap_or_default().to_ascii_lowercase();
        let kind = match (persona, kind.as_str()) {
            (Persona::Vault, "rotate") => "Rotate",
            (Persona::Vault, "notify") => "Notify",
            (Persona::ManagedHsm, "rotate") => "rotate",
            _ => return Err(ApiError::invalid_value("lifetimeActions")),
        };
        if actions.iter().any(|known| known["action"]["type"] == kind) {
            return Err(ApiError::invalid_value("lifetimeActions"));
        }
        check_trigger(&action["trigger"], kind == "Notify", expiry, expires)?;
        actions.push(json!({ "trigger": action["trigger"], "action": { "type": kind } }));
    }
    let notifies = actions.iter().any(|action| action["action"]["type"] == "Notify");
    if persona == Persona::Vault && !notifies {
        actions.push(notify());
    }
    Ok(json!({ "lifetimeActions": actions, "attributes": attributes }))
}

/// Exactly one trigger, at least a week from the key's creation and expiry. Notices come before an
/// expiry.
fn check_trigger(
    trigger: &Value,
    notice: bool,
    expiry: Option<Period>,
    expires: bool,
) -> Result<(), ApiError> {
    let refused = || ApiError::invalid_value("trigger");
    let period = |member: &str| match &trigger[member] {
        Value::Null => Ok(None),
        text => text.as_str().and_then(Period::parse).map(Some).ok_or_else(refused),
    };
    let days = match (period("timeAfterCreate")?, period("timeBeforeExpiry")?) {
        (Some(after), None) if !notice => after.days(),
        (None, Some(before)) if expiry.is_some() || expires || notice => before.days(),
        _ => return Err(refused()),
    };
    // A week on one side; also on the other if the policy states the lifetime of a version.
    let latest = expiry.map_or(i64::MAX, |expiry| expiry.days() - TRIGGER_DAYS);
    if days < TRIGGER_DAYS || (days > latest && !notice) {
        return Err(refused());
    }
    Ok(())
}

/// When a key that is created now expires, in seconds since the Unix epoch.
pub(crate) fn expiry(policy: &Value, now: i64) -> Option<i64> {
    Period::parse(policy["attributes"]["expiryTime"].as_str()?)?.after(now)
}

/// When a version with these attributes is due for rotation, in seconds since the Unix epoch;
/// `None` if the policy does not rotate.
pub(crate) fn due(policy: &Value, attributes: &Attributes) -> Option<i64> {
    let actions = policy["lifetimeActions"].as_array()?;
    let rotates = |action: &&Value| {
        action["action"]["type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("rotate"))
    };
    let trigger = &actions.iter().find(rotates)?["trigger"];
    let period = |member: &str| trigger[member].as_str().and_then(Period::parse);
    match period("timeAfterCreate") {
        Some(after) => after.after(attributes.created),
        None => period("timeBeforeExpiry")?.before(attributes.exp?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(requested: &Value) -> Result<Value, ApiError> {
        update(Persona::Vault, None, requested, false, 0)
    }

    #[test]
    fn a_policy_keeps_a_week_from_creation_and_expiry() {
        let policy = |expiry: &str, trigger: Value| {
            json!({
                "attributes": { "expiryTime": expiry },
                "lifetimeActions": [{ "action": { "type": "Rotate" }, "trigger": trigger }],
            })
        };
        for (expiry, trigger, good) in [
            ("P90D", json!({ "timeAfterCreate": "P83D" }), true),
            ("P90D", json!({ "timeAfterCreate": "P84D" }), false),
            ("P90D", json!({ "timeAfterCreate": "P6D" }), false),
            ("P90D", json!({ "timeBeforeExpiry": "P7D", "timeAfterCreate": null }), true),
            ("P90D", json!({ "timeBeforeExpiry": "P6D" }), false),
            ("P27D", json!({ "timeBeforeExpiry": "P7D" }), false),
            ("P90D", json!({ "timeBeforeExpiry": "P30D", "timeAfterCreate": "P30D" }), false),
            ("P90D", json!({}), false),
            ("ninety", json!({ "timeAfterCreate": "P30D" }), false),
        ] {
            let requested = policy(expiry, trigger);
            assert_eq!(vault(&requested).is_ok(), good, "{requested}");
        }
        let mut endless = policy("P90D", json!({ "timeBeforeExpiry": "P30D" }));
        endless["attributes"] = json!({});
        assert!(vault(&endless).is_err(), "before an expiry that there is not");
        assert!(update(Persona::Vault, None, &endless, true, 0).is_ok());
    }

    #[test]
    fn a_vault_always_notifies_and_a_managed_hsm_never() {
        let policy = vault(&json!({})).unwrap();
        assert_eq!(policy["lifetimeActions"][0]["action"]["type"], "Notify");
        let requested = json!({ "lifetimeActions": policy["lifetimeActions"] });
        assert!(vault(&requested).is_ok());
        assert!(update(Persona::ManagedHsm, None, &requested, false, 0).is_err());
        let twice = json!({ "lifetimeActions": [notify(), notify()] });
        assert!(vault(&twice).is_err());
    }

    #[test]
    fn a_rotation_is_due_after_creation_or_before_expiry() {
        let day = 86_400;
        let mut attributes = Attributes::new(0);
        attributes.exp = Some(90 * day);
        let rotate = |trigger: Value| json!({ "lifetimeActions": [notify(), { "action": { "type": "rotate" }, "trigger": trigger }] });
        let after = rotate(json!({ "timeAfterCreate": "P30D" }));
        assert_eq!(due(&after, &attributes), Some(30 * day));
        let before = rotate(json!({ "timeBeforeExpiry": "P30D" }));
        assert_eq!(due(&before, &attributes), Some(60 * day));
        attributes.exp = None;
        assert_eq!(due(&before, &attributes), None);
        assert_eq!(due(&json!({ "lifetimeActions": [notify()] }), &attributes), None);
    }
}
