//! Control commands, configuration files and the environment.

use akv_emulator::{Curve, Persona};
use akv_tests::{
    OpenSsl, Site,
    engine::{configure, entries, openssl, plain},
    modules,
};
use anyhow::Result;

#[test]
fn the_controls_are_listed_with_their_help() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let listed = openssl(&site)?.ok("engine -t -vvv e_akv")?.text();
    assert!(listed.contains("(e_akv) Azure Key Vault and Managed HSM engine"), "{listed}");
    assert!(listed.contains("[ available ]"), "{listed}");
    for control in [
        "CREDENTIAL",
        "CLIENT_ID",
        "TENANT_ID",
        "CLIENT_SECRET_FILE",
        "CLIENT_CERTIFICATE_FILE",
        "ACCESS_TOKEN_FILE",
        "CLOUD",
        "DNS_SUFFIX",
        "ENDPOINT",
        "CA_FILE",
        "TIMEOUT",
        "MAX_CONCURRENCY",
        "VERIFY_SIGNATURES",
        "WARM",
        "FIPS",
        "LOG_LEVEL",
        "LOG_FILE",
        "debug",
    ] {
        let line =
            listed.lines().find(|line| line.trim_start().starts_with(&format!("{control}: ")));
        let help = line.and_then(|line| line.split_once(": ")).map(|(_, help)| help);
        assert!(help.is_some_and(|help| help.len() > 10), "{control}: {listed}");
    }
    Ok(())
}

/// The commands before and after the load, as in `openssl engine -pre … -post …`.
fn dynamic(site: &Site, before: &str, key: &str) -> Result<String> {
    let module = modules::engine()?.display().to_string();
    let mut commands = format!("engine dynamic -t -pre SO_PATH:{module} -pre LIST_ADD:1 -pre LOAD");
    for (name, value) in site.settings() {
        let name = name.to_uppercase().replace('-', "_");
        commands.push_str(&format!(" -post {name}:{value}"));
    }
    Ok(format!("{commands} {before} {key}"))
}

#[test]
fn controls_are_accepted_without_a_configuration_file() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let said = plain(&site)?.ok(&dynamic(&site, "-post debug:1 -post TIMEOUT:3s", "")?)?.text();
    let successes = said.matches("[Success]: ").count();
    assert_eq!(successes, 3 + 3 + 2, "{said}");
    assert!(!said.contains("[Failure]"), "{said}");
    Ok(())
}

/// Programs that support only PKCS#11 bind the engine under that id, and set the PKCS#11 module and
/// the login.
#[test]
fn an_engine_bound_as_pkcs11_accepts_the_commands_of_libp11() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let plain = plain(&site)?;
    let commands = [
        "MODULE_PATH:/usr/lib/softhsm/libsofthsm2.so",
        "PIN:1234",
        "INIT_ARGS:x",
        "VERBOSE",
        "QUIET",
        "FORCE_LOGIN",
        "RE_ENUMERATE",
    ];
    let posts: String = commands.iter().map(|command| format!(" -post {command}")).collect();
    let bound = |id: &str, posts: &str| {
        let command = dynamic(&site, posts, "")?;
        plain.ok(&command.replace("-pre LOAD", &format!("-pre ID:{id} -pre LOAD")))
    };
    let said = bound("pkcs11", &posts)?.text();
    assert_eq!(said.matches("[Success]: ").count(), 4 + 3 + commands.len(), "{said}");
    assert!(!said.contains("[Failure]"), "{said}");
    // A command that libp11 does not have either, and one that is unknown to our engine.
    let said = bound("pkcs11", " -post MODUL_PATH:x -post TIMEOUTS:3s")?.text();
    assert_eq!(said.matches("[Failure]: ").count(), 2, "{said}");
    let said = bound("e_akv", &posts)?.text();
    assert_eq!(said.matches("[Failure]: ").count(), commands.len(), "{said}");
    Ok(())
}

#[test]
fn an_invalid_setting_is_reported_when_the_engine_is_initialised() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    for (line, reason) in [
        ("TIMEOUT = soon\n", "invalid setting timeout"),
        ("CA_FILE = /nonexistent/ca.pem\n", "/nonexistent/ca.pem"),
        ("CREDENTIAL = guess\n", "invalid setting credential"),
    ] {
        let config = configure(&site, "wrong.cnf", line)?;
        let openssl = OpenSsl::new(config, site.folder());
        let key = site.ec(Curve::P256)?;
        let command = format!("pkey -engine e_akv -inform engine -in {key} -pubout");
        let failed = openssl.fails(&command)?;
        assert!(failed.stderr.contains(reason), "{}", failed.describe());
        assert!(entries(&failed.stderr) >= 1, "{}", failed.describe());
    }
    Ok(())
}

#[test]
fn the_environment_overrides_the_configuration_file() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.ec(Curve::P256)?;
    let command = format!("pkey -engine e_akv -inform engine -in {key} -pubout");
    let nowhere = "ENDPOINT = https://127.0.0.1:1\nTIMEOUT = 2s\n";
    let openssl = OpenSsl::new(configure(&site, "nowhere.cnf", nowhere)?, site.folder());
    let failed = openssl.fails(&command)?;
    assert!(failed.stderr.contains("127.0.0.1:1"), "{}", failed.describe());
    openssl.env("AKV_ENDPOINT", site.vault().endpoint()).ok(&command)?;
    Ok(())
}

#[test]
fn the_log_is_written_where_the_settings_say() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.ec(Curve::P256)?;
    let log = site.text("engine.log");
    let lines = format!("LOG_FILE = {log}\ndebug = 1\n");
    let openssl = OpenSsl::new(configure(&site, "log.cnf", &lines)?, site.folder());
    openssl.ok(&format!("pkey -engine e_akv -inform engine -in {key} -pubout"))?;
    let text = site.read("engine.log")?;
    assert!(text.contains("DEBUG"), "{text}");
    assert!(!text.contains("eyJ"), "a token in {text}");
    Ok(())
}

#[test]
fn id_other_than_ours_is_honoured() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.ec(Curve::P256)?;
    let module = modules::engine()?.display().to_string();
    let dynamic = format!(
        "engine_id = dynamic\nSO_PATH = {module}\nID = pkcs11\nLIST_ADD = 1\nLOAD = EMPTY\n\
         MODULE_PATH = /usr/lib/module.so\nPIN = 1234\n"
    );
    let text = site.read("engine.cnf").or_else(|_| {
        openssl(&site)?;
        site.read("engine.cnf")
    })?;
    let old = format!("engine_id = e_akv\ndynamic_path = {module}\n");
    assert!(text.contains(&old), "{text}");
    let path = site.path("pkcs11.cnf");
    std::fs::write(&path, text.replace(&old, &dynamic))?;
    let openssl = OpenSsl::new(path, site.folder());
    openssl.ok(&format!("pkey -engine pkcs11 -inform engine -in pkcs11:{key} -pubout"))?;
    Ok(())
}

#[test]
fn the_engine_is_found_in_the_folder_of_engines() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.ec(Curve::P256)?;
    let folder = modules::folder()?.display().to_string();
    let mut openssl = plain(&site)?.env("OPENSSL_ENGINES", folder);
    for (name, value) in site.settings() {
        openssl = openssl.env(&format!("AKV_{}", name.to_uppercase().replace('-', "_")), value);
    }
    openssl.ok(&format!("pkey -engine e_akv -inform engine -in {key} -pubout"))?;
    Ok(())
}
