//! Compares a recorded response with the emulator's.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{common::Answer, recording::Recording};

/// Members that are missing with older API versions or other vault settings.
const OPTIONAL_MEMBERS: [&str; 2] = ["exportable", "recoverableDays"];

/// Headers that depend on the service's deployment, or on the route of the request.
const UNCOMPARED_HEADERS: [&str; 9] = [
    "content-length",
    "x-ms-keyvault-rbac-assignment-id",
    "x-ms-keyvault-rbac-cache",
    "x-ms-client-request-id",
    "x-powered-by",
    "x-aspnet-version",
    "server",
    "status",
    "date",
];

/// Appends the differences.
fn compare(path: &str, recorded: &Value, ours: &Value, problems: &mut Vec<String>) {
    match (recorded, ours) {
        (Value::Object(recorded), Value::Object(ours)) => {
            let members: BTreeSet<_> = recorded.keys().chain(ours.keys()).collect();
            for member in members {
                let path = format!("{path}.{member}");
                match (recorded.get(member), ours.get(member)) {
                    (Some(recorded), Some(ours)) => compare(&path, recorded, ours, problems),
                    (None, Some(_)) if OPTIONAL_MEMBERS.contains(&member.as_str()) => {}
                    (_, None) => problems.push(format!("{path} is missing")),
                    (None, _) => problems.push(format!("{path} is not in the recording")),
                }
            }
        }
        (Value::Array(recorded), Value::Array(ours)) if path.ends_with("key_ops") => {
            let set = |list: &[Value]| list.iter().map(Value::to_string).collect::<BTreeSet<_>>();
            if set(recorded) != set(ours) {
                problems.push(format!("{path}: {recorded:?} became {ours:?}"));
            }
        }
        (Value::Array(recorded), Value::Array(ours)) => {
            for (recorded, ours) in recorded.iter().zip(ours) {
                compare(&format!("{path}[]"), recorded, ours, problems);
            }
            if ours.is_empty() && !recorded.is_empty() {
                problems.push(format!("{path} is empty"));
            }
        }
        (Value::String(recorded), Value::String(ours)) => {
            compare_text(path, recorded, ours, problems);
        }
        (recorded, ours) => {
            if std::mem::discriminant(recorded) != std::mem::discriminant(ours) {
                problems.push(format!("{path}: {recorded} became {ours}"));
            }
        }
    }
}

fn compare_text(path: &str, recorded: &str, ours: &str, problems: &mut Vec<String>) {
    let member = path.rsplit('.').next().unwrap_or_default();
    let same = match member {
        // Key material and results: the same length.
        "n" | "x" | "y" | "value" | "iv" | "tag" => recorded.len() == ours.len(),
        // Some vaults write the exponent with a leading zero.
        "e" => recorded == ours || recorded == "AAEAAQ",
        "kty" | "crv" | "alg" | "code" | "expiryTime" | "type" | "key" => recorded == ours,
        "message" => neutral(recorded) == neutral(ours),
        "kid" | "recoveryId" | "id" => url_shape(recorded) == url_shape(ours),
        "nextLink" => link_shape(recorded) == link_shape(ours),
        _ => true,
    };
    if !same {
        problems.push(format!("{path}: {recorded:?} became {ours:?}"));
    }
}

/// A message without host names and the request's id.
fn neutral(message: &str) -> String {
    let message = message.split(" (Activity ID").next().unwrap_or_default();
    // Older vaults had no number.
    let message = message.strip_prefix("AKV10000: ").unwrap_or(message);
    let ids =
        |word: &str| word.len() == 37 && word.ends_with(',') && word.matches('-').count() == 4;
    let words = message.split(' ').map(|word| {
        match word.trim_start_matches('\'').strip_prefix("https://") {
            Some(rest) if !rest.starts_with("go.microsoft.com") => {
                // A version differs each time.
                let path = rest.split_once('/').map_or("", |(_, path)| path);
                let segments = path.split('/').filter(|segment| !is_version(segment));
                format!("https://HOST/{}", segments.collect::<Vec<_>>().join("/"))
            }
            _ if ids(word) => "ID,".to_owned(),
            _ => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// 32 hexadecimal digits, possibly followed by the end of a sentence.
fn is_version(segment: &str) -> bool {
    let segment = segment.trim_end_matches(['\'', '.']);
    segment.len() == 32 && segment.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The collection, how many segments follow, and whether a 32-digit version is among them.
fn url_shape(url: &str) -> (String, usize, bool, bool) {
    let absolute = url.starts_with("https://");
    let path = url.strip_prefix("https://").and_then(|rest| rest.split_once('/'));
    let path = path.map_or(url, |(_, path)| path);
    let segments: Vec<&str> = path.split('/').collect();
    let version = segments.get(2).is_some_and(|segment| segment.len() == 32);
    (segments[0].to_owned(), segments.len(), version, absolute)
}

/// Whether the port is explicit, the path, and the query's names in order.
fn link_shape(link: &str) -> (bool, Vec<String>) {
    let (authority, rest) = link.strip_prefix("https://").unwrap().split_once('/').unwrap();
    let query = rest.split_once('?').unwrap().1;
    let names = query.split('&').map(|pair| pair.split('=').next().unwrap().to_owned()).collect();
    // A Managed HSM repeats the requested host, and the emulator's always has a port.
    (authority.contains(':') || !query.starts_with("api-version"), names)
}

pub(crate) fn check(recording: &Recording, answer: &Answer) -> Vec<String> {
    let mut problems = Vec::new();
    if answer.status.as_u16() != recording.status {
        problems.push(format!("status {} became {}", recording.status, answer.status));
    }
    for name in recording.headers.keys() {
        if !UNCOMPARED_HEADERS.contains(&name.as_str()) && !answer.headers.contains_key(name) {
            // Only some builds of the Managed HSM return their version.
            if name != "x-ms-build-version" {
                problems.push(format!("header {name} is missing"));
            }
        }
    }
    let ours = answer.headers.get("content-type").map(|kind| kind.to_str().unwrap());
    if recording.headers.get("content-type").is_some_and(|kind| kind.as_str() != ours) {
        problems.push("the content type differs".to_owned());
    }
    if let Value::String(text) = &recording.response {
        // Not JSON, whatever the content type says.
        if *text != answer.text {
            problems.push(format!("{text:?} became {:?}", answer.text));
        }
        return problems;
    }
    let mut recorded = recording.response.clone();
    let mut ours = answer.json();
    if recording.file == "backup-key" {
        // Blobs of the service are encrypted, and truncated in the recordings.
        let blob = ours["value"].as_str().is_some_and(|blob| blob.len() > 100);
        ours["value"] = if blob { recorded["value"].clone() } else { Value::Null };
    }
    if recording.file == "403-forbidden-by-policy" {
        // The message contains caller and vault.
        recorded["error"]["message"] = Value::Null;
        ours["error"]["message"] = Value::Null;
    }
    compare("", &recorded, &ours, &mut problems);
    problems
}
