//! Every failure of the service and the network, for loading, signing, decrypting, wrapping and
//! unwrapping: each operation returns the right result or the right error within the deadline.

use std::time::{Duration, Instant};

use akv_core::{
    EncryptionAlgorithm::RsaOaep256,
    Error, ErrorKind,
    SignatureAlgorithm::Rs256,
    blocking::{Client, Key},
};
use akv_emulator::{Fault, FaultKind, NewKey, Operation};

use super::{Vault, encrypt};

const DIGEST: [u8; 32] = [7; 32];
const OPERATIONS: [Operation; 5] = [
    Operation::GetKey,
    Operation::Sign,
    Operation::Decrypt,
    Operation::WrapKey,
    Operation::UnwrapKey,
];

/// The result of one run of an operation.
fn run(client: &Client, key: &Key, operation: Operation) -> Result<(), Error> {
    match operation {
        Operation::GetKey => client.key(&client.reference("vault:myVault:rsa")?).map(drop),
        Operation::Sign => {
            let signature = key.sign(Rs256, &DIGEST)?;
            key.public_key().verify_digest(Rs256, &DIGEST, &signature)
        }
        Operation::WrapKey => {
            let wrapped = key.wrap_key(RsaOaep256, b"plain")?;
            assert_eq!(key.decrypt(RsaOaep256, &wrapped)?.as_slice(), b"plain");
            Ok(())
        }
        _ => {
            let ciphertext = encrypt(key.public_key(), b"plain");
            let plaintext = match operation {
                Operation::Decrypt => key.decrypt(RsaOaep256, &ciphertext)?,
                _ => key.unwrap_key(RsaOaep256, &ciphertext)?,
            };
            assert_eq!(plaintext.as_slice(), b"plain");
            Ok(())
        }
    }
}

#[test]
fn transient_failures_are_retried() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::rsa("rsa", 2048)).unwrap();
    let kinds = [
        FaultKind::Status { status: 408, retry_after: None },
        FaultKind::Status { status: 429, retry_after: None },
        FaultKind::Status { status: 429, retry_after: Some(1) },
        FaultKind::Status { status: 500, retry_after: None },
        FaultKind::Status { status: 503, retry_after: None },
        FaultKind::Unauthorized,
        FaultKind::ResetOnAccept,
        FaultKind::ResetBeforeRequest,
        FaultKind::ResetAfterRequest,
        FaultKind::TruncatedBody,
        FaultKind::EmptyBody,
        FaultKind::NotJson,
        FaultKind::WrongShape,
        FaultKind::WrongContentType,
        FaultKind::HugeBody { bytes: 3_000_000 },
        FaultKind::SlowBody { millis: 300 },
        FaultKind::CloseConnection,
    ];
    for kind in kinds {
        for operation in OPERATIONS {
            // A new client, so that each row begins with a new connection.
            let client = vault.client(&[("timeout", "5s")]);
            let key = vault.key(&[("timeout", "5s")], "vault:myVault:rsa").unwrap();
            let fault = Fault::new(kind.clone()).times(2);
            let on_connection =
                matches!(kind, FaultKind::ResetOnAccept | FaultKind::ResetBeforeRequest);
            vault.emulator.fault(if on_connection { fault } else { fault.on(operation) });
            // A refused token is replaced once: the token file contains the same token, so one
            // refusal ends the operation. Two would too.
            let start = Instant::now();
            let result = run(&client, &key, operation);
            let took = start.elapsed();
            vault.emulator.clear_faults();
            println!("{kind:?} × {operation:?}: {took:?} {result:?}");
            if kind == FaultKind::Unauthorized {
                assert_eq!(result.unwrap_err().status(), Some(401));
            } else {
                result.unwrap_or_else(|error| panic!("{kind:?} × {operation:?}: {error}"));
            }
            assert!(took < Duration::from_secs(6));
        }
    }
}

