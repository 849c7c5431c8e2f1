//! The engine in the `openssl` program.

use akv_core::Curve;
use akv_tests::{engine::KEY, modules};
use anyhow::{Result, ensure};

use super::{
    judge,
    programs::{self, HANDSHAKES, reference, serve},
};
use crate::{
    case::{Case, Front, Stopwatch},
    keys::Pair,
    stage::Stage,
};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        case("pkey -inform engine -pubout writes the same key as the Rust API", public_keys),
        case("pkeyutl -sign, RSA-PSS", pss),
        case("pkeyutl -decrypt, OAEP", |stage, watch| {
            let oaep = "-pkeyopt rsa_padding_mode:oaep";
            programs::decrypt(stage, &stage.engine()?, KEY, oaep, watch)
        }),
    ];
    for pair in Pair::ALL {
        let name = format!("dgst -sha256, {}", pair.name());
        cases.push(case(&name, move |stage, watch| sign(stage, pair, watch)));
    }
    for handshake in &HANDSHAKES {
        let name = format!("s_server, {}", handshake.name);
        cases.push(case(&name, move |stage, watch| {
            let certificate = certificate(stage, handshake.pair)?;
            let key = format!("{KEY} -key {}", reference(stage, handshake.pair)?);
            serve(stage, &stage.engine()?, &key, &certificate, handshake, watch)
        }));
    }
    cases
}

fn case(name: &str, body: impl Fn(&Stage, &Stopwatch) -> Result<()> + 'static) -> Case {
    Case::new(Front::Engine, name, move |stage, watch| {
        modules::engine()?;
        body(stage, watch)
    })
}

fn public_keys(stage: &Stage, watch: &Stopwatch) -> Result<()> {
    for pair in Pair::ALL {
        let key = stage.keys.pair(pair)?;
        let command = format!(
            "pkey -engine e_akv -inform engine -in {} -pubout -outform DER",
            key.reference()
        );
        let printed = watch.time(|| stage.engine()?.ok(&command))?.stdout;
        ensure!(printed == key.public_key().to_spki_der(), "another key for {}", pair.name());
    }
    Ok(())
}

fn sign(stage: &Stage, pair: Pair, watch: &Stopwatch) -> Result<()> {
    let key = stage.keys.pair(pair)?;
    let public = judge::public_key(stage, key.public_key(), key.version())?;
    let key = format!("{KEY} -sign {}", key.reference());
    programs::sign(stage, &stage.engine()?, &key, &public, "-sha256", watch)
}

fn pss(stage: &Stage, watch: &Stopwatch) -> Result<()> {
    const OPTIONS: &str = "-pkeyopt digest:sha256 -pkeyopt rsa_padding_mode:pss \
                           -pkeyopt rsa_pss_saltlen:digest";
    let key = stage.keys.pair(Pair::Rsa)?;
    let public = judge::public_key(stage, key.public_key(), key.version())?;
    let digest = stage.write("digest", judge::input(akv_core::SignatureAlgorithm::Ps256))?;
    let signature = stage.text("engine.sig");
    let command = format!(
        "pkeyutl -sign {KEY} -inkey {} -in {digest} -out {signature} {OPTIONS}",
        key.reference()
    );
    watch.time(|| stage.engine()?.ok(&command))?;
    stage.plain()?.ok(&format!(
        "pkeyutl -verify -pubin -inkey {public} -in {digest} -sigfile {signature} {OPTIONS}"
    ))?;
    Ok(())
}

/// A self-signed certificate for `localhost`.
pub(super) fn certificate(stage: &Stage, pair: Pair) -> Result<String> {
    let certificate = stage.text(&format!("{}.engine.pem", pair.name()));
    stage.engine()?.ok(&format!(
        "req -new -x509 {KEY} -key {} -subj /CN=localhost -out {certificate}",
        reference(stage, pair)?
    ))?;
    Ok(certificate)
}

/// The pairs with which nginx serves.
pub(super) const SERVED: [Pair; 2] = [Pair::Rsa, Pair::Ec(Curve::P256)];
