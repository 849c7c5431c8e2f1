//! Handshakes and configurations that fail.

use akv_emulator::{Curve, Fault, FaultKind, Operation};
use anyhow::Result;

use crate::stage::{Kind, LIMIT, Stage};

#[test]
fn a_signature_that_the_vault_refuses_fails_only_its_own_handshake() -> Result<()> {
    let stage = Stage::open(Kind::Rsa)?;
    let running = stage.serve(&[], &[])?;
    let vault = stage.site.vault();
    for (refuse, protocol) in [(true, "-tls1_2"), (false, "-tls1_2"), (true, "-tls1_3")] {
        if !refuse {
            running.connect(protocol)?;
            continue;
        }
        vault.fault(Fault::status(403).on(Operation::Sign));
        let line = format!("s_client -brief -connect {} {protocol}", running.address);
        stage.site.plain().fails(&line)?;
    }
    running.connect("-tls1_3")?;
    let output = running.server.wait_for("handshake failed", LIMIT)?;
    let failed: Vec<_> = output.lines().filter(|line| line.contains("handshake failed")).collect();
    assert_eq!(failed.len(), 2, "{output}");
    assert!(failed.iter().all(|line| line.contains("403")), "{output}");
    Ok(())
}

#[test]
fn a_signature_that_takes_too_long_fails_only_its_own_handshake() -> Result<()> {
    let stage = Stage::open(Kind::Ec(Curve::P384))?;
    let running = stage.serve(&[], &[("AKV_TIMEOUT", "1s")])?;
    stage.site.vault().fault(Fault::new(FaultKind::Hang).on(Operation::Sign));
    let line = format!("s_client -brief -connect {}", running.address);
    stage.site.plain().fails(&line)?;
    let output = running.server.wait_for("handshake failed", LIMIT)?;
    assert!(output.contains("timed out"), "{output}");
    running.connect("-tls1_3")?;
    Ok(())
}

#[test]
fn clients_without_a_common_algorithm_are_refused_without_a_request() -> Result<()> {
    let stage = Stage::open(Kind::Ec(Curve::P256))?;
    let running = stage.serve(&[], &[])?;
    stage.site.vault().reset_stats();
    let plain = stage.site.plain();
    for arguments in [
        "-tls1_3 -sigalgs rsa_pss_rsae_sha256",
        "-tls1_2 -cipher AES128-SHA256",
        "-tls1_1 -cipher DEFAULT:@SECLEVEL=0",
    ] {
        running.client(arguments).refused(&plain)?;
    }
    assert_eq!(stage.site.vault().stats().sign, 0);
    running.connect("-tls1_3")?;
    Ok(())
}

#[test]
fn a_key_exchange_by_rsa_is_refused() -> Result<()> {
    let stage = Stage::open(Kind::Rsa)?;
    let running = stage.serve(&[], &[])?;
    running.client("-tls1_2 -cipher AES128-GCM-SHA256").refused(&stage.site.plain())?;
    running.connect("-tls1_2")?;
    Ok(())
}

#[test]
fn a_certificate_of_another_key_is_refused() -> Result<()> {
    let stage = Stage::open(Kind::Rsa)?;
    let other = stage.site.ec(Curve::P256)?;
    let refused = stage.command(&[], &[&stage.certificate, &other, "0"])?.run()?;
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stderr.contains("no certificate of this key"), "{}", refused.describe());
    Ok(())
}

#[test]
fn a_key_that_does_not_exist_is_refused() -> Result<()> {
    let stage = Stage::open(Kind::Rsa)?;
    let missing = stage.site.reference("missing");
    let refused = stage.command(&[], &[&stage.certificate, &missing, "0"])?.run()?;
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stderr.contains("KeyNotFound"), "{}", refused.describe());
    Ok(())
}
