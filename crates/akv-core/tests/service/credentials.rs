//! Where tokens come from, how often, and what happens when they are refused.

use std::{ffi::OsString, fs, time::Duration};

use akv_core::{ErrorKind, Settings, SignatureAlgorithm::Es256, blocking::Client};
use akv_emulator::{Curve, Fault, FaultKind, NewKey, Operation};

use super::{Vault, file};

const DIGEST: [u8; 32] = [7; 32];

/// A client with this environment.
fn client(vault: &Vault, variables: &[(&str, &str)]) -> Client {
    let ca = vault.ca_file.path().to_str().unwrap();
    let all: Vec<(String, String)> =
        [("AKV_ENDPOINT", vault.emulator.endpoint()), ("AKV_CA_FILE", ca)]
            .iter()
            .chain(variables)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
    let read =
        |name: &str| all.iter().find(|(n, _)| n == name).map(|(_, value)| OsString::from(value));
    Client::new(Settings::builder().environment_from(read).build().unwrap())
}

fn sign_often(client: &Client, times: usize) {
    let key = client.key(&client.reference("vault:myVault:ec").unwrap()).unwrap();
    for _ in 0..times {
        key.sign(Es256, &DIGEST).unwrap();
    }
}

#[test]
fn one_token_serves_many_operations_of_a_managed_identity() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
    let machine =
        [("AKV_CREDENTIAL", "managed-identity"), ("IMDS_ENDPOINT", vault.emulator.imds_endpoint())];
    sign_often(&client(&vault, &machine), 50);
    assert_eq!(vault.emulator.stats().token_requests, 1);

    vault.emulator.reset_stats();
    let service = [
        ("AKV_CREDENTIAL", "managed-identity"),
        ("IDENTITY_ENDPOINT", vault.emulator.identity_endpoint()),
        ("IDENTITY_HEADER", vault.emulator.identity_header()),
    ];
    sign_often(&client(&vault, &service), 50);
    assert_eq!(vault.emulator.stats().token_requests, 1);
}

#[test]
fn auto_finds_the_managed_identity_and_lists_reasons_when_nothing_works() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
    sign_often(&client(&vault, &[("IMDS_ENDPOINT", vault.emulator.imds_endpoint())]), 2);

    // A port without a listener.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nothing = client(&vault, &[("IMDS_ENDPOINT", &format!("http://{closed}"))]);
    let error = nothing.key(&nothing.reference("vault:myVault:ec").unwrap()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credential);
    let text = error.to_string();
    for reason in [
        "access-token: needs access-token-file",
        "client-secret: needs tenant-id",
        "workload-identity: needs tenant-id",
        "managed-identity: managed identity at 127.0.0.1",
        "azure-cli:",
        "azure-developer-cli:",
    ] {
        assert!(text.contains(reason), "{reason} is not in {text}");
    }
    assert!(text.len() <= 1000);
}

#[test]
fn requests_to_a_busy_identity_endpoint_are_retried() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
    for status in [404, 410, 429, 500] {
        vault.emulator.fault(Fault::status(status).on(Operation::Token));
    }
    let variables = [("IMDS_ENDPOINT", vault.emulator.imds_endpoint())];
    sign_often(&client(&vault, &variables), 1);
    assert_eq!(vault.emulator.stats().token_requests, 5);
}

#[test]
fn a_revoked_token_is_replaced_once_and_the_operation_succeeds() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
    let client = client(&vault, &[("IMDS_ENDPOINT", vault.emulator.imds_endpoint())]);
    let key = client.key(&client.reference("vault:myVault:ec").unwrap()).unwrap();
    vault.emulator.revoke_tokens();
    vault.emulator.reset_stats();
    key.sign(Es256, &DIGEST).unwrap();
    let stats = vault.emulator.stats();
    assert_eq!((stats.unauthorized, stats.token_requests, stats.sign), (1, 1, 1));
}

#[test]
fn a_rotated_token_file_is_read_again_after_a_refusal() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
    let key = vault.key(&[], "vault:myVault:ec").unwrap();
    vault.emulator.revoke_tokens();
    fs::write(vault.token_file.path(), vault.emulator.token()).unwrap();
    key.sign(Es256, &DIGEST).unwrap();
}

#[test]
fn short_lived_tokens_are_renewed_without_failures() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
    // Expiry times are whole seconds, so tokens live up to a second less.
    vault.emulator.set_token_lifetime(Duration::from_secs(3));
    let client = client(&vault, &[("IMDS_ENDPOINT", vault.emulator.imds_endpoint())]);
    let key = client.key(&client.reference("vault:myVault:ec").unwrap()).unwrap();
    let start = std::time::Instant::now();
    while start.elapsed() < Duration::from_secs(6) {
        key.sign(Es256, &DIGEST).unwrap();
    }
    let stats = vault.emulator.stats();
    assert!((3..=12).contains(&stats.token_requests), "{} token requests", stats.token_requests);
    assert_eq!(stats.unauthorized, 0);
}

