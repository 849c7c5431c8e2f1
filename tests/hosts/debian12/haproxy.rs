//! HAProxy as configured by its package: it changes its root directory, gives up root and, without
//! `insecure-fork-wanted`, forbids processes and so threads for itself.

use akv_tests::Task;
use anyhow::Result;

use crate::stage::{Stage, threads};

fn serves(rsa: bool) -> Result<()> {
    let stage = Stage::open(rsa)?;
    let pair = std::fs::read_to_string(&stage.certificate)? + &std::fs::read_to_string(&stage.key)?;
    std::fs::write(stage.site.path("both.pem"), pair)?;
    let (server, address) = stage.serve("Loading success", |port| {
        let config = format!(
            "global\n chroot /var/lib/haproxy\n user haproxy\n group haproxy\n\
             defaults\n mode http\n timeout connect 5s\n timeout client 50s\n timeout server 50s\n\
             frontend tls\n bind 127.0.0.1:{port} ssl crt {}\n \
             http-request return status 200 content-type text/plain string signed\n",
            stage.site.text("both.pem")
        );
        std::fs::write(stage.site.path("haproxy.cfg"), config)?;
        Ok(Task::new("haproxy").args(["-W", "-db", "-f"]).arg(stage.site.path("haproxy.cfg")))
    })?;
    stage.check_handshakes(&server, &address)?;
    let threads = threads(server.id());
    assert!(threads.len() > 1 && !threads.contains(&"akv".to_owned()), "{threads:?}");
    let log = server.output();
    assert!(!log.contains("ALERT") && !log.contains("panicked"), "{log}");
    Ok(())
}

#[test]
fn serves_rsa_keys_with_its_stock_settings() -> Result<()> {
    serves(true)
}

#[test]
fn serves_ec_keys_with_its_stock_settings() -> Result<()> {
    serves(false)
}
