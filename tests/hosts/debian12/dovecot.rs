//! Dovecot, whose login processes run in a `chroot`, without root, and limited to one process.

use akv_tests::Task;
use anyhow::Result;

use crate::stage::{Stage, threads};

#[test]
fn login_processes_serve_with_their_stock_settings() -> Result<()> {
    let stage = Stage::open(true)?;
    let site = &stage.site;
    let (server, address) = stage.serve("starting up", |port| {
        let config = format!(
            "base_dir = {run}\nstate_dir = {state}\nlog_path = /dev/stderr\nprotocols = imap\n\
             listen = 127.0.0.1\nssl = required\nssl_cert = <{certificate}\nssl_key = <{key}\n\
             import_environment = $import_environment OPENSSL_CONF={openssl} \
             IMDS_ENDPOINT={imds}\n\
             service imap-login {{\n inet_listener imap {{\n  port = 0\n }}\n \
             inet_listener imaps {{\n  port = {port}\n  ssl = yes\n }}\n}}\n\
             passdb {{\n driver = static\n args = password=x\n}}\n\
             userdb {{\n driver = static\n args = uid=nobody gid=nogroup home=/nonexistent\n}}\n",
            run = site.text("run"),
            state = site.text("state"),
            certificate = stage.certificate,
            key = stage.key,
            openssl = site.text("server.cnf"),
            imds = site.vault().imds_endpoint(),
        );
        std::fs::create_dir_all(site.path("state"))?;
        std::fs::write(site.path("dovecot.conf"), config)?;
        Ok(Task::new("dovecot").args(["-F", "-c"]).arg(site.path("dovecot.conf")))
    })?;
    stage.check_handshakes(&server, &address)?;
    let threads = threads(server.id());
    assert!(threads.len() > 1 && !threads.contains(&"akv".to_owned()), "{threads:?}");
    let log = server.output();
    assert!(!log.contains("rror") && !log.contains("panicked"), "{log}");
    Ok(())
}
