//! `allowed-keys` for everything that takes a reference: no request, not even a connection.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown},
};

use akv_core::{KeyFile, Settings, blocking::Client};
use akv_emulator::{Curve, NewKey, Persona};
use akv_tests::{OpenSsl, Site, Task, cc, modules};
use anyhow::{Context as _, Result, ensure};

/// `openssl` with a configuration that allows these keys.
fn allowing(site: &Site, allowed: &str) -> Result<OpenSsl> {
    let mut settings = site.settings();
    settings.push(("allowed-keys", allowed.to_owned()));
    let name = format!("allowed-{}.cnf", allowed.replace([':', ',', '/'], "-"));
    let config = site.configure(&name, &modules::provider()?, &settings)?;
    Ok(OpenSsl::new(config, site.folder()))
}

/// Fails with the setting's error entry, without a request.
fn refused(site: &Site, openssl: &OpenSsl, command: &str) -> Result<()> {
    site.vault().reset_stats();
    let failed = openssl.fails(command)?;
    let text = &failed.stderr;
    ensure!(text.contains("not allowed") && text.contains("allowed-keys"), "{}", failed.describe());
    let stats = site.vault().stats();
    ensure!((stats.connections, stats.requests) == (0, 0), "{command}: {stats:?}");
    Ok(())
}

/// Handcrafted key files, complete and bare; the extension indicates the format.
fn crafted(site: &Site, reference: &str) -> Result<Vec<String>> {
    let builder = site
        .settings()
        .iter()
        .try_fold(Settings::builder(), |builder, (name, value)| builder.option(name, value))?;
    let client = Client::new(builder.build()?);
    let complete = client.key(&client.reference(reference)?)?.key_file();
    let bare = KeyFile::new(&client.reference(reference)?, None);
    let mut files = Vec::new();
    for (name, file) in [("complete", complete), ("bare", bare)] {
        for (form, content) in [
            ("pem", file.to_pem().into_bytes()),
            ("der", file.to_der()),
            ("p8", file.to_pkcs8_pem().into_bytes()),
        ] {
            let path = site.text(&format!("{name}.{form}"));
            fs::write(&path, content)?;
            files.push(path);
        }
    }
    Ok(files)
}

/// Reads a PEM file as servers do: this reports errors that libcrypto's stores drop.
fn refused_in_pem(site: &Site, openssl: &OpenSsl, file: &str) -> Result<()> {
    let program = cc::compile("plain_key_file", site.folder())?;
    site.vault().reset_stats();
    let task = Task::new(program).env("OPENSSL_CONF", openssl.config()).args([file, file]);
    let failed = task.run()?;
    let text = &failed.stderr;
    ensure!(failed.status.code() == Some(1), "{}", failed.describe());
    ensure!(text.contains("not allowed") && text.contains("allowed-keys"), "{}", failed.describe());
    ensure!(site.vault().stats().connections == 0, "{file}");
    Ok(())
}

#[test]
fn every_way_to_a_key_is_refused_before_any_connection() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let (web, mail) = (site.ec(Curve::P256)?, site.rsa(2048)?);
    let files = crafted(&site, &mail)?;
    let openssl = allowing(&site, &web)?;
    let data = site.text("plain.cnf");
    let version = format!("{mail}:{}", "0".repeat(32));
    for name in [
        &mail,
        &version,
        &format!("engine:e_akv:{mail}"),
        &mail.to_uppercase().replace("VAULT:", "vault:"),
    ] {
        refused(&site, &openssl, &format!("pkey -in {name} -noout"))?;
    }
    for command in [
        format!("dgst -sha256 -sign {mail} {data}"),
        format!("pkey -in {mail} -pubout"),
        format!("x509 -in {mail} -noout"),
        format!("storeutl {mail}"),
        format!("storeutl -certs {mail}"),
        format!("storeutl {}", site.reference("")),
        format!("req -new -x509 -key {mail} -subj /CN=x"),
        format!(
            "genpkey -propquery provider=akv_provider -algorithm EC -pkeyopt group:P-256 -pkeyopt akv-name:{}",
            site.reference("new")
        ),
    ] {
        refused(&site, &openssl, &command)?;
    }
    for file in &files {
        if file.ends_with(".pem") {
            refused(&site, &openssl, &format!("pkey -in {file} -noout"))?;
        }
        if !file.ends_with(".der") {
            refused_in_pem(&site, &openssl, file)?;
        }
        // libcrypto's store drops the errors of DER decoders.
        site.vault().reset_stats();
        openssl.fails(&format!("pkey -in {file} -noout"))?;
        ensure!(site.vault().stats().connections == 0, "{file}");
    }
    openssl.ok(&format!("dgst -sha256 -sign {web} -out {} {data}", site.text("web.sig")))?;
    openssl.ok(&format!("pkey -in {web} -out {}", site.text("web.key")))?;
    openssl.ok(&format!("pkey -in {} -noout", site.text("web.key")))?;
    Ok(())
}

