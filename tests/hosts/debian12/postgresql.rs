//! PostgreSQL, which forks a backend for each connection, with and without `warm = yes`.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
};

use akv_emulator::{Curve, Persona};
use akv_tests::{
    Client, Server, Site, Task,
    warm::{LIMIT, configure, token_requests, wait_for_first_token, wait_for_token},
};
use anyhow::{Context as _, Result, ensure};
use nix::{
    sys::signal::Signal,
    unistd::{User, geteuid},
};

/// Debian keeps the programs of each release in a separate folder.
fn programs() -> Result<PathBuf> {
    let folders = fs::read_dir("/usr/lib/postgresql").context("PostgreSQL is not installed")?;
    let mut folders: Vec<_> = folders
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|folder| folder.join("postgres").exists())
        .collect();
    folders.sort();
    folders.pop().context("PostgreSQL is not installed")
}

/// A program of PostgreSQL, which refuses to run as root.
fn as_postgres(program: &Path) -> Task {
    if geteuid().is_root() {
        Task::new("setpriv")
            .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
            .arg(program)
    } else {
        Task::new(program)
    }
}

/// Changes the owner of a path to the server's user.
fn change_owner(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    if geteuid().is_root() {
        let user = User::from_name("postgres")?.context("a user postgres")?;
        chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw()))?;
    }
    Ok(())
}

/// A cluster whose server's key is in the vault.
struct Cluster {
    site: Site,
    certificate: String,
    config: PathBuf,
}

impl Cluster {
    fn new(warm: &str) -> Result<Self> {
        let site = Site::start(Persona::Vault)?;
        let reference = site.ec(Curve::P256)?;
        let (key, certificate) =
            (site.key_file(&reference, "postgresql.key")?, site.text("postgresql.pem"));
        site.openssl().ok(&format!(
            "req -new -x509 -key {key} -subj /CN=localhost -addext subjectAltName=DNS:localhost \
             -out {certificate}"
        ))?;
        let config = configure(&site, "postgresql.cnf", warm)?;
        change_owner(key.as_ref(), 0o600)?;
        let data = site.path("data");
        fs::create_dir(&data)?;
        change_owner(&data, 0o700)?;
        as_postgres(&programs()?.join("initdb"))
            .dir("/")
            .args(["--no-sync", "--auth=trust", "--username=postgres", "--locale=C", "-D"])
            .arg(&data)
            .limit(LIMIT)
            .ok()?;
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nfsync = off\n\
             ssl = on\nssl_cert_file = '{certificate}'\nssl_key_file = '{key}'\n"
        );
        let file = data.join("postgresql.conf");
        fs::write(&file, fs::read_to_string(&file)? + &settings)?;
        Ok(Self { site, certificate, config })
    }

    /// Starts the server on a free port.
    fn start(&self) -> Result<(Server, String)> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let task = as_postgres(&programs()?.join("postgres"))
            .dir("/")
            .env("OPENSSL_CONF", &self.config)
            .env("IMDS_ENDPOINT", self.site.vault().imds_endpoint())
            .arg("-D")
            .arg(self.site.path("data"))
            .args(["-p", &port.to_string()]);
        let ready = |line: &str| line.contains("ready to accept connections").then_some(());
        let (server, ()) = Server::start(task, LIMIT, ready)?;
        Ok((server, format!("127.0.0.1:{port}")))
    }

    /// A TLS handshake, after which the backend waits for the client.
    fn handshake(&self, address: &str) -> Result<()> {
        let arguments = "-starttls postgres";
        Client { address, ca: &self.certificate, arguments }.connect(&self.site.plain())?;
        Ok(())
    }
}

#[test]
fn postgresql_with_warm_makes_one_request_for_each_token() -> Result<()> {
    let cluster = Cluster::new("yes")?;
    let site = &cluster.site;
    site.vault().reset_stats();
    let (server, address) = cluster.start()?;
    wait_for_first_token(site)?;
    for number in 1..=3 {
        wait_for_token(site, number)?;
        // Half of the connections, so that the next token is not due meanwhile on a busy machine.
        for _ in 0..20 {
            cluster.handshake(&address).with_context(|| server.output())?;
        }
        ensure!(token_requests(site) == number, "{} of {number}", token_requests(site));
        // It loads its key again.
        server.signal(Signal::SIGHUP)?;
        server.wait_for("received SIGHUP", LIMIT)?;
        for _ in 0..20 {
            cluster.handshake(&address).with_context(|| server.output())?;
        }
        ensure!(token_requests(site) == number, "{} of {number}", token_requests(site));
    }
    Ok(())
}

#[test]
fn postgresql_without_warm_works() -> Result<()> {
    let cluster = Cluster::new("no")?;
    let (server, address) = cluster.start()?;
    for _ in 0..3 {
        cluster.handshake(&address).with_context(|| server.output())?;
    }
    Ok(())
}
