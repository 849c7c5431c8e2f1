//! Applications that get tokens from Microsoft Entra ID, with a secret, a certificate or a
//! federated token.

use std::{
    fs,
    time::{Duration, Instant},
};

use akv_core::{Error, ErrorKind};
use akv_emulator::{Application, Fault, FaultKind, Operation};

use super::{
    file,
    identities::{
        CERTIFICATE, CLIENT_ID, FEDERATED, SECRET, Site, TENANT, application, path, sign,
    },
};

const ALL: [&str; 3] = ["client-secret", "client-certificate", "workload-identity"];

#[test]
fn every_proof_gets_one_token_for_many_operations() {
    for credential in ALL {
        let site = Site::start();
        let key = site.key(credential, &[]).unwrap_or_else(|error| panic!("{error}"));
        for _ in 0..20 {
            sign(&key).unwrap();
        }
        let stats = site.vault.emulator.stats();
        assert_eq!(
            (stats.token_requests, stats.unauthorized, stats.sign),
            (1, 0, 20),
            "{credential}"
        );
    }
}

/// The text of the error, which must show no secret.
#[track_caller]
fn refused(site: &Site, credential: &str, more: &[(&str, &str)]) -> (Error, String) {
    let error = site.key(credential, more).expect_err("a refusal");
    let text = error.to_string();
    assert_eq!(error.kind(), ErrorKind::Credential, "{text}");
    assert!(text.contains(credential) || text.contains("invalid setting"), "{text}");
    for secret in [SECRET, FEDERATED, "wr0ng-s3cret", "BEGIN", "eyJ"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert!(text.len() <= 1000, "{text}");
    (error, text)
}

#[test]
fn a_refusal_names_code_request_and_remedy() {
    let site = Site::start();
    let (_, other_key) = {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let params = rcgen::CertificateParams::new(vec!["app.example".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        (key.serialize_pem(), file(&format!("{}{}", certificate.pem(), key.serialize_pem())))
    };
    let other_token = file("eyJhbGciOiJub25lIn0.eyJzdWIiOiJvdGhlciIsImV4cCI6NDAwMDAwMDAwMH0.c2ln");
    let malformed = file("no token at all");
    let secret = "client-secret";
    let cases = [
        (secret, ("AZURE_CLIENT_SECRET", "wr0ng-s3cret"), 401, "AADSTS7000215", "secret's value"),
        (secret, ("AZURE_TENANT_ID", "contoso.example"), 400, "AADSTS90002", "check tenant-id"),
        (secret, ("AZURE_CLIENT_ID", "nobody"), 400, "AADSTS700016", "check client-id"),
        (
            "client-certificate",
            ("AZURE_CLIENT_CERTIFICATE_PATH", path(&other_key)),
            401,
            "AADSTS700027",
            "register this certificate",
        ),
        (
            "workload-identity",
            ("AZURE_FEDERATED_TOKEN_FILE", path(&other_token)),
            401,
            "AADSTS700213",
            "federated credential",
        ),
        (
            "workload-identity",
            ("AZURE_FEDERATED_TOKEN_FILE", path(&malformed)),
            400,
            "AADSTS50027",
            "malformed",
        ),
    ];
    for (credential, variable, status, code, advice) in cases {
        site.vault.emulator.reset_stats();
        let (error, text) = refused(&site, credential, &[variable]);
        assert_eq!((error.status(), error.code()), (Some(status), Some(code)), "{text}");
        assert!(error.request_id().is_some(), "{text}");
        assert!(text.contains(code) && text.contains(advice), "{text}");
        assert_eq!(
            site.vault.emulator.stats().token_requests,
            1,
            "a refused request is not retried"
        );
    }
}

#[test]
fn a_refused_token_and_a_refused_replacement_are_both_reported() {
    let site = Site::start();
    let key = site.key("client-secret", &[]).unwrap();
    site.vault.emulator.register(Application::new(TENANT, CLIENT_ID)).unwrap();
    site.vault.emulator.revoke_tokens();
    let error = sign(&key).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("token was refused") && text.contains("AADSTS7000215"), "{text}");
    assert!(text.contains("secret's value"), "{text}");
}

#[test]
fn missing_settings_are_named() {
    let site = Site::start();
    for (credential, variable, named) in [
        ("client-secret", "AZURE_TENANT_ID", "tenant-id (AZURE_TENANT_ID)"),
        ("client-certificate", "AZURE_CLIENT_ID", "client-id (AZURE_CLIENT_ID)"),
        ("client-secret", "AZURE_CLIENT_SECRET", "client-secret-file or AZURE_CLIENT_SECRET"),
        ("client-certificate", "AZURE_CLIENT_CERTIFICATE_PATH", "client-certificate-file"),
        ("workload-identity", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_FEDERATED_TOKEN_FILE"),
    ] {
        let (_, text) = refused(&site, credential, &[(variable, "")]);
        assert!(text.contains(named), "{text}");
    }
    let (_, text) = refused(&site, "client-secret", &[("AZURE_TENANT_ID", "a/../b")]);
    assert!(text.contains("invalid tenant ID"), "{text}");
    assert_eq!(site.vault.emulator.stats().token_requests, 0);
}

#[test]
fn a_certificate_is_read_at_load_and_may_come_in_a_chain() {
    let site = Site::start();
    let missing = site.key("client-certificate", &[("AZURE_CLIENT_CERTIFICATE_PATH", "/nowhere")]);
    let error = missing.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Settings, "{error}");
    assert!(error.to_string().contains("/nowhere"), "{error}");

    for chain in ["1", "true", "0"] {
        let chain = [("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN", chain)];
        sign(&site.key("client-certificate", &chain).unwrap()).unwrap();
    }
    let key = site.key("client-certificate", &[]).unwrap();
    // As inside a `chroot`.
    fs::remove_file(site.certificate.path()).unwrap();
    site.vault.emulator.revoke_tokens();
    sign(&key).unwrap();
}

#[test]
fn a_certificate_is_named_in_the_configuration_file_too() {
    use akv_core::{Settings, blocking::Client};
    let site = Site::start();
    let authority = site.vault.emulator.authority();
    let read = |name: &str| (name == "AZURE_AUTHORITY_HOST").then(|| authority.into());
    let settings = [
        ("credential", "client-certificate"),
        ("client-certificate-file", path(&site.certificate)),
        ("tenant-id", TENANT),
        ("client-id", CLIENT_ID),
        ("endpoint", site.vault.emulator.endpoint()),
        ("ca-file", path(&site.vault.ca_file)),
    ]
    .iter()
    .try_fold(Settings::builder(), |builder, (name, value)| builder.option(name, value))
    .and_then(|builder| builder.environment_from(read).build())
    .unwrap();
    let client = Client::new(settings);
    sign(&client.key(&client.reference("vault:myVault:ec").unwrap()).unwrap()).unwrap();
}

#[test]
fn a_rotated_federated_token_is_read_again() {
    let site = Site::start();
    let key = site.key("workload-identity", &[]).unwrap();
    let next = "another federated token";
    let only_next = Application::new(TENANT, CLIENT_ID).federated_token(next);
    site.vault.emulator.register(only_next).unwrap();
    site.vault.emulator.revoke_tokens();
    fs::write(site.federated.path(), next).unwrap();
    sign(&key).unwrap();

    fs::remove_file(site.federated.path()).unwrap();
    let (_, text) = refused(&site, "workload-identity", &[]);
    assert!(text.contains("federated token file") && text.contains("cannot be read"), "{text}");
    assert!(text.contains("chroot"), "{text}");
    for (content, reason) in [(String::new(), "is empty"), ("x".repeat(70_000), "larger than")] {
        let wrong = file(&content);
        let variable = [("AZURE_FEDERATED_TOKEN_FILE", path(&wrong))];
        let (_, text) = refused(&site, "workload-identity", &variable);
        assert!(text.contains(reason), "{text}");
    }
}

#[test]
fn tokens_of_every_application_are_renewed_before_they_expire() {
    std::thread::scope(|scope| {
        for credential in ALL {
            scope.spawn(move || {
                let site = Site::start();
                site.vault.emulator.set_token_lifetime(Duration::from_secs(3));
                let key = site.key(credential, &[]).unwrap();
                let start = Instant::now();
                while start.elapsed() < Duration::from_secs(5) {
                    sign(&key).unwrap();
                }
                let stats = site.vault.emulator.stats();
                let asked = stats.token_requests;
                assert!((2..=8).contains(&asked), "{credential}: {asked} requests");
                assert_eq!(stats.unauthorized, 0, "{credential}");
            });
        }
    });
}

#[test]
fn transient_failures_of_the_authority_are_retried() {
    let site = Site::start();
    let faults = [
        Fault::throttled(),
        Fault::retry_after(503, 1),
        Fault::new(FaultKind::ResetAfterRequest),
        Fault::new(FaultKind::TruncatedBody),
        Fault::new(FaultKind::NotJson),
        Fault::new(FaultKind::EmptyBody),
        Fault::new(FaultKind::WrongShape),
    ];
    for fault in &faults {
        site.vault.emulator.fault(fault.clone().on(Operation::Token));
    }
    let start = Instant::now();
    sign(&site.key("client-secret", &[("AKV_TIMEOUT", "30s")]).unwrap()).unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1), "Retry-After was waited for");
    assert_eq!(site.vault.emulator.stats().token_requests, faults.len() as u64 + 1);
}

