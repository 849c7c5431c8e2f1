//! The settings that the control interface can change, by name.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use crate::{latency::Latency, permissions::AccessModel, state::State, throttle::Throttling};

/// One setting with its new value.
enum Change {
    AccessModel(AccessModel),
    ArcChallenge(Option<PathBuf>),
    ArcFolder(Option<PathBuf>),
    /// Seconds.
    ClockShift(i64),
    /// Seconds.
    DeletionDelay(u32),
    Latency(Option<Latency>),
    Tenant(Option<String>),
    Throttling(Option<Throttling>),
    /// Seconds.
    TokenLifetime(u32),
}

/// A latency by the name of its profile or by its numbers.
#[derive(Deserialize)]
#[serde(untagged)]
enum Named {
    Profile(String),
    Numbers(Latency),
}

/// All settings with their values, except those that are secret or paths.
pub(super) fn show(state: &State) -> Value {
    json!({
        "accessModel": state.permissions.model(),
        "clockShift": state.clock.shifted(),
        "deletionDelay": state.recovery.get().deletion_delay,
        "latency": state.latency.get(),
        "tenant": state.tokens.required_tenant(),
        "throttling": state.throttle.get(),
        "tokenLifetime": state.tokens.lifetime().as_secs(),
    })
}

/// Applies all of the changes or none.
pub(super) fn change(state: &State, requested: &Map<String, Value>) -> Result<(), String> {
    let changes = requested
        .iter()
        .map(|(name, value)| parse(name, value).map_err(|reason| format!("`{name}`: {reason}")))
        .collect::<Result<Vec<_>, _>>()?;
    for change in changes {
        apply(state, change);
    }
    Ok(())
}

fn parse(name: &str, value: &Value) -> Result<Change, String> {
    Ok(match name {
        "accessModel" => Change::AccessModel(read(value)?),
        "arcChallenge" => Change::ArcChallenge(read(value)?),
        "arcFolder" => Change::ArcFolder(read(value)?),
        "clockShift" => Change::ClockShift(read(value)?),
        "deletionDelay" => Change::DeletionDelay(read(value)?),
        "latency" => Change::Latency(latency(value)?),
        "tenant" => Change::Tenant(read(value)?),
        "throttling" => Change::Throttling(throttling(value)?),
        "tokenLifetime" => Change::TokenLifetime(read(value)?),
        _ => return Err("no such setting; `GET /__emulator/settings` lists them".to_owned()),
    })
}

fn read<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    serde_json::from_value(value.clone()).map_err(|error| error.to_string())
}

fn latency(value: &Value) -> Result<Option<Latency>, String> {
    let latency = match read::<Option<Named>>(value) {
        Ok(None) => return Ok(None),
        Ok(Some(Named::Numbers(numbers))) => Some(numbers).filter(Latency::is_valid),
        Ok(Some(Named::Profile(name))) => Latency::from_name(&name),
        Err(_) => None,
    };
    let profiles = Latency::PROFILES.map(|(name, _)| name).join(", ");
    latency
        .map(Some)
        .ok_or_else(|| format!("expected null, one of {profiles}, or {{\"p50\": MS, \"p99\": MS}}"))
}

fn throttling(value: &Value) -> Result<Option<Throttling>, String> {
    match value {
        Value::Bool(false) => Ok(None),
        Value::Bool(true) => Ok(Some(Throttling::service())),
        value => match read::<Option<Throttling>>(value)? {
            Some(limits) if !limits.is_valid() => Err("`scale` must be above 0".to_owned()),
            limits => Ok(limits),
        },
    }
}

fn apply(state: &State, change: Change) {
    match change {
        Change::AccessModel(model) => state.permissions.set_model(model),
        Change::ArcChallenge(file) => state.arc.set_named(file),
        Change::ArcFolder(folder) => state.arc.set_folder(folder),
        Change::ClockShift(seconds) => state.clock.set_shift(seconds),
        Change::DeletionDelay(seconds) => state.recovery.set_deletion_delay(seconds.into()),
        Change::Latency(latency) => state.latency.set(latency),
        Change::Tenant(tenant) => state.tokens.set_tenant(tenant),
        Change::Throttling(limits) => state.throttle.set(limits),
        Change::TokenLifetime(seconds) => {
            state.tokens.set_lifetime(Duration::from_secs(seconds.into()));
        }
    }
}
