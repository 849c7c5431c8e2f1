use std::ffi::OsString;

use super::super::{Builder, Settings};
use crate::ErrorKind;

const VERSION: &str = "0123456789abcdef0123456789abcdef";

fn settings(value: &str) -> crate::Result<Settings> {
    Settings::builder()
        .option("dns-suffix", "vault.example.org")?
        .option("allowed-keys", value)?
        .build()
}

fn allowed(settings: &Settings, reference: &str) -> bool {
    let reference = settings.reference(reference).expect("a reference");
    match settings.destination(&reference) {
        Ok(_) => true,
        Err(error) => {
            let text = error.to_string();
            assert_eq!(error.kind(), ErrorKind::NotAllowed, "{text}");
            assert!(text.contains("not allowed") && text.contains("allowed-keys"), "{text}");
            false
        }
    }
}

fn in_secure_process(builder: Builder, value: &str) -> crate::Result<Settings> {
    let variables = [("AKV_ALLOWED_KEYS", value), ("AKV_TIMEOUT", "soon")];
    let read = |name: &str| {
        let found = variables.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, value)| OsString::from(value))
    };
    builder.environment_of(true, read).build()
}

#[test]
fn without_the_setting_every_key_is_allowed() {
    let settings = Settings::builder().build().unwrap();
    assert!(allowed(&settings, "vault:myVault:web") && allowed(&settings, "managedHsm:myHsm:"));
}

#[test]
fn an_entry_allows_a_key_a_vault_or_a_version_in_every_form() {
    let versioned = format!("vault:myVault:web:{VERSION}");
    let other = format!("vault:myVault:web:{}", VERSION.replace('0', "1"));
    for (entry, yes, no) in [
        (
            "vault:myVault:web",
            vec!["vault:MYVAULT:WEB", &versioned, "engine:e_akv:vault:myVault:web"],
            vec!["vault:myVault:", "vault:myVault:web2", "managedHsm:myVault:web"],
        ),
        (
            "vault:myvault:",
            vec!["vault:myVault:web", "vault:MyVault:", &versioned],
            vec!["vault:myVault2:web", "managedHsm:myVault:web"],
        ),
        (&versioned, vec![&versioned], vec!["vault:myVault:web", &other, "vault:myVault:"]),
        (
            "vault:myVault:web?version=0123456789ABCDEF0123456789ABCDEF",
            vec![&versioned],
            vec![&other],
        ),
        (
            "engine:e_akv:managedHsm:myHsm:web",
            vec!["managedhsm:myhsm:web"],
            vec!["vault:myHsm:web"],
        ),
        (
            "https://myVault.vault.azure.net/keys/web",
            vec!["vault:myVault:web", "akv:https://myvault.vault.azure.net/keys/Web"],
            vec!["vault:myVault:mail"],
        ),
        (
            "akv:https://myVault.vault.azure.net/keys/",
            vec!["vault:myVault:web", "akv:type=vault,vault=myVault,name=web"],
            vec!["https://myVault.vault.example.org/keys/web"],
        ),
        (
            "https://myVault.vault.example.org/keys/",
            vec!["https://myvault.vault.example.org/keys/web"],
            vec!["vault:myVault:web"],
        ),
        ("store:vault:myVault:web", vec!["vault:myVault:web"], vec!["vault:myVault:mail"]),
        ("pkcs11:vault:myVault:web", vec!["vault:myVault:web"], vec!["vault:myVault:mail"]),
        (" vault:aaa:x , vault:bbb: ", vec!["vault:aaa:x", "vault:bbb:y"], vec!["vault:aaa:y"]),
    ] {
        let settings = settings(entry).unwrap();
        for reference in yes {
            assert!(allowed(&settings, reference), "{entry:?} and {reference}");
        }
        for reference in no {
            assert!(!allowed(&settings, reference), "{entry:?} and {reference}");
        }
    }
}

