//! Recorded exchanges, and their keys.

use std::{fs, path::Path};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::{Map, Value, json};
use url::Url;

/// Recordings that the emulator needs with another text: the recorded text, and its replacement.
const MOVED: [(&str, &str, &str); 2] = [
    // A Managed HSM of 2021 could not rotate keys; current ones can, and refuse other actions.
    ("400-action-not-supported", "rotate", "revolve"),
    // It failed at a role definition.
    ("500-unknown-error", "///providers/Microsoft.Authorization/roleDefinitions/", "/keys/"),
];

pub(crate) struct Recording {
    pub(crate) file: String,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) request: Value,
    pub(crate) status: u16,
    pub(crate) headers: Map<String, Value>,
    pub(crate) response: Value,
}

/// The JSON files of a folder, by name.
pub(crate) fn files(folder: &str) -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings").join(folder);
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let read = |path: &Path| {
        let mut text = fs::read_to_string(path).unwrap();
        for (_, there, here) in MOVED.iter().filter(|(file, ..)| *file == name(path)) {
            assert!(text.contains(there), "{}", path.display());
            text = text.replace(there, here);
        }
        serde_json::from_str(&text).unwrap()
    };
    files.iter().map(|path| (name(path), read(path))).collect()
}

pub(crate) fn recordings(folder: &str) -> Vec<Recording> {
    files(folder).into_iter().map(|(file, value)| Recording::new(file, &value)).collect()
}

/// `/keys/NAME[/VERSION][/ACTION]` of a recorded request.
pub(crate) struct Parts {
    pub(crate) name: String,
    pub(crate) version: bool,
    pub(crate) action: String,
}

impl Recording {
    fn new(file: String, value: &Value) -> Self {
        let (request, response) = (&value["request"], &value["response"]);
        Self {
            file,
            method: request["method"].as_str().unwrap().parse().unwrap(),
            url: request["uri"].as_str().unwrap().parse().unwrap(),
            request: request["body"].clone(),
            status: u16::try_from(response["status"].as_u64().unwrap()).unwrap(),
            headers: response["headers"].as_object().unwrap().clone(),
            response: response["body"].clone(),
        }
    }

    pub(crate) fn parts(&self) -> Parts {
        let mut segments = self.url.path_segments().unwrap().skip(1);
        let name = segments.next().unwrap_or_default().to_owned();
        let mut rest: Vec<&str> = segments.filter(|segment| !segment.is_empty()).collect();
        let is_version = |text: &&str| text.len() == 32;
        let version = rest.first().is_some_and(is_version);
        if version {
            rest.remove(0);
        }
        Parts { name, version, action: rest.first().map_or(String::new(), |a| a.to_lowercase()) }
    }

    /// The request for the key of the recorded response or algorithm.
    pub(crate) fn key_request(&self) -> Value {
        let key = &self.response["key"];
        let mut request = match self.request["alg"].as_str() {
            Some(algorithm) => key_for(algorithm, &self.file),
            None => json!({ "kty": key["kty"].as_str().unwrap_or("EC") }),
        };
        if let Some(n) = key["n"].as_str() {
            // Some have a leading zero.
            let bytes = URL_SAFE_NO_PAD.decode(n).unwrap().len() / 64 * 64;
            request["key_size"] = (bytes * 8).into();
        }
        for (member, value) in [("crv", &key["crv"]), ("key_ops", &key["key_ops"])] {
            if !value.is_null() {
                request[member] = value.clone();
            }
        }
        for attribute in ["nbf", "exp", "exportable"] {
            let value = &self.response["attributes"][attribute];
            if !value.is_null() {
                request["attributes"][attribute] = value.clone();
            }
        }
        let listed = &self.response["value"][0]["tags"];
        for tags in [&self.response["tags"], listed] {
            if !tags.is_null() {
                request["tags"] = tags.clone();
            }
        }
        request
    }
}

pub(crate) fn key_for(algorithm: &str, file: &str) -> Value {
    let size = file.rsplit_once("-rsa").and_then(|(_, bits)| bits.parse::<u32>().ok());
    match algorithm {
        "ES256" => json!({ "kty": "EC", "crv": "P-256" }),
        "ES256K" => json!({ "kty": "EC", "crv": "P-256K" }),
        "ES384" => json!({ "kty": "EC", "crv": "P-384" }),
        "ES512" => json!({ "kty": "EC", "crv": "P-521" }),
        "HS256" => json!({ "kty": "oct", "key_size": 256, "key_ops": ["sign", "verify"] }),
        aes if aes.starts_with('A') => {
            json!({ "kty": "oct", "key_size": aes[1..4].parse::<u32>().unwrap() })
        }
        _ => json!({ "kty": "RSA", "key_size": size.unwrap_or(2048) }),
    }
}
