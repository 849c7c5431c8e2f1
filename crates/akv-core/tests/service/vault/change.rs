//! Creating and rotating keys must not happen twice, whatever goes wrong.

use std::net::TcpListener;

use akv_core::{Curve, ErrorKind, NewKey};
use akv_emulator::{Curve as EmulatedCurve, Fault, FaultKind, NewKey as Emulated, Operation};

use super::{Vault, open, versions};

/// The results of a create and a rotate with a fault.
fn changes(kind: &FaultKind, on_connection: bool, times: Option<u32>) -> Vec<(Operation, Outcome)> {
    [Operation::CreateKey, Operation::RotateKey]
        .into_iter()
        .map(|operation| {
            let vault = Vault::start();
            let made = open(&vault, &[("timeout", "2s")], "vault:myVault:");
            if operation == Operation::RotateKey {
                vault.emulator.create_key(Emulated::ec("ec", EmulatedCurve::P256)).unwrap();
            }
            let fault = Fault::new(kind.clone());
            let fault = if on_connection { fault } else { fault.on(operation) };
            vault.emulator.fault(times.map_or(fault.clone().forever(), |n| fault.times(n)));
            let error = match operation {
                Operation::CreateKey => made.create("ec", NewKey::ec(Curve::P256)).err(),
                _ => made.rotate("ec").err(),
            };
            vault.emulator.clear_faults();
            let sent = vault.emulator.stats().operation(operation);
            let before = usize::from(operation == Operation::RotateKey);
            let after = match made.versions("ec").unwrap().collect::<Result<Vec<_>, _>>() {
                Ok(versions) => versions.len(),
                Err(error) if error.status() == Some(404) => 0,
                Err(error) => panic!("{error}"),
            };
            (operation, Outcome { error, sent, made: after - before })
        })
        .collect()
}

struct Outcome {
    error: Option<akv_core::Error>,
    /// Requests that reached the service.
    sent: u64,
    /// Versions that were created.
    made: usize,
}

#[test]
fn changes_that_were_certainly_not_executed_are_retried() {
    for (kind, on_connection, sent) in [
        (FaultKind::Status { status: 429, retry_after: None }, false, 3),
        (FaultKind::ResetOnAccept, true, 1),
    ] {
        for (operation, outcome) in changes(&kind, on_connection, Some(2)) {
            assert!(outcome.error.is_none(), "{kind:?} × {operation:?}: {:?}", outcome.error);
            assert_eq!((outcome.sent, outcome.made), (sent, 1), "{kind:?} × {operation:?}");
        }
    }
}

#[test]
fn uncertain_changes_are_reported_and_not_retried() {
    for (kind, made) in [
        (FaultKind::Status { status: 408, retry_after: None }, 0),
        (FaultKind::Status { status: 500, retry_after: None }, 0),
        (FaultKind::Status { status: 503, retry_after: Some(1) }, 0),
        (FaultKind::ResetAfterRequest, 0),
        (FaultKind::Hang, 0),
        (FaultKind::TruncatedBody, 1),
        (FaultKind::EmptyBody, 1),
        (FaultKind::NotJson, 1),
        (FaultKind::WrongShape, 1),
        (FaultKind::HugeBody { bytes: 3_000_000 }, 1),
    ] {
        for (operation, outcome) in changes(&kind, false, None) {
            let error = outcome.error.expect("an error");
            assert!(error.may_have_happened(), "{kind:?} × {operation:?}: {error}");
            let line = error.to_string();
            assert!(line.contains("may have been executed"), "{line}");
            assert_eq!((outcome.sent, outcome.made), (1, made), "{kind:?} × {operation:?}");
        }
    }
}

#[test]
fn refused_changes_are_not_uncertain() {
    for (kind, sent) in [
        (FaultKind::Forbidden, 1),
        (FaultKind::Status { status: 400, retry_after: None }, 1),
        (FaultKind::Status { status: 409, retry_after: None }, 1),
        // The token file contains the same token, so a retry does not help.
        (FaultKind::Unauthorized, 1),
        (FaultKind::Redirect { location: "https://evil.example/".into() }, 1),
        (FaultKind::Status { status: 429, retry_after: Some(60) }, 1),
    ] {
        for (operation, outcome) in changes(&kind, false, None) {
            let error = outcome.error.expect("an error");
            assert!(!error.may_have_happened(), "{kind:?} × {operation:?}: {error}");
            assert_eq!(
                (outcome.sent, outcome.made),
                (sent, 0),
                "{kind:?} × {operation:?}: {error}"
            );
        }
    }
    // No server listens.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let vault = Vault::start();
    let endpoint = format!("https://{closed}");
    let made = open(&vault, &[("endpoint", &endpoint), ("timeout", "1s")], "vault:myVault:");
    let error = made.create("ec", NewKey::ec(Curve::P256)).unwrap_err();
    assert_eq!((error.kind(), error.may_have_happened()), (ErrorKind::Timeout, false), "{error}");
}

#[test]
fn a_refused_token_is_replaced_once_for_a_change() {
    let vault = Vault::start();
    let made = open(&vault, &[], "vault:myVault:");
    made.create("ec", NewKey::ec(Curve::P256)).unwrap();
    let old = std::fs::read_to_string(vault.token_file.path()).unwrap();
    vault.emulator.revoke_token(&old);
    std::fs::write(vault.token_file.path(), vault.emulator.token()).unwrap();
    made.create("ec", NewKey::ec(Curve::P256)).unwrap();
    made.rotate("ec").unwrap();
    assert_eq!(versions(&made, "ec"), 3);
}
