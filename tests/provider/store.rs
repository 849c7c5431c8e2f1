//! A vault's list of keys.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime},
};

use akv_emulator::{Curve, Fault, FaultKind, NewKey, Operation, Persona};
use akv_tests::{Output, Site, Task, cc};
use anyhow::Result;

/// `OSSL_STORE_INFO_…`.
const ANYTHING: u32 = 0;
const NAME: u32 = 1;

/// More loads than any store here has objects.
const ALL: u32 = 200;

/// Loads from a store with a C program.
fn load(site: &Site, uri: &str, expected: u32, loads: u32) -> Result<Output> {
    let program = cc::compile("provider/store_list", site.folder())?;
    let task = Task::new(program).env("OPENSSL_CONF", site.path("openssl.cnf"));
    task.args([uri, &expected.to_string(), &loads.to_string()]).ok()
}

fn lists(site: &Site) -> u64 {
    site.vault().stats().operations.get("listKeys").copied().unwrap_or(0)
}

/// A vault with this many keys, `key-000` and so on.
fn filled(persona: Persona, keys: usize) -> Result<Site> {
    let site = Site::start(persona)?;
    for number in 0..keys {
        site.vault().create_key(NewKey::ec(format!("key-{number:03}"), Curve::P256))?;
    }
    site.vault().reset_stats();
    Ok(site)
}

#[test]
fn a_vault_lists_its_keys_by_names_that_open_them() -> Result<()> {
    let site = filled(Persona::Vault, 3)?;
    for reference in [
        "vault:testvault:",
        "VAULT:testvault:",
        "engine:e_akv:vault:testvault:",
        "akv:type=vault,vault=testvault,name=",
        "akv:https://testvault.vault.azure.net/keys",
        "akv:https://testvault.vault.azure.net/keys/",
    ] {
        let output = site.openssl().ok(&format!("storeutl {reference}"))?;
        let text = output.text();
        let names: Vec<&str> = text.lines().filter(|line| line.contains(": Name: ")).collect();
        let expected = ["key-000", "key-001", "key-002"];
        assert_eq!(names.len(), expected.len(), "{reference}: {}", output.describe());
        for (number, (line, name)) in names.iter().zip(expected).enumerate() {
            assert_eq!(*line, format!("{number}: Name: vault:testvault:{name}"), "{reference}");
        }
        assert!(text.contains("Total found: 3"), "{}", output.describe());
        assert_eq!(output.stderr, "", "{reference}");
    }
    let recursive = site.openssl().ok("storeutl -r -noout vault:testvault:")?.text();
    assert_eq!(recursive.matches(": Pkey").count(), 3, "{recursive}");
    Ok(())
}

#[test]
fn a_managed_hsm_lists_its_keys() -> Result<()> {
    let site = filled(Persona::ManagedHsm, 30)?;
    let text = load(&site, "managedHsm:testvault:", NAME, ALL)?.text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 31, "{text}");
    assert_eq!((lines[29], lines[30]), ("name managedHsm:testvault:key-029", "end"));
    Ok(())
}

#[test]
fn pages_are_requested_when_needed() -> Result<()> {
    let site = filled(Persona::Vault, 60)?;
    for (loads, pages, end) in [
        (0, 0, false),
        (1, 1, false),
        (25, 1, false),
        (26, 2, false),
        (59, 3, false),
        (60, 3, true),
    ] {
        site.vault().reset_stats();
        let output = load(&site, "vault:testvault:", ANYTHING, loads)?;
        let text = output.text();
        let names: BTreeSet<&str> = text.lines().filter(|l| l.starts_with("name ")).collect();
        assert_eq!(names.len(), loads as usize, "{}", output.describe());
        assert_eq!(text.ends_with("end\n"), end, "{}", output.describe());
        assert_eq!(lists(&site), pages, "{loads} loads");
        assert_eq!(output.stderr, "");
    }
    Ok(())
}

#[test]
fn an_empty_vault_has_no_names() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let output = site.openssl().ok("storeutl vault:testvault:")?;
    assert!(!output.text().contains("Name"), "{}", output.describe());
    assert_eq!(output.stderr, "");
    assert_eq!(load(&site, "vault:testvault:", ANYTHING, ALL)?.text(), "end\n");
    Ok(())
}

#[test]
fn a_list_shows_why_a_key_cannot_be_used() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let (now, day) = (SystemTime::now(), Duration::from_secs(86_400));
    for key in [
        NewKey::ec("a-plain", Curve::P256),
        NewKey::ec("b-disabled", Curve::P256).enabled(false),
        NewKey::ec("c-expired", Curve::P256).expires(SystemTime::UNIX_EPOCH + 366 * day),
        NewKey::ec("d-early", Curve::P256).not_before(now + day).expires(now + 2 * day),
    ] {
        site.vault().create_key(key)?;
    }
    let text = load(&site, "vault:testvault:", NAME, ALL)?.text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "name vault:testvault:a-plain");
    assert_eq!(lines[1], "name vault:testvault:b-disabled | disabled");
    assert_eq!(lines[2], "name vault:testvault:c-expired | expired 1971-01-02T00:00:00Z");
    assert!(lines[3].starts_with("name vault:testvault:d-early | not valid before 2"), "{text}");
    assert!(lines[3].contains("Z, expires 2"), "{text}");
    Ok(())
}

