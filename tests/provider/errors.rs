//! Failures produce one readable entry in OpenSSL's error queue and a failing exit code, in time,
//! and without side effects.

use std::{
    net::{Ipv4Addr, TcpListener},
    time::{Duration, Instant},
};

use akv_emulator::{Curve, Emulator, Fault, FaultKind, NewKey, Operation, Persona};
use akv_tests::{OpenSsl, Output, Site, modules};
use anyhow::{Context as _, Result};

/// The marker of the provider's entries in `openssl`'s output: `…:error:CODE:akv_provider:…`.
const OURS: &str = ":akv_provider:";

/// Our only entry in `openssl`'s output.
fn entry(output: &Output) -> String {
    let entries: Vec<&str> = output.stderr.lines().filter(|line| line.contains(OURS)).collect();
    assert_eq!(entries.len(), 1, "one entry wanted: {}", output.describe());
    assert!(entries[0].len() <= 1200, "{}", entries[0]);
    let bare = !entries[0].chars().any(|c| c.is_control());
    assert!(bare, "control characters in {:?}", entries[0]);
    entries[0].to_owned()
}

/// Fails to load `reference` and checks that the entry has all of `words`.
fn refused(openssl: &OpenSsl, reference: &str, words: &[&str]) -> Result<String> {
    let output = openssl.fails(&format!("pkey -in {reference} -noout"))?;
    let entry = entry(&output);
    for word in words {
        assert!(entry.contains(word), "no {word:?} in: {}", output.describe());
    }
    Ok(entry)
}

/// A configuration whose settings are the site's, with some replaced.
fn with(site: &Site, file: &str, replaced: &[(&'static str, &str)]) -> Result<OpenSsl> {
    let mut settings = site.settings();
    for (name, value) in replaced {
        settings.retain(|(known, _)| known != name);
        settings.push((name, (*value).to_owned()));
    }
    let config = site.configure(file, &modules::provider()?, &settings)?;
    Ok(OpenSsl::new(config, site.folder()))
}

#[test]
fn invalid_references_are_refused_before_any_network_use() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    // Without an endpoint and with a proxy, every connection goes to this listener.
    let trap = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    trap.set_nonblocking(true)?;
    let proxy = format!("http://{}", trap.local_addr()?);
    let direct = with(&site, "direct.cnf", &[("endpoint", "")])?.env("HTTPS_PROXY", proxy);
    for (reference, word) in [
        ("vault:v:k", "vault"),
        ("vault:my_vault:k", "my_vault"),
        ("vault:testvault:bad_key", "bad_key"),
        ("vault:testvault:", "key"),
        ("vault:testvault:k:123", "version"),
        ("vault:testvault:k?version=xyz", "version"),
        ("vault:evil.example/?:k", "evil.example"),
        ("managedhsm:evil.example/?:k", "evil.example"),
        ("managedHsm:a@evil.example:k", "evil.example"),
        ("vault:testvault:../secrets/x", "secrets"),
        ("vault:testvault:k%2f..", "k%2f"),
        ("akv:https://evil.example/keys/k", "evil.example"),
        ("akv:https://testvault.vault.azure.net.evil.example/keys/k", "evil.example"),
        ("akv:https://testvault.vault.azure.net@evil.example/keys/k", "evil.example"),
        ("akv:https://testvault.vault.azure.net:8443/keys/k", "port"),
        ("akv:http://testvault.vault.azure.net/keys/k", "http"),
        ("akv:vault=testvault,name=k,colour=red", "colour"),
        ("akv:vault=testvault,name=k,name=l", "name"),
        ("akv:name=k", "vault"),
        ("akv:type=hsm,vault=testvault,name=k", "type"),
        ("engine:e_akv:cellar:testvault:k", "cellar"),
        ("engine:other:vault:testvault:k", "other"),
    ] {
        for openssl in [&site.openssl(), &direct] {
            refused(openssl, reference, &[word]).with_context(|| reference.to_owned())?;
        }
    }
    assert_eq!(site.vault().stats().connections, 0);
    assert!(trap.accept().is_err(), "something went out");
    Ok(())
}

#[test]
fn refusals_of_the_service_are_reported_with_their_code() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let openssl = site.openssl();
    let key = site.ec(Curve::P256)?;
    refused(&openssl, "vault:testvault:nobody", &["404", "KeyNotFound", "vault:testvault:nobody"])?;
    site.vault().fault(Fault::new(FaultKind::Forbidden));
    refused(&openssl, &key, &["403", "Forbidden", &key])?;

    site.vault().fault(Fault::new(FaultKind::Forbidden).on(Operation::Sign));
    let data = site.text("plain.cnf");
    let output = openssl.fails(&format!("dgst -sha256 -sign {key} -out sig {data}"))?;
    assert!(entry(&output).contains("403"), "{}", output.describe());

    site.vault().create_key(NewKey::rsa("disabled", 2048).enabled(false))?;
    // Such a key can only be read.
    let reference = "vault:testvault:disabled";
    let output = openssl.fails(&format!("dgst -sha256 -sign {reference} -out sig {data}"))?;
    assert!(entry(&output).contains("disabled"), "{}", output.describe());
    site.vault().create_key(NewKey::rsa("sealed", 2048).key_ops(["decrypt"]))?;
    let reference = "vault:testvault:sealed";
    let output = openssl.fails(&format!("dgst -sha256 -sign {reference} -out sig {data}"))?;
    entry(&output);
    Ok(())
}

