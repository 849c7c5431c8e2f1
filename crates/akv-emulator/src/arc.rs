//! The agent of an Azure Arc server: whoever can read its secret files may have tokens.
//!
//! Protocol: <https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication>.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Mutex,
};

use hyper::{
    StatusCode,
    header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE},
    http::request::Parts,
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    auth::CLIENT_ID,
    files::write_private,
    identity::{bad_request, error, has_metadata_header, machine, query},
    state::State,
    sync::lock,
    token_reply::TokenReply,
};

/// The versions of the protocol that tell it from a virtual machine's at the same path.
const VERSIONS: [&str; 2] = ["2019-11-01", "2020-06-01"];

/// How many challenges may be open at a time; the files of older ones are removed.
const OPEN: usize = 32;

#[derive(Default)]
pub(crate) struct Agent(Mutex<Challenges>);

#[derive(Default)]
struct Challenges {
    /// Where secret files go; without it there is no agent.
    folder: Option<PathBuf>,
    /// A file to name instead of a fresh one.
    named: Option<PathBuf>,
    open: Vec<(PathBuf, String)>,
}

impl Agent {
    pub(crate) fn set_folder(&self, folder: Option<PathBuf>) {
        lock(&self.0).folder = folder;
    }

    pub(crate) fn set_named(&self, file: Option<PathBuf>) {
        lock(&self.0).named = file;
    }

    /// Makes a secret file for a challenge, readable for its owner only.
    fn challenge(&self) -> io::Result<Option<PathBuf>> {
        let mut challenges = lock(&self.0);
        if let Some(file) = challenges.named.clone() {
            let secret = fs::read_to_string(&file).unwrap_or_default();
            if !secret.is_empty() {
                challenges.open.push((file.clone(), secret));
            }
            return Ok(Some(file));
        }
        let Some(folder) = &challenges.folder else { return Ok(None) };
        let file = folder.join(format!("{}.key", Uuid::new_v4()));
        let secret = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        write_private(&file, secret.as_bytes())?;
        challenges.open.push((file.clone(), secret));
        if challenges.open.len() > OPEN {
            let (old, _) = challenges.open.remove(0);
            challenges.remove(&old);
        }
        Ok(Some(file))
    }

    /// Whether somebody read the file of an open challenge. Each answers only once.
    fn is_answered(&self, secret: &str) -> bool {
        let mut challenges = lock(&self.0);
        let Some(at) = challenges.open.iter().position(|(_, known)| known == secret) else {
            return false;
        };
        let (file, _) = challenges.open.remove(at);
        challenges.remove(&file);
        true
    }
}

impl Challenges {
    /// Removes a file that the agent made, not one that a test named.
    fn remove(&self, file: &Path) {
        if file.parent() == self.folder.as_deref() && self.named.as_deref() != Some(file) {
            let _ = fs::remove_file(file);
        }
    }
}

/// Whether a request speaks the agent's protocol.
pub(crate) fn is_asked(version: Option<&str>) -> bool {
    version.is_some_and(|version| VERSIONS.contains(&version))
}

/// Answers a request for a token: first with the name of a secret file, then, to whoever could
/// read it, with the token.
pub(crate) fn answer(state: &State, parts: &Parts) -> TokenReply {
    if !has_metadata_header(parts) {
        return bad_request("Required metadata header not specified");
    }
    let query = query(parts);
    let Some(resource) = query.get("resource") else {
        return bad_request("Required query variable 'resource' is missing");
    };
    let secret = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    match secret {
        None => challenge(state),
        Some(value) if value.strip_prefix("Basic ").is_some_and(|s| state.arc.is_answered(s)) => {
            TokenReply::new(StatusCode::OK, machine(state, resource, CLIENT_ID))
        }
        Some(_) => {
            let body = json!({ "error": "unauthorized", "error_description": "Invalid secret" });
            TokenReply::new(StatusCode::UNAUTHORIZED, body)
        }
    }
}

fn challenge(state: &State) -> TokenReply {
    match state.arc.challenge() {
        Ok(Some(file)) => {
            let body = error("unauthorized", "Missing or invalid secret");
            let mut reply = TokenReply::new(StatusCode::UNAUTHORIZED, body);
            let challenge = format!("Basic realm={}", file.display());
            if let Ok(challenge) = HeaderValue::from_str(&challenge) {
                reply.header(WWW_AUTHENTICATE, challenge);
            }
            reply
        }
        Ok(None) => {
            let body = error("not_found", "This machine is no Azure Arc server");
            TokenReply::new(StatusCode::NOT_FOUND, body)
        }
        Err(reason) => {
            let text = format!("The secret file could not be written: {reason}");
            TokenReply::new(StatusCode::INTERNAL_SERVER_ERROR, error("unknown", &text))
        }
    }
}