#[test]
fn a_list_is_refused_as_a_key_without_a_request() -> Result<()> {
    let site = filled(Persona::Vault, 1)?;
    let words = ["names a vault's list of keys", "add the key's name", "vault:testvault:KEY"];
    for reference in ["vault:testvault:", "akv:type=vault,vault=testvault,name="] {
        // Parameters, a public key, a private key, a certificate, a revocation list.
        for expected in 2..=6 {
            let output = load(&site, reference, expected, ALL)?;
            assert_eq!(output.text(), "error\nend\n", "{expected}");
            let entries: Vec<&str> = output.stderr.lines().collect();
            assert_eq!(entries.len(), 1, "{}", output.describe());
            for word in words {
                assert!(entries[0].contains(word), "{}", output.describe());
            }
        }
        for command in ["pkey -in", "x509 -in", "crl -in", "storeutl -keys", "storeutl -certs"] {
            let output = site.openssl().fails(&format!("{command} {reference}"))?;
            assert!(output.stderr.contains(words[0]), "{}", output.describe());
        }
    }
    let stats = site.vault().stats();
    assert_eq!((stats.connections, stats.requests), (0, 0));
    Ok(())
}

#[test]
fn a_key_has_no_names() -> Result<()> {
    let site = filled(Persona::Vault, 1)?;
    // Names, parameters, revocation lists.
    for expected in [NAME, 2, 6] {
        assert_eq!(load(&site, "vault:testvault:key-000", expected, ALL)?.text(), "end\n");
    }
    assert_eq!(site.vault().stats().connections, 0);
    Ok(())
}

#[test]
fn a_failure_in_the_middle_is_reported_once_and_ends_the_list() -> Result<()> {
    let site = filled(Persona::Vault, 60)?;
    let elsewhere = "https://evil.example/keys?api-version=7.4&$skiptoken=x".to_owned();
    let nowhere = format!("{}/nowhere?api-version=7.4", site.vault().endpoint());
    for (location, word) in [(elsewhere, "evil.example"), (nowhere, "404")] {
        site.vault().fault(Fault::next_link(location).on(Operation::ListKeys).forever());
        let output = load(&site, "vault:testvault:", ANYTHING, ALL)?;
        let text = output.text();
        assert_eq!(text.lines().filter(|line| line.starts_with("name ")).count(), 25, "{text}");
        assert!(text.ends_with("key-024\nerror\nend\n"), "{text}");
        let entries: Vec<&str> = output.stderr.lines().collect();
        assert_eq!(entries.len(), 1, "{}", output.describe());
        assert!(entries[0].contains("list the keys of vault:testvault:"), "{}", entries[0]);
        assert!(entries[0].contains(word), "{}", entries[0]);
        let output = site.openssl().fails("storeutl vault:testvault:")?;
        assert!(output.text().contains("Total found: 25"), "{}", output.describe());
        assert_eq!(output.stderr.lines().count(), 1, "{}", output.describe());
        site.vault().clear_faults();
    }
    for kind in [FaultKind::Forbidden, FaultKind::Unauthorized] {
        site.vault().fault(Fault::new(kind.clone()).forever());
        let output = load(&site, "vault:testvault:", ANYTHING, ALL)?;
        assert_eq!(output.text(), "error\nend\n", "{kind:?}");
        assert_eq!(output.stderr.lines().count(), 1, "{}", output.describe());
        site.vault().clear_faults();
    }
    // One bad response causes only a retry.
    for kind in [FaultKind::NotJson, FaultKind::TruncatedBody, FaultKind::ResetAfterRequest] {
        site.vault().fault(Fault::new(kind).on(Operation::ListKeys));
        let output = site.openssl().ok("storeutl vault:testvault:")?;
        assert!(output.text().contains("Total found: 60"), "{}", output.describe());
        assert_eq!(output.stderr, "", "success leaves no entry");
    }
    Ok(())
}

/// BIND loads a private and a public key from a label, as separate objects.
#[test]
fn a_store_without_an_expected_type_returns_both_halves_of_a_key() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let program = cc::compile("provider/label_pair", site.folder())?;
    for (reference, kind) in [(site.rsa(2048)?, "RSA"), (site.ec(Curve::P256)?, "EC")] {
        site.vault().reset_stats();
        let task = Task::new(&program).env("OPENSSL_CONF", site.path("openssl.cnf"));
        assert_eq!(task.arg(&reference).ok()?.text().trim(), kind);
        let stats = site.vault().stats();
        assert_eq!((stats.get_key, stats.sign), (1, 1), "{stats:?}");
        let listed = load(&site, &reference, ANYTHING, ALL)?.text();
        assert_eq!(listed, "Pkey\nPublic key\nend\n");
        let found = site.openssl().ok(&format!("storeutl -noout {reference}"))?.text();
        assert!(found.contains("Total found: 2"), "{found}");
    }
    Ok(())
}