#[test]
fn a_token_is_renewed_before_it_expires_without_an_operation() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
    vault.emulator.set_token_lifetime(Duration::from_secs(4));
    let client = client(&vault, &[("IMDS_ENDPOINT", vault.emulator.imds_endpoint())]);
    let key = client.key(&client.reference("vault:myVault:ec").unwrap()).unwrap();
    let start = std::time::Instant::now();
    while vault.emulator.stats().token_requests < 2 {
        assert!(start.elapsed() < Duration::from_secs(4), "the first token is at its end");
        std::thread::park_timeout(Duration::from_millis(2));
    }
    key.sign(Es256, &DIGEST).unwrap();
    assert_eq!(vault.emulator.stats().token_requests, 2, "the signature did not wait for one");
}

#[test]
fn a_failed_renewal_keeps_the_token_until_it_expires() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
    vault.emulator.set_token_lifetime(Duration::from_secs(6));
    let client = client(&vault, &[("IMDS_ENDPOINT", vault.emulator.imds_endpoint())]);
    let key = client.key(&client.reference("vault:myVault:ec").unwrap()).unwrap();
    let start = std::time::Instant::now();
    vault.emulator.fault(Fault::status(400).on(Operation::Token).times(1));
    // The second request is refused, the third one, a second later, succeeds.
    while vault.emulator.stats().token_requests < 3 {
        assert!(start.elapsed() < Duration::from_secs(6), "the first token is at its end");
        key.sign(Es256, &DIGEST).unwrap();
    }
    key.sign(Es256, &DIGEST).unwrap();
    assert_eq!(vault.emulator.stats().unauthorized, 0);
}

#[test]
fn a_refused_token_without_replacement_reports_the_request_id() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
    let client = client(&vault, &[("IMDS_ENDPOINT", vault.emulator.imds_endpoint())]);
    let key = client.key(&client.reference("vault:myVault:ec").unwrap()).unwrap();
    vault.emulator.revoke_tokens();
    vault.emulator.fault(Fault::status(400).on(Operation::Token).forever());
    let error = key.sign(Es256, &DIGEST).unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Credential, Some(401)), "{error}");
    assert!(error.request_id().is_some(), "{error}");
    let text = error.to_string();
    assert!(text.contains("token was refused") && text.contains("managed identity at"), "{text}");
}

#[test]
fn a_bad_token_gives_advice_and_is_not_shown() {
    let vault = Vault::start();
    let token = file("s3cret-token");
    let path = token.path().to_str().unwrap();
    let error = vault.key(&[("access-token-file", path)], "vault:myVault:ec").unwrap_err();
    assert_eq!(error.status(), Some(401));
    let text = error.to_string();
    assert!(text.contains("get a new access token") && !text.contains("s3cret"), "{text}");
    assert!(
        text.contains("contains no other") && text.contains("write it into the file"),
        "{text}"
    );
}

#[test]
fn a_token_of_the_environment_cannot_be_renewed() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
    let client = client(&vault, &[("AZURE_CLI_ACCESS_TOKEN", &vault.emulator.token())]);
    let reference = client.reference("vault:myVault:ec").unwrap();
    let key = client.key(&reference).unwrap();
    vault.emulator.revoke_tokens();
    vault.emulator.reset_stats();
    for error in [key.sign(Es256, &DIGEST).unwrap_err(), client.key(&reference).unwrap_err()] {
        assert_eq!((error.kind(), error.status()), (ErrorKind::Service, Some(401)), "{error}");
        assert!(error.request_id().is_some(), "{error}");
        let text = error.to_string();
        for part in ["the access token was refused", "cannot be renewed", "restart the program"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
    assert_eq!(vault.emulator.stats().unauthorized, 2, "the same token is not tried twice");
}

#[test]
fn a_second_consecutive_refusal_has_its_own_error() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
    // Once for a request on the fast path, and once for one of the official client.
    for short in [true, false] {
        let client = client(&vault, &[("IMDS_ENDPOINT", vault.emulator.imds_endpoint())]);
        let reference = client.reference("vault:myVault:ec").unwrap();
        let key = client.key(&reference).unwrap();
        let ask = || match short {
            true => key.sign(Es256, &DIGEST).unwrap_err(),
            false => client.key(&reference).unwrap_err(),
        };
        vault.emulator.reset_stats();
        vault.emulator.fault(Fault::new(FaultKind::Unauthorized).forever());
        // The second operation does not request another token.
        for refused in [2, 3] {
            let error = ask();
            assert_eq!((error.kind(), error.status()), (ErrorKind::Service, Some(401)), "{error}");
            let text = error.to_string();
            for part in ["two access tokens in a row were refused", "managed-identity", "tenant"] {
                assert!(text.contains(part), "{part}: {text}");
            }
            let stats = vault.emulator.stats();
            assert_eq!((stats.unauthorized, stats.token_requests), (refused, 1), "{text}");
        }
        vault.emulator.clear_faults();
    }
}