#[test]
fn a_bad_token_is_not_shown_in_messages() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.ec(Curve::P256)?;
    std::fs::write(site.path("bad-token"), "not-the-right-token-0123456789")?;
    let file = site.text("bad-token");
    let openssl = with(&site, "bad-token.cnf", &[("access-token-file", &file)])?;
    let said = refused(&openssl, &key, &["401"])?;
    assert!(!said.contains("not-the-right-token"), "{said}");
    let missing = site.text("no-such-token");
    let openssl = with(&site, "no-token.cnf", &[("access-token-file", &missing)])?;
    refused(&openssl, &key, &["no-such-token"])?;
    Ok(())
}

#[test]
fn a_closed_port_is_reported_with_the_reference() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let endpoint = format!("https://127.0.0.1:{port}");
    let settings = [("endpoint", endpoint.as_str()), ("timeout", "1s")];
    let openssl = with(&site, "closed.cnf", &settings)?;
    let started = Instant::now();
    refused(&openssl, "vault:testvault:k", &["vault:testvault:k", "refused"])?;
    assert!(started.elapsed() < Duration::from_secs(10));
    Ok(())
}

#[test]
fn a_certificate_of_another_authority_or_name_is_refused() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.ec(Curve::P256)?;
    let mut settings = site.settings();
    settings.retain(|(name, _)| *name != "ca-file");
    let config = site.configure("untrusted.cnf", &modules::provider()?, &settings)?;
    let openssl = OpenSsl::new(config, site.folder());
    refused(&openssl, &key, &["certificate"])?;

    // Its certificate is for 127.0.0.1 but not 127.0.0.2.
    let all = Emulator::builder().listen(([0, 0, 0, 0], 0).into()).start()?;
    let endpoint = format!("https://127.0.0.2:{}", all.address().port());
    std::fs::write(site.path("other-ca.pem"), all.ca_pem())?;
    let ca = site.text("other-ca.pem");
    let settings = [("endpoint", endpoint.as_str()), ("ca-file", &ca)];
    let openssl = with(&site, "name.cnf", &settings)?;
    refused(&openssl, &key, &["127.0.0.2"])?;
    assert_eq!((site.vault().stats().requests, all.stats().requests), (0, 0));
    Ok(())
}

#[test]
fn malformed_responses_are_reported_and_a_single_one_is_retried() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.rsa(2048)?;
    let file = site.key_file(&key, "garbage.key")?;
    let openssl = with(&site, "garbage.cnf", &[("timeout", "1500ms")])?;
    let data = site.text("plain.cnf");
    for kind in [
        FaultKind::NotJson,
        FaultKind::WrongShape,
        FaultKind::EmptyBody,
        FaultKind::TruncatedBody,
        FaultKind::ResetAfterRequest,
        FaultKind::HugeBody { bytes: 64 << 20 },
        FaultKind::Redirect { location: "https://evil.example/keys".into() },
        FaultKind::Status { status: 418, retry_after: None },
        FaultKind::Status { status: 503, retry_after: None },
    ] {
        site.vault().fault(Fault::new(kind.clone()).forever());
        refused(&openssl, &key, &[&key]).with_context(|| format!("{kind:?}"))?;
        let output = openssl.fails(&format!("dgst -sha256 -sign {file} -out sig {data}"))?;
        entry(&output);
        site.vault().clear_faults();
    }
    // One bad response causes only a retry.
    for kind in [FaultKind::NotJson, FaultKind::TruncatedBody, FaultKind::ResetAfterRequest] {
        site.vault().fault(Fault::new(kind).on(Operation::Sign));
        let output = site.openssl().ok(&format!("dgst -sha256 -sign {file} -out sig {data}"))?;
        assert_eq!(output.stderr, "", "success leaves no entry");
    }
    Ok(())
}

