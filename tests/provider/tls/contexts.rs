//! Cases that require a C program: the order in which libssl's objects are created.

use akv_emulator::{Curve, Persona};
use akv_tests::{Task, cc};
use anyhow::Result;

use crate::scene::Scene;

#[test]
fn ssl_ctx_may_be_older_than_the_key() -> Result<()> {
    let scene = Scene::start(Persona::Vault)?;
    let site = scene.site();
    let program = cc::compile("provider/tls_context", site.folder())?;
    for (key, other, name) in [
        (site.rsa(2048)?, site.rsa(3072)?, "older-rsa"),
        (site.ec(Curve::P256)?, site.ec(Curve::P384)?, "older-ec"),
    ] {
        let identity = scene.identity(&key, name)?;
        for key in [&key, &identity.key] {
            let before = site.vault().stats().sign;
            let task = Task::new(&program).env("OPENSSL_CONF", site.path("openssl.cnf"));
            let output = task.args([key, &identity.certificate, &other, &scene.root()]).ok()?;
            assert_eq!(output.text().trim(), "4", "{}", output.describe());
            assert_eq!(output.stderr, "", "{name}");
            assert_eq!(site.vault().stats().sign - before, 4, "{name}");
        }
    }
    Ok(())
}
