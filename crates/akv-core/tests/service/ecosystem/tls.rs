//! rustls handshakes with signatures from the vault.

use std::{
    io::Write as _,
    net::TcpListener,
    process::{Command, Stdio},
    sync::Arc,
};

use akv_core::{ErrorKind, blocking::Key, tls};
use akv_emulator::{Curve, Fault, FaultKind, NewKey, Operation};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection,
    SupportedProtocolVersion,
    crypto::aws_lc_rs,
    sign::{CertifiedKey, SingleCertAndKey},
    version,
};
use rustls_pki_types::{CertificateDer, ServerName};

use super::{Vault, self_signed};
use crate::openssl::Openssl;

fn key(vault: &Vault, new: NewKey) -> Key {
    let id = vault.emulator.create_key(new).unwrap();
    vault.key(&[("timeout", "2s")], &format!("vault:myVault:{}", id.name)).unwrap()
}

fn server(key: &Key, chain: Vec<CertificateDer<'static>>) -> Arc<ServerConfig> {
    server_config(tls::certified_key(key, chain).unwrap())
}

pub(super) fn server_config(certified: CertifiedKey) -> Arc<ServerConfig> {
    let config = ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    Arc::new(config)
}

pub(super) fn roots(certificate: CertificateDer<'static>) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    roots
}

pub(super) fn client(
    certificate: CertificateDer<'static>,
    version: &'static SupportedProtocolVersion,
) -> Arc<ClientConfig> {
    let config = ClientConfig::builder_with_provider(aws_lc_rs::default_provider().into())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots(certificate))
        .with_no_client_auth();
    Arc::new(config)
}

/// Runs both sides of a handshake in memory.
pub(super) fn handshake(
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
) -> Result<(), rustls::Error> {
    let name = ServerName::try_from("localhost").unwrap();
    let mut server = ServerConnection::new(server).unwrap();
    let mut client = ClientConnection::new(client, name).unwrap();
    while client.is_handshaking() || server.is_handshaking() {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).unwrap();
        server.read_tls(&mut &wire[..]).unwrap();
        server.process_new_packets()?;
        let mut wire = Vec::new();
        server.write_tls(&mut wire).unwrap();
        client.read_tls(&mut &wire[..]).unwrap();
        client.process_new_packets()?;
    }
    Ok(())
}

#[test]
fn every_kind_of_key_serves_with_both_versions() {
    let vault = Vault::start();
    for new in [
        NewKey::rsa("rsa", 2048),
        NewKey::ec("p256", Curve::P256),
        NewKey::ec("p384", Curve::P384),
        NewKey::ec("p521", Curve::P521),
    ] {
        let key = key(&vault, new);
        let certificate = self_signed(&key);
        let server = server(&key, vec![certificate.clone()]);
        for version in [&version::TLS13, &version::TLS12] {
            vault.emulator.reset_stats();
            handshake(Arc::clone(&server), client(certificate.clone(), version)).unwrap();
            let stats = vault.emulator.stats();
            assert_eq!((stats.sign, stats.requests), (1, 1), "{key:?}");
        }
    }
}

#[test]
fn openssl_connects_to_a_server_without_a_private_key() {
    let vault = Vault::start();
    let openssl = Openssl::new();
    for new in [NewKey::rsa("rsa", 2048), NewKey::ec("p256", Curve::P256)] {
        let key = key(&vault, new);
        let certificate = self_signed(&key);
        openssl.write("site.der", &certificate);
        openssl.run(&["x509", "-in", "site.der", "-inform", "DER", "-out", "site.pem"]);
        let config = server(&key, vec![certificate]);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let serving = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut connection = ServerConnection::new(config).unwrap();
            connection.complete_io(&mut stream).unwrap();
            connection.writer().write_all(b"signed in the vault\n").unwrap();
            connection.send_close_notify();
            while connection.wants_write() {
                connection.write_tls(&mut stream).unwrap();
            }
        });
        let arguments = ["s_client", "-connect", &address, "-CAfile", "site.pem", "-quiet"];
        let output = Command::new("openssl")
            .args(arguments)
            .args(["-verify_return_error", "-verify_hostname", "localhost"])
            .current_dir(openssl.folder())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        serving.join().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("signed in the vault"), "{text} {output:?}");
    }
}

#[test]
fn a_client_may_have_its_key_in_the_vault() {
    let vault = Vault::start();
    let (server_key, client_key) =
        (key(&vault, NewKey::ec("server", Curve::P256)), key(&vault, NewKey::rsa("client", 2048)));
    let (server_cert, client_cert) = (self_signed(&server_key), self_signed(&client_key));
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(
        Arc::new(roots(client_cert.clone())),
        Arc::clone(&provider),
    );
    let certified = |key: &Key, certificate| {
        Arc::new(SingleCertAndKey::from(tls::certified_key(key, vec![certificate]).unwrap()))
    };
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_cert_resolver(certified(&server_key, server_cert.clone()));
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots(server_cert))
        .with_client_cert_resolver(certified(&client_key, client_cert));
    vault.emulator.reset_stats();
    handshake(server.into(), client.into()).unwrap();
    assert_eq!(vault.emulator.stats().sign, 2);
}

#[test]
fn mismatched_keys_and_certificates_are_refused_before_any_handshake() {
    let vault = Vault::start();
    let one = key(&vault, NewKey::ec("one", Curve::P256));
    let other = key(&vault, NewKey::ec("other", Curve::P256));
    let koblitz = key(&vault, NewKey::ec("koblitz", Curve::P256K));
    let error = tls::certified_key(&one, vec![self_signed(&other)]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    assert!(error.to_string().contains("does not belong to vault:myVault:one:"), "{error}");
    assert_eq!(tls::certified_key(&one, vec![]).unwrap_err().kind(), ErrorKind::Argument);
    assert_eq!(tls::SigningKey::new(&koblitz).unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn a_handshake_without_a_signature_fails_with_the_services_reason() {
    let vault = Vault::start();
    let key = key(&vault, NewKey::ec("ec", Curve::P256));
    let certificate = self_signed(&key);
    let server = server(&key, vec![certificate.clone()]);
    vault.emulator.fault(Fault::new(FaultKind::Forbidden).on(Operation::Sign));
    let error = handshake(server, client(certificate, &version::TLS13)).unwrap_err();
    assert!(error.to_string().contains("HTTP 403"), "{error}");
}
