//! How much of its caller's stack the provider uses: an OpenSSL ASYNC job has 32 KiB, without a
//! guard page.

use akv_emulator::{Curve, Persona};
use akv_tests::{Site, cc, stack::check};
use anyhow::Result;

#[test]
fn entries_and_handshakes_leave_room_on_the_stack_of_a_job() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    for (key, name, more, steps) in [
        (site.ec(Curve::P256)?, "stack-ec", None, 10),
        // Verification with the larger curves is separate code.
        (site.ec(Curve::P521)?, "stack-p521", None, 10),
        (site.rsa(2048)?, "stack-rsa", Some("rsa"), 12),
    ] {
        let file = site.key_file(&key, &format!("{name}.key"))?;
        let certificate = site.text(&format!("{name}.pem"));
        let request = format!("req -new -x509 -key {key} -subj /CN=localhost -out {certificate}");
        site.openssl().ok(&request)?;
        // The key file needs no request, the name does.
        for uri in [&file, &key] {
            let task = cc::host(&site, "provider/stack")?.args([uri, &certificate]).args(more);
            assert_eq!(check(&task.ok()?.text())?, steps);
        }
    }
    Ok(())
}

#[test]
fn errors_leave_room_on_the_stack_of_a_job() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let file = site.key_file(&site.ec(Curve::P256)?, "stack.key")?;
    let task = cc::host(&site, "provider/stack")?.arg(file);
    let task = task.env("AKV_ENDPOINT", "https://127.0.0.1:1").env("AKV_TIMEOUT", "1s");
    assert_eq!(check(&task.ok()?.text())?, 3);
    Ok(())
}
