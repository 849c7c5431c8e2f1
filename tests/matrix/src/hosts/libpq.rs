//! libpq, the client library of PostgreSQL, with a client certificate.

use anyhow::{Context as _, Result, ensure};

use super::{Host, Test, Way};
use crate::{scene::Scene, service::Service};

pub(super) const HOST: Host = Host {
    name: "libpq",
    packages: &["postgresql-client", "postgresql"],
    ways: &[Way::KEY_FILE, Way::PKCS8],
    test: Test::Client(check),
};

/// A server that only lets clients in whose certificate has their name.
fn check(scene: &Scene<'_>) -> Result<()> {
    let machine = &scene.machine;
    machine.write(
        &machine.resolve("/etc/postgresql/*/main/pg_hba.conf")?,
        "local all postgres peer\nhostssl all all localhost cert map=names\n",
    )?;
    machine.write(
        &machine.resolve("/etc/postgresql/*/main/pg_ident.conf")?,
        "names www.example.org postgres\n",
    )?;
    let key = "openssl req -new -newkey rsa:2048 -noenc -keyout server.key -subj /CN=localhost \
               -addext subjectAltName=DNS:localhost -out server.csr";
    machine.shell(key, &[])?;
    let (certificate, _) = scene.authority.issue(&machine.path("/root/server.csr"))?;
    machine.write("/root/server.pem", certificate)?;
    machine.shell("install -o postgres -m 600 server.key server.pem /var/lib/postgresql", &[])?;
    machine.write(
        &machine.resolve("/etc/postgresql/*/main/conf.d/tls.conf")?,
        "ssl = on\nssl_cert_file = '/var/lib/postgresql/server.pem'\n\
         ssl_key_file = '/var/lib/postgresql/server.key'\nssl_ca_file = '/etc/akv/ca.pem'\n",
    )?;
    let service = Service::start(machine, &machine.resolve("postgresql@*-main.service")?)?;
    scene.run_commands().with_context(|| service.output())?;
    service.stop()?;
    let answer = machine.read("/root/answer")?;
    ensure!(answer.trim() == "postgres TLSv1.3", "the answer is {answer:?}");
    // The request of the first steps, and the handshake.
    scene.check_signatures(2)
}
