//! What the page about migration says of Microsoft's engine and provider.

use akv_emulator::Persona;
use anyhow::Result;

use crate::scene::{Scene, block};

/// nginx of the engine's sample: it names the engine, and needs no configuration of OpenSSL.
#[test]
fn the_nginx_of_the_predecessors_sample_works_unchanged() -> Result<()> {
    let scene = Scene::open(Persona::ManagedHsm, false)?;
    let shown = scene.run(concat!(
        include_str!("serve.sh"),
        "unset OPENSSL_CONF\ncertify managedHsm:myHsm:myKey site.pem\n\
         serve engine:e_akv:managedHsm:myHsm:myKey site.pem 'ssl_engine e_akv;' 2>/dev/null\n"
    ))?;
    assert!(shown.text().starts_with("signed in the vault\n"), "{}", shown.describe());
    Ok(())
}

/// The provider's configuration, in the predecessor's order and with its names of sections.
#[test]
fn the_providers_configuration_needs_only_the_line_of_the_page() -> Result<()> {
    let scene = Scene::open(Persona::ManagedHsm, false)?;
    let section = block("docs/migration.md", "ini", 0)?;
    scene.configure(&format!(
        "openssl_conf = openssl_init\n[openssl_init]\nproviders = provider_sect\n\
         [provider_sect]\ndefault = default_sect\nbase = base_sect\n\
         akv_provider = akv_provider_sect\n[default_sect]\nactivate = 1\n[base_sect]\n\
         activate = 1\n{section}"
    ))?;
    for reference in [
        "managedhsm:myHsm:myKey",
        "akv:type=managedhsm,vault=myHsm,name=myKey",
        "akv:keyvault_type=managedhsm,keyvault_name=myHsm,key_name=myKey",
    ] {
        scene
            .run(&format!("openssl req -new -key {reference} -subj /CN=localhost -out site.csr"))?;
        scene.run("OPENSSL_CONF=/dev/null openssl req -in site.csr -noout -verify")?;
    }
    Ok(())
}
