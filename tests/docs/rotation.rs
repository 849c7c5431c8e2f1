//! What the page about operations says of rotation.

use akv_emulator::Persona;
use anyhow::Result;

use crate::scene::{Scene, block};

/// nginx with this key, and functions that connect to it and reload it.
const SERVE: &str = "cat >nginx.conf <<'END'
pid nginx.pid;
events {}
http {
    access_log off;
    server {
        listen 127.0.0.1:8443 ssl;
        ssl_certificate     /etc/akv/site.pem;
        ssl_certificate_key KEY;
        return 200 \"signed in the vault\\n\";
    }
}
END
certify() {
    openssl req -x509 -new -key \"$1\" -subj /CN=localhost -addext subjectAltName=DNS:localhost -out \"$2\"
}
# A client that trusts a certificate and no other one.
connect() {
    curl --silent --show-error --cacert \"$1\" https://localhost:8443/
}
tell() {
    nginx -p \"$PWD\" -c nginx.conf -e error.log \"$@\"
}
openssl pkey -in vault:myVault:myKey -out /etc/akv/site.key
certify /etc/akv/site.key /etc/akv/site.pem
cp /etc/akv/site.pem old.pem
tell
connect old.pem
";

/// Waits until the certificate has changed.
const RELOADED: &str = "tries=0
until connect /etc/akv/site.pem 2>/dev/null; do
    tries=$((tries + 1))
    [ $tries -lt 600 ]
    sleep 0.1
done
";

fn scene() -> Result<Scene> {
    let scene = Scene::open(Persona::Vault, false)?;
    scene.configure(&block("docs/install.md", "ini", 0)?)?;
    Ok(scene)
}

#[test]
fn a_server_with_a_key_file_changes_when_key_file_and_certificate_do() -> Result<()> {
    let scene = scene()?;
    let page = "docs/operations.md";
    let (rotate, replace) = (block(page, "sh", 1)?, block(page, "sh", 2)?);
    assert!(
        rotate.starts_with("akv key rotate") && replace.starts_with("mv "),
        "{rotate}{replace}"
    );
    let replace = replace.replace("nginx -t && systemctl reload nginx", "tell -t; tell -s reload");
    let shown = scene.run(&format!(
        "{serve}{rotate}tell -s reload\nconnect old.pem\n\
         certify /etc/akv/site.key.new /etc/akv/site.pem.new\n{replace}{RELOADED}\
         if connect old.pem 2>/dev/null; then exit 1; fi\ntell -s quit\n",
        serve = SERVE.replace("KEY", "/etc/akv/site.key"),
    ))?;
    let served = shown.text().matches("signed in the vault").count();
    assert_eq!(served, 3, "before, after the rotation, and with the new key: {}", shown.describe());
    Ok(())
}

#[test]
fn a_reference_without_a_version_no_longer_matches_after_a_reload() -> Result<()> {
    let scene = scene()?;
    let shown = scene.run(&format!(
        "{serve}akv key rotate vault:myVault:myKey >/dev/null\n\
         if tell -s reload 2>refusal; then exit 1; fi\ngrep 'key values mismatch' refusal >&2\n\
         connect old.pem\n",
        serve = SERVE
            .replace("KEY", "engine:e_akv:vault:myVault:myKey")
            .replace("pid nginx.pid;", "pid nginx.pid;\nssl_engine e_akv;"),
    ))?;
    let served = shown.text().matches("signed in the vault").count();
    assert_eq!(served, 2, "before and after the rotation: {}", shown.describe());
    Ok(())
}
