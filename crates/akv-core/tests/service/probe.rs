//! The connection to a vault, step by step.

use std::{ffi::OsString, sync::Arc};

use akv_core::{
    Client, Settings,
    probe::{CredentialProbe, ServerProbe},
    settings::CredentialKind,
};
use akv_emulator::{Curve, NewKey};
use tempfile::NamedTempFile;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

use super::{Vault, file, proxy::proxy};

fn client(vault: &Vault, ca: &NamedTempFile, proxy: Option<&str>) -> Client {
    let text = |file: &NamedTempFile| file.path().to_str().unwrap().to_owned();
    let (endpoint, ca, token) =
        (vault.emulator.endpoint().to_owned(), text(ca), text(&vault.token_file));
    let mut all =
        vec![("AKV_ENDPOINT", endpoint), ("AKV_CA_FILE", ca), ("AKV_ACCESS_TOKEN_FILE", token)];
    all.extend(proxy.map(|url| ("HTTPS_PROXY", url.to_owned())));
    let read = |name: &str| all.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v));
    Client::new(Settings::builder().environment_from(read).build().unwrap())
}

/// All steps, including a signature.
async fn walk(client: &Client) -> (ServerProbe, CredentialProbe) {
    let reference = client.reference("vault:myVault:ec").unwrap();
    let mut server = client.probe_server(&reference).await.unwrap();
    let answer = server.answer.as_ref().unwrap_or_else(|| panic!("{server:?}"));
    assert_eq!(answer.outcome.as_ref().unwrap().status, 401);
    let mut credentials = client.probe_credentials(&reference).await.unwrap();
    let given = credentials.pop().unwrap();
    let key = client.key(&reference).await.unwrap();
    let algorithm = akv_core::SignatureAlgorithm::Es256;
    let times = server.sign(&key, algorithm, &[7; 32], &given).await.unwrap();
    assert!(times.first_byte <= times.whole);
    (server, given)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_direct_probe_opens_one_connection() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
    let client = client(&vault, &vault.ca_file, None);
    let (server, given) = walk(&client).await;
    assert_eq!(server.proxy, None);
    assert_eq!(given.kind, CredentialKind::AccessToken);
    assert_eq!(given.step.outcome.unwrap().audience.as_deref(), Some("https://vault.azure.net"));
    // The other one is the client's, for the key.
    assert_eq!(vault.emulator.stats().connections, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_is_named_and_tunnelled() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
    let (port, heads) = proxy("200 OK");
    let url = format!("http://aladdin:opensesame@127.0.0.1:{port}");
    let (server, _) = walk(&client(&vault, &vault.ca_file, Some(&url))).await;
    // Without the password.
    assert_eq!(server.proxy, Some(format!("127.0.0.1:{port}")));
    assert!(heads.recv().unwrap().contains("YWxhZGRpbjpvcGVuc2VzYW1l"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_behind_tls_is_tunnelled() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = certificate.self_signed(&key).unwrap();
    let der = rustls_pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let config = rustls::ServerConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], der)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(tls_proxy(listener, TlsAcceptor::from(Arc::new(config))));
    let ca = file(&format!("{}{}", vault.emulator.ca_pem(), certificate.pem()));
    let (server, _) = walk(&client(&vault, &ca, Some(&url))).await;
    assert_eq!(server.proxy.as_deref(), url.strip_prefix("https://"));
}

async fn tls_proxy(listener: TcpListener, acceptor: TlsAcceptor) {
    while let Ok((stream, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            let mut stream = BufReader::new(acceptor.accept(stream).await.unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).await.unwrap() > 0 {}
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            let target = head.split(' ').nth(1).unwrap();
            let mut server = TcpStream::connect(target).await.unwrap();
            let _ = copy_bidirectional(&mut stream, &mut server).await;
        });
    }
}
