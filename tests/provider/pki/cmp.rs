//! `openssl cmp`: certificates over the certificate management protocol, with a peer that uses
//! plain OpenSSL.

use std::time::Duration;

use akv_emulator::Curve;
use akv_tests::{OpenSsl, Server};
use anyhow::Result;

use super::{Identity, Pki};

pub(super) const LIMIT: Duration = Duration::from_secs(60);

/// The port on which `openssl cmp` and `openssl ocsp` listen: `ACCEPT [::]:46031 PID=4135`.
pub(super) fn port_of(line: &str) -> Option<u16> {
    let address = line.strip_prefix("ACCEPT ")?.split_whitespace().next()?;
    address.rsplit(':').next()?.parse().ok()
}

/// A server that returns one certificate for every request.
fn serve(
    openssl: &OpenSsl,
    pki: &Pki,
    server: &Identity,
    certificate: &str,
) -> Result<(Server, u16)> {
    let line = format!(
        "cmp -port 0 -srv_cert {} -srv_key {} -srv_trusted {} -rsp_cert {certificate} \
         -max_msgs 0 -verbosity 6",
        server.certificate, server.key, pki.root
    );
    Server::start(openssl.task(line.split_whitespace()), LIMIT, port_of)
}

/// An identity with its key in a file, for plain OpenSSL.
fn plain_identity(pki: &Pki, name: &str) -> Result<Identity> {
    let site = &pki.site;
    let (key, request, certificate) = (
        site.text(&format!("{name}.key")),
        site.text(&format!("{name}.csr")),
        site.text(&format!("{name}.pem")),
    );
    site.plain().ok(&format!(
        "req -newkey rsa:2048 -nodes -keyout {key} -subj /CN={name} -out {request}"
    ))?;
    site.openssl().ok(&format!(
        "x509 -req -in {request} -CA {} -CAkey {} -days 2 -out {certificate}",
        pki.root, pki.root_key
    ))?;
    Ok(Identity { certificate, key })
}

fn enrol(pki: &Pki, port: u16, command: &str, client: &Identity, key: &str) -> String {
    let Identity { certificate, key: signing } = client;
    format!(
        "cmp -cmd {command} -server 127.0.0.1:{port} -trusted {} -cert {certificate} \
         -key {signing} -newkey {key} -subject /CN=enrolled -certout {}",
        pki.root,
        pki.site.text("enrolled.pem")
    )
}

#[test]
fn a_client_enrols_with_keys_of_the_vault() -> Result<()> {
    let pki = Pki::start()?;
    let site = &pki.site;
    let server = plain_identity(&pki, "cmp-server")?;
    for (client, name) in [(pki.rsa("cmp-rsa")?, "rsa"), (pki.ec("cmp-ec")?, "ec")] {
        let fresh = pki.certify(&site.ec(Curve::P521)?, &format!("cmp-new-{name}"), "")?;
        let (running, port) = serve(&site.plain(), &pki, &server, &fresh.certificate)?;
        for command in ["ir", "cr"] {
            let before = site.vault().stats().sign;
            site.openssl().ok(&enrol(&pki, port, command, &client, &fresh.key))?;
            assert_eq!(
                site.read("enrolled.pem")?.trim(),
                pem(&site.read(&format!("cmp-new-{name}.pem"))?),
                "{command}"
            );
            // The request, the proof of possession of the new key, the confirmation.
            let signed = site.vault().stats().sign - before;
            assert_eq!(signed, 3, "{command}: {}", running.output());
        }
    }
    Ok(())
}

fn pem(text: &str) -> &str {
    text.find("-----BEGIN").map_or(text, |start| &text[start..]).trim()
}

#[test]
fn a_server_answers_with_a_key_of_the_vault() -> Result<()> {
    let pki = Pki::start()?;
    let site = &pki.site;
    let client = plain_identity(&pki, "cmp-client")?;
    for (server, name) in [(pki.rsa("cmp-server-rsa")?, "rsa"), (pki.ec("cmp-server-ec")?, "ec")] {
        let (_running, port) = serve(&site.openssl(), &pki, &server, &client.certificate)?;
        let before = site.vault().stats().sign;
        site.plain().ok(&enrol(&pki, port, "cr", &client, &client.key))?;
        assert_eq!(site.vault().stats().sign - before, 2, "{name}: the answer, the confirmation");
    }
    Ok(())
}