#[test]
fn an_unavailable_authority_times_out_at_the_deadline() {
    for fault in [Fault::new(FaultKind::Hang), Fault::status(503)] {
        let site = Site::start();
        site.vault.emulator.fault(fault.on(Operation::Token).forever());
        let start = Instant::now();
        let error = site.key("client-secret", &[("AKV_TIMEOUT", "2s")]).unwrap_err();
        assert!(start.elapsed() < Duration::from_millis(2500), "{:?}", start.elapsed());
        let text = error.to_string();
        assert!(text.contains("client-secret: timed out after"), "{text}");
        assert!(!text.contains(SECRET), "{text}");
    }
}

#[test]
fn a_huge_response_and_a_redirect_are_refused() {
    let site = Site::start();
    let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let location = format!("http://{}/", elsewhere.local_addr().unwrap());
    site.vault.emulator.fault(Fault::redirect(location).on(Operation::Token));
    let (error, text) = refused(&site, "client-secret", &[]);
    assert_eq!(error.status(), Some(302), "{text}");
    elsewhere.set_nonblocking(true).unwrap();
    assert!(elsewhere.accept().is_err(), "no connection");
    let huge = Fault::new(FaultKind::HugeBody { bytes: 100_000_000 });
    site.vault.emulator.fault(huge.on(Operation::Token));
    let (_, text) = refused(&site, "client-secret", &[]);
    assert!(text.contains("larger than"), "{text}");
}

