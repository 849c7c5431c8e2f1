//! Connections are made only to a trusted server of the right name, and only after the reference
//! was checked.

use std::{error::Error as _, io, net::TcpListener, time::Instant};

use akv_core::{ErrorKind, Settings, blocking::Client};
use akv_emulator::NewKey;

use super::{Vault, file};

fn load(options: &[(&str, &str)], reference: &str) -> akv_core::Error {
    let settings = options
        .iter()
        .try_fold(Settings::builder(), |builder, (name, value)| builder.option(name, value))
        .and_then(|builder| builder.build())
        .unwrap();
    let client = Client::new(settings);
    client.reference(reference).and_then(|reference| client.key(&reference)).unwrap_err()
}

#[test]
fn an_untrusted_server_gets_no_request() {
    let vault = Vault::start();
    let token = file("token");
    let options = [
        ("endpoint", vault.emulator.endpoint()),
        ("access-token-file", token.path().to_str().unwrap()),
    ];
    let start = Instant::now();
    let error = load(&options, "vault:myVault:k");
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    assert!(error.to_string().contains("ca-file"), "{error}");
    let source = error.source().and_then(|source| source.downcast_ref::<rustls::Error>());
    assert!(matches!(source, Some(rustls::Error::InvalidCertificate(_))), "{error:?}");
    assert!(start.elapsed().as_secs() < 5, "trying again is of no use");
    assert_eq!(vault.emulator.stats().requests, 0);
}

#[test]
fn a_server_of_another_name_gets_no_request() {
    let vault = Vault::start();
    // The emulator's certificate is for 127.0.0.1 but not 127.0.0.2.
    let port = vault.emulator.endpoint().rsplit(':').next().unwrap().to_owned();
    let listener = format!("https://127.0.0.2:{port}");
    let token = file("token");
    let options = [
        ("endpoint", listener.as_str()),
        ("ca-file", vault.ca_file.path().to_str().unwrap()),
        ("access-token-file", token.path().to_str().unwrap()),
        ("timeout", "2s"),
    ];
    let error = load(&options, "vault:myVault:k");
    // The emulator listens only on 127.0.0.1, so either nothing listens or the name is wrong.
    assert!(matches!(error.kind(), ErrorKind::Tls | ErrorKind::Timeout), "{error}");
    assert_eq!(vault.emulator.stats().requests, 0);
}

#[test]
fn a_self_signed_certificate_named_in_ca_file_is_trusted_for_its_names_only() {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
    for (name, trusted) in [("127.0.0.1", true), ("other.example", false)] {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        // As created by `openssl req -x509`.
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("https://{}", listener.local_addr().unwrap());
        let der = certificate.der().clone();
        let server = std::thread::spawn(move || {
            let key = rustls_pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
            let provider = rustls::crypto::aws_lc_rs::default_provider();
            let config = rustls::ServerConfig::builder_with_provider(provider.into())
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![der], key)
                .unwrap();
            let (mut stream, _) = listener.accept().unwrap();
            let mut connection = rustls::ServerConnection::new(config.into()).unwrap();
            connection.complete_io(&mut stream).map(|_| ()).map_err(|error| error.to_string())
        });
        let ca = file(&certificate.pem());
        let token = file("token");
        let options = [
            ("endpoint", endpoint.as_str()),
            ("ca-file", ca.path().to_str().unwrap()),
            ("access-token-file", token.path().to_str().unwrap()),
            ("timeout", "2s"),
        ];
        let error = load(&options, "vault:myVault:k");
        let handshake = server.join().unwrap();
        assert_eq!(handshake.is_ok(), trusted, "{name}: {handshake:?} {error}");
        assert_eq!(error.kind() != ErrorKind::Tls, trusted, "{name}: {error}");
    }
}

#[test]
fn an_unreachable_server_is_named_within_the_deadline() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let endpoint = format!("https://{closed}");
    let token = file("token");
    let options = [
        ("endpoint", endpoint.as_str()),
        ("access-token-file", token.path().to_str().unwrap()),
        ("timeout", "1s"),
    ];
    let error = load(&options, "vault:myVault:k");
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.to_string().contains(&closed.to_string()), "{error}");
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    let kind = source.map(io::Error::kind);
    assert_eq!(kind, Some(io::ErrorKind::ConnectionRefused), "{error:?}");
}

#[test]
fn invalid_references_are_refused_without_a_request() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::rsa("rsa", 2048)).unwrap();
    for reference in ["vault:myVault:", "vault:ab:k", "vault:myVault:k/../x", "nonsense"] {
        let error = vault.key(&[], reference).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Reference, "{error}");
    }
    assert_eq!(vault.emulator.stats().connections, 0);
}
