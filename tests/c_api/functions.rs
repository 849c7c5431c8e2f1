//! Every function, and the example.

use std::fs;

use akv_emulator::{Curve, Persona};
use akv_tests::{Site, Task, modules};
use anyhow::Result;

use crate::{build, compile, printed, scene, with_settings};

#[test]
fn all_work_and_openssl_verifies_their_results() -> Result<()> {
    let (site, keys) = scene()?;
    let output = with_settings(Task::new(build("functions", &site)?).args(&keys), &site).ok()?;
    assert_eq!(output.stderr, "");
    let text = output.text();
    assert!(text.contains("key aes") && text.contains("key ec-p-256"), "{text}");
    fs::write(site.path("public.der"), printed(&text, "public ")?)?;
    let mut digest = [0; 32];
    digest[..3].copy_from_slice(&[1, 2, 3]);
    fs::write(site.path("digest"), digest)?;
    fs::write(site.path("signature"), printed(&text, "signature ")?)?;
    site.plain().ok(
        "pkeyutl -verify -pubin -keyform DER -inkey public.der -in digest -sigfile signature",
    )?;
    fs::write(site.path("message"), [1, 2, 3])?;
    fs::write(site.path("message.sig"), printed(&text, "message ")?)?;
    site.plain().ok("pkey -pubin -inform DER -in public.der -out public.pem")?;
    site.plain().ok("dgst -sha256 -verify public.pem -signature message.sig message")?;
    Ok(())
}

#[test]
fn example_signs_a_file() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let example = modules::workspace().join("ffi/examples/sign_file.c");
    let program = compile(&example, site.folder(), &[])?;
    fs::write(site.path("release.tar"), "all of it".repeat(5000))?;
    for (key, algorithm, hash) in
        [(site.ec(Curve::P384)?, "ES384", "sha384"), (site.rsa(2048)?, "RS256", "sha256")]
    {
        let sign = Task::new(&program).dir(site.folder());
        let sign = sign.args([key.as_str(), algorithm, "release.tar", "release.tar.sig"]);
        with_settings(sign, &site).ok()?;
        let public = site.public_key(&key)?;
        site.plain()
            .ok(&format!("dgst -{hash} -verify {public} -signature release.tar.sig release.tar"))?;
    }
    let sign = Task::new(&program).args(["vault:x", "ES256", "/dev/null", "/dev/null"]);
    let output = with_settings(sign, &site).run()?;
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stderr.contains("vault:x"), "{}", output.describe());
    Ok(())
}