#[test]
fn the_environment_selects_the_authority() {
    let site = Site::start();
    let host = site.vault.emulator.authority().trim_start_matches("https://");
    let slash = format!("https://{host}/");
    for authority in [host, &slash] {
        sign(&site.key("client-secret", &[("AZURE_AUTHORITY_HOST", authority)]).unwrap()).unwrap();
    }
    let requests = site.vault.emulator.stats().token_requests;
    let http = format!("http://{host}");
    for authority in [http.as_str(), "https://user@login.example", "https://"] {
        let wrong = [("AZURE_AUTHORITY_HOST", authority)];
        let error = site.key("client-secret", &wrong).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Settings, "{error}");
        assert!(error.to_string().contains("expected an https URL"), "{error}");
    }
    assert_eq!(site.vault.emulator.stats().token_requests, requests);

    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = format!("https://{closed}");
    let variables = [("AZURE_AUTHORITY_HOST", nobody.as_str()), ("AKV_TIMEOUT", "1s")];
    let text = site.key("client-secret", &variables).unwrap_err().to_string();
    assert!(text.contains(&closed.to_string()), "{text}");
    let variables = [("AZURE_AUTHORITY_HOST", "https://login.invalid"), ("AKV_TIMEOUT", "3s")];
    let text = site.key("client-secret", &variables).unwrap_err().to_string();
    assert!(text.contains("login.invalid"), "{text}");
}

#[test]
fn an_untrusted_authority_gets_no_secret() {
    let site = Site::start();
    let other = Site::start();
    let stranger = [("AZURE_AUTHORITY_HOST", other.vault.emulator.authority())];
    let error = site.key("client-secret", &stranger).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    assert!(error.to_string().contains("ca-file"), "{error}");
    assert_eq!(other.vault.emulator.stats().token_requests, 0);
}

/// The registered certificate must be the one that signs, not any of the right name.
#[test]
fn a_replaced_certificate_is_refused() {
    let site = Site::start();
    let key = site.key("client-certificate", &[]).unwrap();
    sign(&key).unwrap();
    site.vault.emulator.register(Application::new(TENANT, CLIENT_ID).secret(SECRET)).unwrap();
    site.vault.emulator.revoke_tokens();
    let text = sign(&key).unwrap_err().to_string();
    assert!(text.contains("AADSTS700027"), "{text}");
    assert!(!text.contains(CERTIFICATE.1.lines().nth(1).unwrap()), "{text}");
    site.vault.emulator.register(application()).unwrap();
    sign(&site.key("client-certificate", &[]).unwrap()).unwrap();
}
