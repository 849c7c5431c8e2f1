//! `ALLOWED_KEYS`: key strings, key files and certificates' public halves, before any connection.

use akv_emulator::{Curve, Persona};
use akv_tests::{
    OpenSsl, Site, Task,
    engine::{compile, configure, openssl},
};
use anyhow::{Result, ensure};

/// `openssl` with the engine, whose section ends with these lines.
fn engine(site: &Site, file: &str, lines: &str) -> Result<OpenSsl> {
    let config = configure(site, file, &format!("{lines}default_algorithms = ALL\n"))?;
    Ok(OpenSsl::new(config, site.folder()))
}

fn refused(site: &Site, openssl: &OpenSsl, command: &str) -> Result<()> {
    site.vault().reset_stats();
    let failed = openssl.fails(command)?;
    let text = &failed.stderr;
    ensure!(text.contains("not allowed") && text.contains("allowed-keys"), "{}", failed.describe());
    let stats = site.vault().stats();
    ensure!((stats.connections, stats.requests) == (0, 0), "{command}: {stats:?}");
    Ok(())
}

fn public(key: &str) -> String {
    format!("pkey -engine e_akv -inform engine -in {key} -pubout")
}

#[test]
fn key_strings_and_key_files_are_refused_before_any_connection() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let (ec, rsa) = (site.ec(Curve::P256)?, site.rsa(2048)?);
    let data = site.text("vault-ca.pem");
    let only_ec = engine(&site, "allowed.cnf", &format!("ALLOWED_KEYS = {ec}\n"))?;
    only_ec.ok(&public(&ec))?;
    for key in [&rsa, &format!("engine:e_akv:{rsa}"), &format!("pkcs11:{rsa}")] {
        refused(&site, &only_ec, &public(key))?;
        refused(
            &site,
            &only_ec,
            &format!("dgst -sha256 -engine e_akv -keyform engine -sign {key} {data}"),
        )?;
    }
    // A file from an attacker: the reference with a version, and a public half.
    let version = site.vault().rotate_key("rsa-2048")?.version;
    let file = crate::key_files::key_file(&site, "crafted.pem", &format!("{rsa}:{version}"))?;
    openssl(&site)?.ok(&format!("pkey -in {file} -noout"))?;
    let program = compile(&site, "plain_key_file", &["-lcrypto"])?;
    site.vault().reset_stats();
    let task = Task::new(program).env("OPENSSL_CONF", only_ec.config()).args([&file, &file]);
    let failed = task.run()?;
    ensure!(failed.status.code() == Some(1), "{}", failed.describe());
    ensure!(failed.stderr.contains("not allowed"), "{}", failed.describe());
    ensure!(site.vault().stats().connections == 0);
    Ok(())
}

#[test]
fn commands_the_environment_and_the_file_narrow_together() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let (ec, rsa) = (site.ec(Curve::P256)?, site.rsa(2048)?);
    let both = engine(&site, "both.cnf", &format!("ALLOWED_KEYS = {ec},{rsa}\n"))?;
    both.ok(&public(&rsa))?;
    refused(&site, &both.env("AKV_ALLOWED_KEYS", &ec), &public(&rsa))?;
    both.env("AKV_ALLOWED_KEYS", &ec).ok(&public(&ec))?;
    let twice = format!("ALLOWED_KEYS = {ec},{rsa}\n0.ALLOWED_KEYS = {ec}\n");
    let twice = engine(&site, "twice.cnf", &twice)?;
    refused(&site, &twice, &public(&rsa))?;
    twice.ok(&public(&ec))?;
    let empty = both.env("AKV_ALLOWED_KEYS", "").fails(&public(&rsa))?;
    ensure!(empty.stderr.contains("allows nothing"), "{}", empty.describe());
    let nonsense = engine(&site, "nonsense.cnf", "ALLOWED_KEYS = web\n")?.fails(&public(&rsa))?;
    ensure!(nonsense.stderr.contains("invalid setting allowed-keys"), "{}", nonsense.describe());
    Ok(())
}