#[test]
fn symmetric_keys_are_refused_too() -> Result<()> {
    let site = Site::start(Persona::ManagedHsm)?;
    site.vault().create_key(NewKey::oct("aes", 256).hsm(true))?;
    let (aes, data) = (site.reference("aes"), site.text("plain.cnf"));
    let file = site.key_file(&aes, "aes.key")?;
    let openssl = allowing(&site, &site.ec(Curve::P256)?)?;
    for key in [&aes, &file] {
        refused(&site, &openssl, &format!("pkeyutl -encrypt -inkey {key} -in {data}"))?;
    }
    let enc = format!("enc -akv-aes-256-cbc -skeymgmt AKV-AES -skeyopt akv-key:{aes} -iv 00");
    if akv_tests::Installation::selected().version()?.as_str() >= "3.5" {
        refused(&site, &openssl, &format!("{enc} -in {data}"))?;
    }
    Ok(())
}

#[test]
fn file_and_environment_narrow_together_and_an_empty_list_is_an_error() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let (ec, rsa) = (site.ec(Curve::P256)?, site.rsa(2048)?);
    let openssl = allowing(&site, &format!("{ec},{rsa}"))?;
    let narrowed = openssl.env("AKV_ALLOWED_KEYS", &rsa);
    narrowed.ok(&format!("pkey -in {rsa} -noout"))?;
    refused(&site, &narrowed, &format!("pkey -in {ec} -noout"))?;
    let elsewhere = openssl.env("AKV_ALLOWED_KEYS", "vault:elsewhere:");
    refused(&site, &elsewhere, &format!("pkey -in {rsa} -noout"))?;
    let whole = site.openssl().env("AKV_ALLOWED_KEYS", site.reference(""));
    whole.ok(&format!("storeutl {}", site.reference("")))?;
    let empty = [site.openssl().env("AKV_ALLOWED_KEYS", ""), allowing(&site, "")?];
    for openssl in empty {
        let failed = openssl.fails(&format!("pkey -in {rsa} -noout"))?;
        let text = &failed.stderr;
        ensure!(text.contains("ALLOWED_KEYS") || text.contains("allowed-keys"), "{text}");
        ensure!(text.contains("allows nothing"), "{}", failed.describe());
    }
    Ok(())
}

/// A set-user-ID program: the kernel marks it as secure-execution, whichever user runs it.
#[test]
fn a_secure_process_honours_the_environment_for_this_setting_alone() -> Result<()> {
    ensure!(nix::unistd::geteuid().is_root(), "only root can give a program to another user");
    let site = Site::start(Persona::Vault)?;
    let (ec, rsa) = (site.ec(Curve::P256)?, site.rsa(2048)?);
    let program = cc::compile("provider/secure_load", site.folder())?;
    let nobody = nix::unistd::User::from_name("nobody")?.context("a user nobody")?;
    chown(&program, Some(nobody.uid.as_raw()), None)?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o4755))?;
    fs::set_permissions(site.path("token"), fs::Permissions::from_mode(0o644))?;
    // The program is no longer root, and only root may read the build folder.
    let module = site.path("akv_provider.so");
    fs::copy(modules::provider()?, &module)?;
    let config = site.configure("secure.cnf", &module, &site.settings())?;
    let load = |key: &str, allowed: &str| {
        let task = Task::new(&program).arg(&config).arg(key);
        // If the rest of the environment were read, this would be an invalid setting.
        task.env("AKV_TIMEOUT", "soon").env("AKV_ALLOWED_KEYS", allowed)
    };
    load(&ec, &ec).ok()?;
    let failed = load(&rsa, &ec).run()?;
    ensure!(
        !failed.status.success() && failed.stderr.contains("not allowed"),
        "{}",
        failed.describe()
    );
    ensure!(failed.stderr.contains("AKV_ALLOWED_KEYS"), "{}", failed.describe());
    Ok(())
}
