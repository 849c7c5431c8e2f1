//! stunnel: `engine`, `engineId` and a key string.

use std::net::{Ipv4Addr, TcpListener};

use akv_emulator::Persona;
use anyhow::{Context as _, Result};

use crate::stage::{Stage, VaultKey, listen};

fn serves(stage: &Stage, key: &VaultKey, lines: &str, own: &str) -> Result<()> {
    let certificate = &key.certificate;
    // Nothing responds there: only the handshake matters.
    let behind = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let connect = behind.local_addr()?;
    let (server, address) = listen("Configuration successful", |port| {
        let config = format!(
            "foreground = yes\npid =\nsetuid = www-data\nsetgid = www-data\n{lines}\n\
             [tls]\naccept = 127.0.0.1:{port}\nconnect = {connect}\ncert = {certificate}\n{own}\n"
        );
        Ok(stage.task("stunnel4").arg(stage.write("stunnel.conf", &config)?))
    })?;
    for _ in 0..3 {
        stage.shake_hands(&address, key).with_context(|| server.output())?;
    }
    Ok(())
}

#[test]
fn serves_with_engine_and_key_string() -> Result<()> {
    let stage = Stage::open(Persona::Vault)?;
    for key in stage.keys() {
        let own = format!("engineId = e_akv\nkey = {}", key.reference);
        serves(&stage, key, "engine = e_akv", &own)?;
    }
    Ok(())
}

#[test]
fn serves_with_a_key_file() -> Result<()> {
    let stage = Stage::open(Persona::Vault)?;
    for key in stage.keys() {
        serves(&stage, key, "", &format!("key = {}", stage.key_file(key)?))?;
    }
    Ok(())
}
