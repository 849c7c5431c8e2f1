//! The settings in force, and where each came from.

use std::path::Path;

use akv_core::{
    Settings,
    settings::{Origin, Setting},
};
use serde_json::json;

use super::report::{Cause, Check};
use crate::exit::Failure;

/// Relevant variables that are not settings. Those marked `true` contain a secret, which is not
/// shown.
const VARIABLES: [(&str, bool); 11] = [
    ("AZURE_CLI_ACCESS_TOKEN", true),
    ("AZURE_CLIENT_SECRET", true),
    ("AZURE_CLIENT_CERTIFICATE_PASSWORD", true),
    ("IDENTITY_HEADER", true),
    // It may contain a password.
    ("HTTPS_PROXY", true),
    ("AZURE_FEDERATED_TOKEN_FILE", false),
    ("AZURE_AUTHORITY_HOST", false),
    ("IDENTITY_ENDPOINT", false),
    ("IMDS_ENDPOINT", false),
    ("NO_PROXY", false),
    ("SSL_CERT_FILE", false),
];

/// The check of an invalid setting.
pub(super) fn bad(failure: &Failure) -> Check {
    let text = failure.to_string();
    let advice = "correct it where it is set: a name in capitals is an environment variable";
    Check::bad("settings", text.clone(), Cause::new("settings", text, advice))
}

/// The configured settings; `file` is the configuration from which settings were read.
pub(super) fn check(settings: &Settings, file: Option<&Path>) -> Check {
    let all = settings.in_force();
    let set: Vec<&Setting> = all.iter().filter(|set| set.origin != Origin::Default).collect();
    let mut lines: Vec<String> = set
        .iter()
        .map(|set| {
            let value = set.value.as_deref().unwrap_or_default();
            format!("{} = {value}, from {}", set.name, origin(set.origin, file))
        })
        .collect();
    for (name, secret) in VARIABLES {
        let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty()) else {
            continue;
        };
        let value = match secret {
            true => "set (not shown)".to_owned(),
            false => value.to_string_lossy().into_owned(),
        };
        lines.push(format!("{name}: {value}, from the environment"));
    }
    let facts: Vec<_> = all
        .iter()
        .map(|set| {
            let origin = set.origin.to_string();
            json!({ "name": set.name, "value": set.value, "origin": origin })
        })
        .collect();
    let text = match lines.len() {
        0 => "all have their defaults".to_owned(),
        _ => "all have their defaults except:".to_owned(),
    };
    Check::good("settings", text).lines(lines).fact("settings", json!(facts))
}

fn origin(origin: Origin, file: Option<&Path>) -> String {
    match (origin, file) {
        (Origin::Environment(variable), _) => format!("{variable} in the environment"),
        (Origin::File, Some(file)) => file.display().to_string(),
        (other, _) => format!("the {other}"),
    }
}

/// Where a setting came from, if it was set.
pub(super) fn origin_of(settings: &Settings, name: &str) -> Option<Origin> {
    let found = settings.in_force().into_iter().find(|set| set.name == name)?;
    (found.origin != Origin::Default).then_some(found.origin)
}
