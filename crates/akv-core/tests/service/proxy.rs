//! The proxy in the environment.

use std::{
    ffi::OsString,
    io::{BufRead as _, BufReader, Write as _, copy},
    net::{Shutdown, TcpListener, TcpStream},
    sync::mpsc::{Receiver, channel},
    thread,
};

use akv_core::{ErrorKind, Settings, SignatureAlgorithm::Es256, blocking::Client};
use akv_emulator::{Curve, NewKey};

use super::{Vault, file};

/// A proxy that tunnels, or responds with another status; returns each request's head.
pub(super) fn proxy(status: &'static str) -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, heads) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap() > 0 {}
            (&stream).write_all(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes()).unwrap();
            let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
            if sender.send(head).is_err() || status != "200 OK" {
                continue;
            }
            tunnel(stream, TcpStream::connect(target).unwrap());
        }
    });
    (port, heads)
}

fn tunnel(client: TcpStream, server: TcpStream) {
    for (from, to) in [(&client, &server), (&server, &client)] {
        let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        thread::spawn(move || {
            let _ = copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        });
    }
}

fn client(vault: &Vault, variables: &[(&str, &str)]) -> akv_core::Result<Client> {
    let token = file(&vault.emulator.token());
    let mut all = vec![
        ("AKV_ENDPOINT", vault.emulator.endpoint()),
        ("AKV_CA_FILE", vault.ca_file.path().to_str().unwrap()),
        ("AKV_ACCESS_TOKEN_FILE", token.path().to_str().unwrap()),
        ("AKV_TIMEOUT", "2s"),
    ];
    all.extend(variables);
    let read = |name: &str| all.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v));
    let client = Client::new(Settings::builder().environment_from(read).build()?);
    // The token is read before its file is removed.
    client.key(&client.reference("vault:myVault:ec")?)?.sign(Es256, &[7; 32]).map(|_| client)
}

#[test]
fn requests_go_through_the_tunnel_of_the_proxy() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
    let (port, heads) = proxy("200 OK");
    let url = format!("http://aladdin:opensesame@127.0.0.1:{port}");
    client(&vault, &[("HTTPS_PROXY", &url)]).unwrap();
    let head = heads.recv().unwrap();
    let server = vault.emulator.endpoint().trim_start_matches("https://");
    assert!(head.starts_with(&format!("CONNECT {server} HTTP/1.1\r\n")), "{head}");
    // "aladdin:opensesame", in the format of RFC 7617.
    assert!(head.to_lowercase().contains("proxy-authorization: basic "), "{head}");
    assert!(head.contains("YWxhZGRpbjpvcGVuc2VzYW1l"), "{head}");
    assert!(!head.contains("Bearer"), "{head}");
    assert_eq!(vault.emulator.stats().sign, 1);
}

#[test]
fn no_proxy_hosts_are_reached_directly() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
    let (port, heads) = proxy("200 OK");
    let url = format!("http://127.0.0.1:{port}");
    let variables = [("https_proxy", url.as_str()), ("no_proxy", "example.org,127.0.0.0/8")];
    client(&vault, &variables).unwrap();
    assert!(heads.try_recv().is_err(), "the proxy was used");
}

#[test]
fn a_proxy_that_refuses_is_named() {
    let vault = Vault::start();
    let (port, _heads) = proxy("407 Proxy Authentication Required");
    let url = format!("http://127.0.0.1:{port}");
    let error = client(&vault, &[("HTTPS_PROXY", &url)]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(error.to_string().contains("the proxy in HTTPS_PROXY"), "{error}");
    assert_eq!(vault.emulator.stats().connections, 0);
}

#[test]
fn an_invalid_proxy_url_is_refused() {
    let vault = Vault::start();
    for url in ["socks5://127.0.0.1:1080", "::", "http://"] {
        let error = client(&vault, &[("HTTPS_PROXY", url)]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Settings, "{url}: {error}");
        assert!(error.to_string().contains("HTTPS_PROXY"), "{url}: {error}");
    }
}
