//! How much of its caller's stack the engine uses, as `tests/provider/stack.rs` for the provider.

use akv_emulator::{Curve, Persona};
use akv_tests::{
    Site, Task,
    engine::{certificate, compile, plain},
    modules,
    stack::check,
};
use anyhow::Result;

use crate::key_files::key_file;

#[test]
fn entries_and_handshakes_leave_room_on_the_stack_of_a_job() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let program = compile(&site, "engine/stack", &["-lssl", "-lcrypto"])?;
    for (key, name, more, steps) in [
        (site.ec(Curve::P256)?, "stack-ec", None, 9),
        (site.rsa(2048)?, "stack-rsa", Some("rsa"), 12),
    ] {
        let certificate = certificate(&site, &key, name)?;
        let file = key_file(&site, &format!("{name}.key"), &key)?;
        let mut task = Task::new(&program)
            .env("OPENSSL_CONF", plain(&site)?.config())
            .arg(modules::engine()?)
            .args([&key, &file, &certificate])
            .args(more);
        for (name, value) in site.settings() {
            task = task.env(format!("AKV_{}", name.to_uppercase().replace('-', "_")), value);
        }
        assert_eq!(check(&task.ok()?.text())?, steps);
    }
    Ok(())
}
