//! nginx of this machine.

use akv_tests::{Site, Task, site::worker_user};
use anyhow::{Context as _, Result};
use nix::unistd::geteuid;

use super::{Running, start};
use crate::keys::Pair;

/// Its version.
pub(crate) fn version() -> Result<String> {
    let printed = Task::new("nginx").arg("-v").ok()?.stderr;
    let version = printed.trim().rsplit('/').next().context("a version")?;
    Ok(version.split(' ').next().unwrap_or(version).to_owned())
}

/// Starts it with this many workers, each with its own queue of connections. Without a certificate
/// and key it serves plain HTTP.
pub(crate) fn run(site: &Site, workers: u32, pair: Option<&Pair>) -> Result<Running> {
    let folder = site.path("nginx");
    std::fs::create_dir_all(&folder)?;
    let user = match worker_user() {
        Some(user) if geteuid().is_root() => format!("user {user};\n"),
        _ => String::new(),
    };
    let (ssl, certificate) = match pair {
        Some(Pair { key, certificate, .. }) => (
            " ssl",
            format!(
                "ssl_certificate {certificate};\nssl_certificate_key {key};\n\
                 ssl_session_tickets on;\n"
            ),
        ),
        None => ("", String::new()),
    };
    let task = |port| {
        let config = format!(
            "{user}daemon off;\nworker_processes {workers};\nworker_rlimit_nofile 4096;\n\
             pid nginx.pid;\nerror_log stderr notice;\n\
             events {{ worker_connections 2048; }}\n\
             http {{\naccess_log off;\n\
             client_body_temp_path body;\nproxy_temp_path proxy;\nfastcgi_temp_path fastcgi;\n\
             uwsgi_temp_path uwsgi;\nscgi_temp_path scgi;\n\
             server {{\nlisten 127.0.0.1:{port}{ssl} reuseport backlog=2048;\n\
             ssl_protocols TLSv1.2 TLSv1.3;\n{certificate}\
             location / {{ return 200 \"ok\\n\"; }}\n}}\n}}\n"
        );
        let file = folder.join("nginx.conf");
        std::fs::write(&file, config)?;
        let config = if pair.is_some() { "openssl.cnf" } else { "plain.cnf" };
        let task = Task::new("nginx").env("OPENSSL_CONF", site.path(config)).arg("-p").arg(&folder);
        Ok(task.args(["-e", "stderr", "-c"]).arg(file))
    };
    start(task, usize::try_from(workers)?, |line| line.contains("start worker process "))
}
