//! Rotation policies: their JSON and the expiry they give to a rotated key.

use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::{error::ApiError, persona::Persona};

/// Days that a key lives at least, and that an action is at least away from its beginning or end:
/// <https://learn.microsoft.com/azure/key-vault/keys/how-to-configure-key-rotation>.
const SHORTEST_LIFE: i64 = 28;
const SHORTEST_TRIGGER: i64 = 7;

/// The policy of a key that has none.
pub(crate) fn default(persona: Persona) -> Value {
    match persona {
        Persona::Vault => json!({ "lifetimeActions": [notify()], "attributes": {} }),
        Persona::ManagedHsm => json!({ "lifetimeActions": [], "attributes": {} }),
    }
}

/// Every vault policy has this action, asked for or not.
fn notify() -> Value {
    json!({ "trigger": { "timeBeforeExpiry": "P30D" }, "action": { "type": "Notify" } })
}

/// Checks a new policy and completes it as the service does.
pub(crate) fn update(
    persona: Persona,
    previous: Option<&Value>,
    asked: &Value,
    now: i64,
) -> Result<Value, ApiError> {
    let mut actions = Vec::new();
    for action in asked["lifetimeActions"].as_array().into_iter().flatten() {
        let kind = action["action"]["type"].as_str().unwrap_or_default().to_ascii_lowercase();
        let kind = match (persona, kind.as_str()) {
            (Persona::Vault, "rotate") => "Rotate",
            (Persona::Vault, "notify") => "Notify",
            (Persona::ManagedHsm, "rotate") => "rotate",
            _ => return Err(ApiError::invalid_value("lifetimeActions")),
        };
        let trigger = action.get("trigger").filter(|trigger| trigger.is_object());
        let trigger = trigger.ok_or_else(|| ApiError::invalid_value("trigger"))?;
        for member in ["timeAfterCreate", "timeBeforeExpiry"] {
            if let Some(text) = trigger[member].as_str() {
                at_least(text, SHORTEST_TRIGGER, member)?;
            }
        }
        actions.push(json!({ "trigger": trigger, "action": { "type": kind } }));
    }
    let notifies = actions.iter().any(|action| action["action"]["type"] == "Notify");
    if persona == Persona::Vault && !notifies {
        actions.push(notify());
    }
    let created = previous.and_then(|policy| policy["attributes"]["created"].as_i64());
    let mut attributes = json!({ "created": created.unwrap_or(now), "updated": now });
    if let Some(expiry) = asked["attributes"]["expiryTime"].as_str() {
        at_least(expiry, SHORTEST_LIFE, "expiryTime")?;
        attributes["expiryTime"] = expiry.into();
    }
    Ok(json!({ "lifetimeActions": actions, "attributes": attributes }))
}

/// The service documents the limits, and not what it says.
fn at_least(duration: &str, days: i64, member: &str) -> Result<(), ApiError> {
    let (months, more) = parse_duration(duration).ok_or_else(|| ApiError::invalid_value(member))?;
    match months * 28 + more >= days {
        true => Ok(()),
        false => Err(ApiError::bad_parameter(format!(
            "Property {member} has invalid value: {duration} is shorter than {days} days."
        ))),
    }
}

/// When a key made now expires, in seconds since the Unix epoch.
pub(crate) fn expiry(policy: &Value, now: i64) -> Option<i64> {
    let (months, days) = parse_duration(policy["attributes"]["expiryTime"].as_str()?)?;
    let start = OffsetDateTime::from_unix_timestamp(now).ok()?;
    let total = i64::from(start.year()) * 12 + i64::from(u8::from(start.month())) - 1 + months;
    let year = i32::try_from(total.div_euclid(12)).ok()?;
    let month = u8::try_from(total.rem_euclid(12) + 1).ok().and_then(|m| m.try_into().ok())?;
    let day = start.day().min(time::util::days_in_month(month, year));
    let date = time::Date::from_calendar_date(year, month, day).ok()?;
    let end = start.replace_date(date).checked_add(Duration::days(days))?;
    Some(end.unix_timestamp())
}

/// Months and days of an ISO 8601 duration such as `P90D`, `P18M` or `P1Y2M10D`.
fn parse_duration(text: &str) -> Option<(i64, i64)> {
    let mut rest = text.strip_prefix('P').filter(|rest| !rest.is_empty())?;
    let (mut months, mut days) = (0, 0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = rest[..digits].parse().ok().filter(|number| *number <= 100_000)?;
        match rest.as_bytes()[digits] {
            b'Y' => months += 12 * number,
            b'M' => months += number,
            b'W' => days += 7 * number,
            b'D' => days += number,
            _ => return None,
        }
        rest = &rest[digits + 1..];
    }
    Some((months, days))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_calendar_durations() {
        assert_eq!(parse_duration("P1Y2M10D"), Some((14, 10)));
        for bad in ["", "P", "90D", "P90", "P-1D", "PT1H", "P99999999999D"] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
        let policy = json!({ "attributes": { "expiryTime": "P90D" } });
        assert_eq!(expiry(&policy, 1_680_041_253), Some(1_687_817_253));
        let allowed = |text, days| at_least(text, days, "expiryTime").is_ok();
        assert!(allowed("P28D", 28) && allowed("P1M", 28) && allowed("P1W", 7));
        assert!(!allowed("P27D", 28) && !allowed("P6D", 7) && !allowed("28", 7));
        // 31 January 2023 plus a month is the last day of February.
        let policy = json!({ "attributes": { "expiryTime": "P1M" } });
        assert_eq!(expiry(&policy, 1_675_123_200), Some(1_677_542_400));
    }
}
