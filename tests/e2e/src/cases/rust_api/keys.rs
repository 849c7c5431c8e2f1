//! Creating, opening, listing and rotating keys, and the errors of failures.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use akv_core::{AnyKey, Curve, ErrorKind, KeyFile, NewKey, SignatureAlgorithm::Es256, VaultKind};
use anyhow::{Result, bail, ensure};

use super::{super::judge, case, timed};
use crate::{
    case::{Case, Stopwatch},
    keys::Pair,
    stage::Stage,
};

const DIGEST: [u8; 32] = [7; 32];

pub(super) fn cases(kind: VaultKind) -> Vec<Case> {
    let mut cases: Vec<Case> = Pair::ALL
        .into_iter()
        .map(|pair| {
            case(format!("create, {}", pair.name()), move |stage: &Stage, watch: &Stopwatch| {
                timed(stage, watch, stage.keys.make(&stage.vault, pair)).map(drop)
            })
            .making_keys()
        })
        .collect();
    if kind == VaultKind::ManagedHsm {
        let make = |stage: &Stage, watch: &Stopwatch| {
            timed(stage, watch, stage.keys.make_aes(&stage.vault)).map(drop)
        };
        cases.push(case("create, AES-256", make).making_keys());
    }
    cases.extend([
        case("open by name pins the version", open),
        case("list has the keys of this run", list),
        case("versions", versions),
        case("attributes are those that were requested", attributes),
        case("rotate leaves opened keys at their version", rotate),
        case("a key file signs without asking for the key", key_file),
        case("a missing key is reported with code and request id", missing),
        case("a disabled key is refused", disabled),
        case("a deleted key is refused", deleted),
        case("a digest of the wrong length costs no request", wrong_length),
    ]);
    cases
}

fn open(stage: &Stage, watch: &Stopwatch) -> Result<()> {
    for pair in Pair::ALL {
        let made = stage.keys.pair(pair)?;
        let opened = timed(stage, watch, stage.client.key(made.reference()))?;
        ensure!(opened.version() == made.version(), "another version");
        ensure!(opened.public_key() == made.public_key(), "another key");
    }
    Ok(())
}

fn list(stage: &Stage, watch: &Stopwatch) -> Result<()> {
    let names: Vec<String> = timed(stage, watch, stage.vault.list().all())?
        .iter()
        .map(|item| item.name().to_owned())
        .collect();
    for pair in Pair::ALL {
        let key = stage.keys.pair(pair)?;
        let name = key.reference().key_name().unwrap_or_default();
        ensure!(names.iter().any(|known| known == name), "{name} is not in the list");
    }
    Ok(())
}

fn versions(stage: &Stage, watch: &Stopwatch) -> Result<()> {
    let key = stage.keys.pair(Pair::Rsa)?;
    let list = stage.vault.versions(key.reference().key_name().unwrap_or_default())?;
    let versions = timed(stage, watch, list.all())?;
    let versions: Vec<_> = versions.iter().filter_map(|item| item.version()).collect();
    ensure!(versions == [key.version()], "{versions:?}");
    Ok(())
}

fn attributes(stage: &Stage, watch: &Stopwatch) -> Result<()> {
    let day = Duration::from_secs(86_400);
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let expires = UNIX_EPOCH + Duration::from_secs(now) + day;
    let new = NewKey::ec(Curve::P256).expires(expires).tag("stage", "e2e");
    let name = stage.keys.name("attributes");
    let key = timed(stage, watch, stage.vault.create(&name, new))?;
    let opened = timed(stage, watch, stage.client.key(key.reference()))?;
    let Some(attributes) = opened.attributes() else { bail!("no attributes") };
    ensure!(attributes.expires() == Some(expires), "expires {:?}", attributes.expires());
    ensure!(attributes.tags().get("stage").is_some_and(|value| value == "e2e"), "no tag");
    ensure!(attributes.enabled() && !attributes.exportable(), "{attributes:?}");
    Ok(())
}

fn rotate(stage: &Stage, watch: &Stopwatch) -> Result<()> {
    let name = stage.keys.name("rotated");
    let old = timed(stage, watch, stage.vault.create(&name, NewKey::ec(Curve::P256)))?;
    let AnyKey::Asymmetric(new) = timed(stage, watch, stage.vault.rotate(&name))? else {
        bail!("another kind of key");
    };
    ensure!(old.version() != new.version(), "the version is still {}", old.version());
    let input = judge::input(Es256);
    for key in [&old, &new] {
        let signature = timed(stage, watch, key.sign(Es256, &input))?;
        judge::check(stage, key, Es256, &signature)?;
    }
    let current = timed(stage, watch, stage.client.key(old.reference()))?;
    ensure!(current.version() == new.version(), "the new version is not the current one");
    Ok(())
}

fn key_file(stage: &Stage, watch: &Stopwatch) -> Result<()> {
    let made = stage.keys.pair(Pair::Ec(Curve::P256))?;
    let Some(file) = KeyFile::from_pem(made.key_file().to_pem().as_bytes())? else {
        bail!("its own key file is not read");
    };
    let before = stage.client.counters().operations;
    let key = stage.block_on(stage.client.key_from_file(&file))?;
    ensure!(stage.client.counters().operations == before, "opening the file sent a request");
    let signature = timed(stage, watch, key.sign(Es256, &judge::input(Es256)))?;
    judge::check(stage, &key, Es256, &signature)
}

fn missing(stage: &Stage, _: &Stopwatch) -> Result<()> {
    let reference = stage.target.reference(&stage.keys.name("missing"));
    let reference = stage.client.reference(&reference)?;
    let Err(error) = stage.attempt(stage.client.key(&reference))? else {
        bail!("there is such a key");
    };
    ensure!(error.status() == Some(404), "{error}");
    ensure!(error.code() == Some("KeyNotFound"), "{error}");
    ensure!(error.request_id().is_some(), "no request id: {error}");
    Ok(())
}

fn disabled(stage: &Stage, _: &Stopwatch) -> Result<()> {
    let new = NewKey::ec(Curve::P256).enabled(false);
    let key = stage.block_on(stage.vault.create(&stage.keys.name("disabled"), new))?;
    refused(stage, &key, 403)
}

fn deleted(stage: &Stage, _: &Stopwatch) -> Result<()> {
    let name = stage.keys.name("deleted");
    let key = stage.block_on(stage.vault.create(&name, NewKey::ec(Curve::P256)))?;
    stage.block_on(stage.vault.delete(&name))?;
    refused(stage, &key, 404)
}

fn refused(stage: &Stage, key: &akv_core::Key, status: u16) -> Result<()> {
    let result = stage.attempt(key.sign(Es256, &DIGEST))?;
    let Err(error) = result else { bail!("it signed") };
    ensure!(error.status() == Some(status), "{error}");
    Ok(())
}

fn wrong_length(stage: &Stage, _: &Stopwatch) -> Result<()> {
    let key = stage.keys.pair(Pair::Ec(Curve::P256))?;
    let before = stage.client.counters();
    let result = stage.attempt(key.sign(Es256, &[1; 20]))?;
    let Err(error) = result else { bail!("it signed") };
    ensure!(error.kind() == ErrorKind::Argument, "{error}");
    ensure!(stage.client.counters() == before, "it made a request");
    Ok(())
}
