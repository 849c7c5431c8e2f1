//! nginx, with the provider's key files and with the engine's key strings.

use akv_tests::{Nginx, modules, nginx::Setup};
use anyhow::{Context as _, Result};

use super::{
    engine,
    programs::{HANDSHAKES, connect, need, reference},
    provider,
};
use crate::{
    case::{Case, Front, Stopwatch},
    keys::Pair,
    stage::Stage,
};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(Front::Nginx, "key files of the provider, over a reload", |stage, watch| {
            need("nginx")?;
            modules::provider()?;
            let openssl = stage.provider()?;
            serve(stage, watch, openssl.config().to_owned(), |pair| {
                let certificate = provider::certificate(stage, pair)?;
                let file = stage.text(&format!("{}.nginx.key", pair.name()));
                openssl.ok(&format!("pkey -in {} -out {file}", reference(stage, pair)?))?;
                Ok((certificate, file))
            })
        }),
        Case::new(Front::Nginx, "engine:e_akv:… as the key, over a reload", |stage, watch| {
            need("nginx")?;
            modules::engine()?;
            serve(stage, watch, stage.engine()?.config().to_owned(), |pair| {
                let key = format!("engine:e_akv:{}", reference(stage, pair)?);
                Ok((engine::certificate(stage, pair)?, key))
            })
        }),
    ]
}

/// Serves with an RSA and an EC key, connects in every way, reloads, and repeats this.
fn serve(
    stage: &Stage,
    watch: &Stopwatch,
    openssl_config: std::path::PathBuf,
    identity: impl Fn(Pair) -> Result<(String, String)>,
) -> Result<()> {
    let certificates = engine::SERVED.map(identity).into_iter().collect::<Result<Vec<_>>>()?;
    let trusted: Vec<String> = certificates
        .iter()
        .map(|(certificate, _)| std::fs::read_to_string(certificate))
        .collect::<Result<_, _>>()?;
    let trusted = stage.write("trusted.pem", trusted.concat())?;
    let variables = stage.target.variables();
    let nginx =
        Nginx::start(&Setup { certificates, openssl_config, variables, ..Setup::default() })?;
    for round in 0..2 {
        for handshake in &HANDSHAKES {
            connect(stage, handshake, &nginx.address(), &trusted, watch).with_context(|| {
                format!("{}; nginx logged:\n{}", handshake.name, nginx.error_log())
            })?;
        }
        if round == 0 {
            nginx.reload()?;
        }
    }
    nginx.stop()
}