#[test]
fn empty_and_malformed_values_are_errors() {
    for (value, reason) in [
        ("", "allows nothing"),
        ("  ", "allows nothing"),
        (",", "empty"),
        ("vault:myVault:web,", "empty"),
        ("web", "not vault or managedHsm"),
        ("vault:my_vault:web", "vault name"),
        ("https://evil.example/keys/web", "not under"),
        ("akv:type=vault,vault=myVault,name=web", "akv: fields"),
        ("akv:vault=myVault", "akv: fields"),
    ] {
        let error = settings(value).unwrap_err();
        let text = error.to_string();
        assert_eq!(error.kind(), ErrorKind::Settings, "{value:?}: {text}");
        assert!(text.contains("allowed-keys") && text.contains(reason), "{value:?}: {text}");
    }
}

#[test]
fn every_source_restricts_further() {
    let read = |value: &'static str| {
        move |name: &str| (name == "AKV_ALLOWED_KEYS").then(|| OsString::from(value))
    };
    let file = || Settings::builder().option("allowed-keys", "vault:aaa:,vault:bbb:k").unwrap();
    let both = file().environment_from(read("vault:aaa:k,vault:bbb:,vault:ccc:")).build().unwrap();
    for (reference, expected) in [
        ("vault:aaa:k", true),
        ("vault:bbb:k", true),
        ("vault:aaa:x", false),
        ("vault:bbb:x", false),
        ("vault:ccc:k", false),
        ("vault:aaa:", false),
    ] {
        assert_eq!(allowed(&both, reference), expected, "{reference}");
    }
    // A later command, as to the engine, and an argument restrict further too.
    let again = file().option("allowed-keys", "vault:aaa:k").unwrap();
    let again = again.argument("allowed-keys", "vault:aaa:").unwrap().build().unwrap();
    assert!(allowed(&again, "vault:aaa:k"));
    assert!(!allowed(&again, "vault:aaa:x") && !allowed(&again, "vault:bbb:k"));
    let shown = again.in_force().into_iter().find(|setting| setting.name == "allowed-keys");
    let value = shown.and_then(|setting| setting.value).unwrap();
    assert_eq!(value, "vault:aaa:k");

    let empty = file().environment_from(read("")).build().unwrap_err();
    assert!(empty.to_string().contains("AKV_ALLOWED_KEYS"), "{empty}");
    let refused = file().environment_from(read("vault:aaa:k")).build().unwrap();
    let reference = refused.reference("vault:aaa:x").unwrap();
    let text = refused.vault_url(&reference).unwrap_err().to_string();
    assert!(text.contains("allowed-keys (AKV_ALLOWED_KEYS)"), "{text}");
}

#[test]
fn a_secure_process_reads_only_this_variable() {
    let settings = in_secure_process(Settings::builder(), "vault:aaa:k").unwrap();
    assert!(allowed(&settings, "vault:aaa:k") && !allowed(&settings, "vault:aaa:x"));
    assert_eq!(settings.timeout(), std::time::Duration::from_secs(10));
    let file = Settings::builder().option("allowed-keys", "vault:bbb:").unwrap();
    let none = in_secure_process(file, "vault:aaa:k").unwrap();
    assert!(!allowed(&none, "vault:aaa:k") && !allowed(&none, "vault:bbb:k"));
    assert!(in_secure_process(Settings::builder(), "").is_err());
}

#[test]
fn the_hint_fits_the_refused_reference() {
    for (value, reference, advice) in [
        (
            "vault:aaa:k",
            "vault:aaa:",
            "listing keys needs the whole vault in allowed-keys: vault:aaa:",
        ),
        (&format!("vault:aaa:k:{VERSION}"), "vault:aaa:k", "single versions"),
        ("vault:aaa:k", "vault:aaa:x", "add the key or its vault"),
    ] {
        let settings = settings(value).unwrap();
        let reference = settings.reference(reference).unwrap();
        let text = settings.vault_url(&reference).unwrap_err().to_string();
        assert!(text.contains(advice), "{text}");
    }
}
