//! The configurations on the page about nginx.

use akv_emulator::Persona;
use anyhow::Result;

use crate::scene::{Scene, block};

const PAGE: &str = "docs/nginx.md";

/// Starts nginx with these lines in its parts, and connects under the name of the examples.
const SERVE: &str = "cat >nginx.conf <<'END'
MAIN
pid nginx.pid;
events {}
http {
    access_log off;
    HTTP
    server {
        SERVER
        return 200 \"signed in the vault\\n\";
    }
}
END
nginx -p \"$PWD\" -c nginx.conf -e error.log -t
nginx -p \"$PWD\" -c nginx.conf -e error.log
curl --silent --show-error --cacert /etc/akv/site.pem --resolve www.example.org:8443:127.0.0.1 \\
    https://www.example.org:8443/
nginx -p \"$PWD\" -c nginx.conf -e error.log -s quit
! grep -E 'warn|error|crit|alert|emerg' error.log
";

const CERTIFY: &str = "akv pem vault:myVault:myKey --out /etc/akv/site.key >/dev/null
    akv cert self-signed vault:myVault:myKey --subject CN=www.example.org \
        --san www.example.org --out /etc/akv/site.pem >/dev/null
";

/// Serves with the configuration of OpenSSL, and the page's lines for nginx.
fn check(openssl: &str, main: &str, http: &str, server: &str) -> Result<()> {
    let scene = Scene::open(Persona::Vault, false)?;
    scene.configure(openssl)?;
    let server = server.replace("listen 443", "listen 127.0.0.1:8443");
    let serve = SERVE.replace("MAIN", main).replace("HTTP", http).replace("SERVER", &server);
    let shown = scene.run(&format!("{CERTIFY}{serve}"))?;
    assert_eq!(shown.text(), "signed in the vault\n", "{}", shown.describe());
    Ok(())
}

#[test]
fn key_file_and_workers_of_the_page_serve() -> Result<()> {
    let (environment, server) = (block(PAGE, "nginx", 0)?, block(PAGE, "nginx", 1)?);
    let handshakes = block(PAGE, "nginx", 2)?;
    let (workers, sessions): (Vec<&str>, Vec<&str>) =
        handshakes.lines().partition(|line| line.starts_with("worker_"));
    assert!(!workers.is_empty() && !sessions.is_empty(), "{handshakes}");
    let main = format!("{environment}{}", workers.join("\n"));
    check(&block("docs/install.md", "ini", 0)?, &main, &sessions.join("\n"), &server)
}

#[test]
fn engine_of_the_page_serves() -> Result<()> {
    let pair = block(PAGE, "nginx", 3)?;
    assert!(pair.contains("engine:e_akv:"), "{pair}");
    let server = format!("listen 443 ssl;\n{pair}");
    check(&block(PAGE, "ini", 1)?, "", "", &server)
}
