//! A server that has changed its root directory, cleared its environment and given up root still
//! signs, although none of the resolver's files exists any more.

use std::{fs, net::UdpSocket, time::Duration};

use akv_emulator::{Curve, Emulator, NewKey, Persona};
use akv_tests::{
    OpenSsl, Site, Task, cc, modules,
    namespace::{self, Files},
};
use anyhow::Result;
use domain::{
    base::{Message, MessageBuilder, Rtype, Ttl, iana::Rcode},
    rdata::A,
};

const HOST: &str = "myvault.vault.azure.net";

#[test]
fn names_are_resolved_with_the_hosts_file_from_load() -> Result<()> {
    let hosts = format!("127.0.0.1 localhost {HOST}\n");
    let files = Files { hosts: &hosts, resolv_conf: Some("") };
    namespace::run_inside(
        "chroot::names_are_resolved_with_the_hosts_file_from_load",
        files,
        sign_everywhere,
    )
}

#[test]
fn names_are_resolved_with_the_name_server_from_load() -> Result<()> {
    let files =
        Files { hosts: "127.0.0.1 localhost\n", resolv_conf: Some("nameserver 127.0.0.1\n") };
    namespace::run_inside(
        "chroot::names_are_resolved_with_the_name_server_from_load",
        files,
        || {
            let socket = UdpSocket::bind(("127.0.0.1", 53))?;
            std::thread::spawn(move || name_server(&socket));
            sign_everywhere()
        },
    )
}

/// A server that must not start threads also needs the files read at load, in its old root
/// directory and in a new one.
fn sign_everywhere() -> Result<()> {
    const ALONE: &[&str] = &["filter", "0", "3"];
    sign_in("process/chroot_sign", &[], true)?;
    sign_in("process/no_threads", ALONE, true)?;
    sign_in("process/no_threads", ALONE, false)
}

fn sign_in(program: &str, arguments: &[&str], new_root: bool) -> Result<()> {
    let builder = Emulator::builder().listen(namespace::HTTPS);
    let module = modules::provider()?;
    let site = Site::with(builder, Persona::Vault, &module)?;
    let config = site.configure("chroot.cnf", &module, &[])?;
    site.vault().create_key(NewKey::ec("web", Curve::P256).vault_host(HOST))?;
    let key = site.text("web.key");
    let environment = [
        ("SSL_CERT_FILE", site.text("vault-ca.pem")),
        ("AZURE_CLI_ACCESS_TOKEN", site.vault().token()),
        ("AKV_CREDENTIAL", "access-token".to_owned()),
    ];
    let mut openssl = OpenSsl::new(config.clone(), site.folder());
    let mut program = Task::new(cc::compile(program, site.folder())?)
        .env("OPENSSL_CONF", config)
        .limit(Duration::from_secs(60));
    for (name, value) in environment {
        openssl = openssl.env(name, value.clone());
        program = program.env(name, value);
    }
    openssl.ok(&format!("pkey -in vault:myVault:web -out {key}"))?;

    let root = site.path("root");
    fs::create_dir(&root)?;
    site.vault().reset_stats();
    let output =
        program.arg(&key).args(arguments).args(new_root.then_some(root.as_os_str())).ok()?;
    assert_eq!((output.text().trim(), output.stderr.as_str()), ("signed", ""));
    let stats = site.vault().stats();
    assert_eq!((stats.sign, stats.requests), (3, 3), "{stats:?}");
    Ok(())
}

/// Serves one host's IPv4 address until the test ends.
fn name_server(socket: &UdpSocket) -> Result<()> {
    let mut buffer = [0; 1500];
    loop {
        let (length, asker) = socket.recv_from(&mut buffer)?;
        let question = Message::from_octets(&buffer[..length])?;
        let query = question.sole_question()?;
        let known = query.qname().to_string().trim_end_matches('.').eq_ignore_ascii_case(HOST);
        let code = if known { Rcode::NOERROR } else { Rcode::NXDOMAIN };
        let mut answer = MessageBuilder::new_vec().start_answer(&question, code)?;
        if known && query.qtype() == Rtype::A {
            answer.push((query.qname(), Ttl::from_secs(60), A::from_octets(127, 0, 0, 1)))?;
        }
        socket.send_to(answer.finish().as_slice(), asker)?;
    }
}