#[test]
fn an_invalid_signature_never_leaves_the_module() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    for key in [site.rsa(2048)?, site.ec(Curve::P256)?] {
        site.vault().fault(Fault::new(FaultKind::WrongSignature).forever());
        let data = site.text("plain.cnf");
        let output = site.openssl().fails(&format!("dgst -sha256 -sign {key} -out sig {data}"))?;
        assert!(entry(&output).contains("signature"), "{}", output.describe());
        assert!(std::fs::read(site.path("sig")).unwrap_or_default().is_empty());
        site.vault().clear_faults();
    }
    Ok(())
}

#[test]
fn a_server_that_hangs_is_abandoned_at_the_deadline() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.ec(Curve::P256)?;
    let openssl = with(&site, "hang.cnf", &[("timeout", "1s")])?;
    site.vault().fault(Fault::new(FaultKind::Hang).forever());
    let started = Instant::now();
    refused(&openssl, &key, &["1s"])?;
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(900) && took < Duration::from_secs(5), "{took:?}");

    // A server that never responds, not even to the handshake.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let endpoint = format!("https://{}", silent.local_addr()?);
    let settings = [("endpoint", endpoint.as_str()), ("timeout", "1s")];
    let openssl = with(&site, "silent.cnf", &settings)?;
    let started = Instant::now();
    refused(&openssl, &key, &["1s"])?;
    assert!(started.elapsed() < Duration::from_secs(5));
    Ok(())
}

#[test]
fn unsupported_pss_options_are_refused_without_a_request() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.rsa(2048)?;
    let file = site.key_file(&key, "digests.key")?;
    let data = site.text("plain.cnf");
    for options in [
        "-sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:20",
        "-sha224 -sigopt rsa_padding_mode:pss",
    ] {
        site.vault().reset_stats();
        let output =
            site.openssl().fails(&format!("dgst -sign {file} {options} -out sig {data}"))?;
        entry(&output);
        assert_eq!(site.vault().stats().requests, 0, "{options}");
    }
    Ok(())
}

#[test]
fn invalid_settings_are_named() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let file = site.key_file(&site.ec(Curve::P256)?, "settings.key")?;
    let own = site.text("own.key");
    site.plain().ok(&format!("genpkey -algorithm RSA -out {own}"))?;
    site.vault().reset_stats();
    for (variable, name, value) in [
        ("AKV_ENDPOINT", "endpoint", "http://127.0.0.1"),
        ("AKV_TIMEOUT", "timeout", "soon"),
        ("AKV_CA_FILE", "ca-file", "/nonexistent/ca.pem"),
        ("AKV_CLOUD", "cloud", "nine"),
        ("AKV_LOG_LEVEL", "log-level", "akv_core=[{"),
    ] {
        let in_environment = site.openssl().env(variable, value);
        let in_file = with(&site, "wrong.cnf", &[(name, value)])?;
        // Errors of logging, which is set up later, contain the setting's name, whatever its
        // source.
        let in_error = if name == "log-level" { name } else { variable };
        for (openssl, name) in [(&in_environment, in_error), (&in_file, name)] {
            for key in [file.as_str(), "vault:testvault:k"] {
                refused(openssl, key, &["invalid setting", name, value])?;
            }
            // Other keys are not affected.
            openssl.ok(&format!("pkey -in {own} -noout"))?;
            let list = openssl.ok("list -providers")?.text();
            let ours = list.split_once("akv_provider").map(|(_, ours)| ours).unwrap_or_default();
            assert!(ours.contains("status: inactive"), "{list}");
        }
    }
    assert_eq!(site.vault().stats().requests, 0);
    Ok(())
}

#[test]
fn malformed_key_files_are_refused() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.ec(Curve::P256)?;
    let file = site.key_file(&key, "whole.key")?;
    site.openssl().ok(&format!("pkey -in {file} -noout"))?;
    let text = site.read("whole.key")?;
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.len() - 1;
    let broken = site.text("broken.key");
    // Truncated at the start, truncated at the end, with another version, and far too long.
    let other_version = lines[1].replacen("AgEB", "AgEC", 1);
    assert_ne!(other_version, lines[1], "the version stands in the first line");
    let long = "A".repeat(64 * 1024);
    for body in [
        lines[2..last].to_vec(),
        lines[1..last - 1].to_vec(),
        [&[other_version.as_str()], &lines[2..last]].concat(),
        vec![long.as_str()],
    ] {
        std::fs::write(&broken, format!("{}\n{}\n{}\n", lines[0], body.join("\n"), lines[last]))?;
        let output = site.openssl().fails(&format!("pkey -in {broken} -noout"))?;
        let said = entry(&output);
        assert!(said.contains("key file"), "{said}");
    }
    assert_eq!(site.vault().stats().sign, 0);
    Ok(())
}