#[test]
fn lasting_failures_time_out_with_their_reason() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::rsa("rsa", 2048)).unwrap();
    for (kind, reason) in [
        (FaultKind::Hang, "did not respond"),
        (FaultKind::Status { status: 503, retry_after: None }, "HTTP 503"),
        (FaultKind::Status { status: 429, retry_after: Some(60) }, "HTTP 429"),
        (FaultKind::NotJson, "invalid response"),
        (FaultKind::WrongShape, "invalid response"),
        (FaultKind::EmptyBody, "invalid response"),
        (FaultKind::ResetAfterRequest, "no response from 127.0.0.1"),
    ] {
        let settings = [("timeout", "1s")];
        let ready = OPERATIONS.map(|operation| {
            let key = vault.key(&settings, "vault:myVault:rsa").unwrap();
            (operation, vault.client(&settings), key)
        });
        for operation in OPERATIONS {
            vault.emulator.fault(Fault::new(kind.clone()).on(operation).forever());
        }
        // Concurrently, since each takes its whole deadline.
        std::thread::scope(|scope| {
            for (operation, client, key) in &ready {
                let kind = &kind;
                scope.spawn(move || {
                    let start = Instant::now();
                    let error = run(client, key, *operation).unwrap_err();
                    let took = start.elapsed();
                    println!("{kind:?} × {operation:?}: {took:?} {error}");
                    assert_eq!(error.kind(), ErrorKind::Timeout, "{kind:?}: {error}");
                    assert!(error.to_string().contains(reason), "{kind:?}: {error}");
                    assert!(took < Duration::from_millis(1600), "{kind:?} took {took:?}");
                });
            }
        });
        vault.emulator.clear_faults();
    }
}

#[test]
fn refusals_are_not_retried_and_contain_advice() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::rsa("rsa", 2048)).unwrap();
    let key = vault.key(&[], "vault:myVault:rsa").unwrap();
    for (kind, text) in [
        (FaultKind::Forbidden, "HTTP 403"),
        (FaultKind::Status { status: 400, retry_after: None }, "HTTP 400"),
        (FaultKind::Redirect { location: "https://evil.example/".into() }, "HTTP 302"),
    ] {
        vault.emulator.reset_stats();
        vault.emulator.fault(Fault::new(kind).on(Operation::Sign).forever());
        let error = key.sign(Rs256, &DIGEST).unwrap_err();
        vault.emulator.clear_faults();
        let line = error.to_string();
        assert_eq!(error.kind(), ErrorKind::Service, "{line}");
        assert!(line.starts_with("cannot sign (RS256) with vault:myVault:rsa: "), "{line}");
        assert!(line.contains(text), "{line}");
        assert_eq!(vault.emulator.stats().sign, 1, "{line}");
    }
}

#[test]
fn an_invalid_signature_never_leaves_the_library() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::rsa("rsa", 2048)).unwrap();
    let key = vault.key(&[], "vault:myVault:rsa").unwrap();
    vault.emulator.fault(Fault::new(FaultKind::WrongSignature).on(Operation::Sign));
    assert_eq!(key.sign(Rs256, &DIGEST).unwrap_err().kind(), ErrorKind::Signature);

    let unchecked = vault.key(&[("verify-signatures", "no")], "vault:myVault:rsa").unwrap();
    vault.emulator.fault(Fault::new(FaultKind::WrongSignature).on(Operation::Sign));
    assert!(unchecked.sign(Rs256, &DIGEST).is_ok());
}

#[test]
fn unknown_keys_and_keys_that_must_not_sign_are_named() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::rsa("off", 2048).enabled(false)).unwrap();
    vault.emulator.create_key(NewKey::rsa("enc", 2048).key_ops(["encrypt", "decrypt"])).unwrap();
    let error = vault.key(&[], "vault:myVault:nothing").unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(404), Some("KeyNotFound")), "{error}");
    assert!(
        error.to_string().starts_with("cannot load vault:myVault:nothing: HTTP 404"),
        "{error}"
    );
    assert!(error.request_id().is_some());
    let off = vault.key(&[], "vault:myVault:off").and_then(|key| key.sign(Rs256, &DIGEST));
    assert_eq!(off.unwrap_err().status(), Some(403));
    let enc = vault.key(&[], "vault:myVault:enc").and_then(|key| key.sign(Rs256, &DIGEST));
    assert_eq!(enc.unwrap_err().status(), Some(403));
}
