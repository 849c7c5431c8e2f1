//! Every form, every error, and the guarantee that no text names a host that was not checked.

use proptest::prelude::*;

use super::*;
use crate::Cloud;

const VERSION: &str = "0123456789abcdef0123456789abcdef";

fn parse(text: &str) -> Result<KeyReference> {
    text.parse()
}

#[test]
fn every_form_names_the_same_key() {
    let expected = parse("managedHsm:myHsm:myKey").unwrap();
    for text in [
        "engine:e_akv:managedHsm:myHsm:myKey",
        "ENGINE:e_akv:MANAGEDHSM:myhsm:mykey",
        "akv:type=managedhsm,vault=myHsm,name=myKey",
        "akv:vault=myHsm,name=myKey",
        "akv:keyvault_type=managedHsm,keyvault_name=myHsm,key_name=myKey",
        "https://myHsm.managedhsm.azure.net/keys/myKey",
        "HTTPS://MYHSM.managedHSM.azure.net/keys/myKey",
        "akv:https://myHsm.managedhsm.azure.net/keys/myKey",
        "akv:https://myHsm.managedhsm.azure.net/keys/myKey/",
    ] {
        let reference = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(reference, expected, "{text}");
        assert_eq!(reference.to_string(), text);
        assert_eq!(reference.version(), None);
        assert_eq!(reference.host("managedhsm.azure.net"), "myhsm.managedhsm.azure.net");
    }
}

#[test]
fn every_form_accepts_a_version() {
    for text in [
        format!("vault:myVault:myKey:{VERSION}"),
        format!("vault:myVault:myKey?version={VERSION}"),
        format!("vault:myVault:myKey:{}", VERSION.to_uppercase()),
        format!("engine:e_akv:vault:myVault:myKey:{VERSION}"),
        format!("engine:e_akv:vault:myVault:myKey?version={VERSION}"),
        format!("akv:type=vault,vault=myVault,name=myKey,version={VERSION}"),
        format!("akv:type=vault,vault=myVault,name=myKey,key_version={VERSION}"),
        format!("https://myVault.vault.azure.net/keys/myKey/{VERSION}"),
        format!("https://myVault.vault.azure.net/keys/myKey/{VERSION}/"),
    ] {
        let reference = parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(reference.version(), Some(VERSION), "{text}");
        assert_eq!(reference.kind(), VaultKind::Vault);
    }
}

#[test]
fn pinning_returns_the_canonical_form() {
    let reference = parse("engine:e_akv:managedHsm:myHsm:myKey").unwrap();
    assert_eq!(reference.pinned(VERSION).to_string(), format!("managedHsm:myHsm:myKey:{VERSION}"));
}

#[test]
fn a_reference_without_a_key_name_names_the_vault() {
    for text in [
        "vault:myVault:",
        "akv:type=vault,vault=myVault,name=",
        "https://myVault.vault.azure.net/keys",
        "https://myVault.vault.azure.net/keys/",
    ] {
        assert_eq!(parse(text).unwrap().key_name(), None, "{text}");
    }
}

#[test]
fn refusals_name_the_section_and_the_reason() {
    let long_key = format!("vault:myVault:{}", "k".repeat(128));
    for (text, reason) in [
        ("", "the type"),
        ("myKey", "the type"),
        ("file:key.pem", "the type"),
        ("vault:myVault", "key name is missing"),
        ("vault:ab:k", "vault name \"ab\": it has 2 characters, 3 to 24"),
        ("managedhsm:evil.example/?:k", "key name is missing"),
        ("managedhsm:evil.example/:k", "'.' is not a letter"),
        ("vault:my_vault:k", "'_' is not a letter"),
        ("vault:-vault:k", "begin or end with a hyphen"),
        ("vault:xn--a:k", "two hyphens in a row"),
        ("vault:myVault:../secrets/x", "key name"),
        ("vault:myVault:k?v=1", "only version="),
        ("vault:myVault:k:123", "32 hexadecimal"),
        ("vault:myVault:k?version=", "32 hexadecimal"),
        ("vault:myVault::0123456789abcdef0123456789abcdef", "no key name"),
        ("vault:myVault:k:0123456789abcdef0123456789abcdef:x", "too many sections"),
        (
            "vault:myVault:k:0123456789abcdef0123456789abcdef?version=0123456789abcdef0123456789abcdef",
            "version twice",
        ),
        (&long_key, "128 characters, 1 to 127"),
        ("vault:myVault:k\u{e9}y", "is not a letter"),
        ("vault:myVault:k\n", "is not a letter"),
        ("engine:pkcs11:vault:myVault:k", "not e_akv"),
        ("engine:e_akv", "engine id is missing"),
        ("akv:name=k", "\"vault\" is missing"),
        ("akv:vault=myVault", "\"name\" is missing"),
        ("akv:vault=myVault,name=k,name=l", "\"name\" is repeated"),
        ("akv:vault=myVault,name=k,key_name=l", "\"key_name\" is repeated"),
        ("akv:vault=myVault,name=k,colour=red", "unknown field \"colour\""),
        ("akv:vault=myVault,name=k,", "not of the form"),
        ("akv:type=safe,vault=myVault,name=k", "the type \"safe\""),
        ("http://myVault.vault.azure.net/keys/k", "only https"),
        ("https://myVault.vault.azure.net:443/keys/k", "no user, port"),
        ("https://me@myVault.vault.azure.net/keys/k", "no user, port"),
        ("https://myVault.vault.azure.net/keys/k?x=1", "no user, port"),
        ("https://myVault.vault.azure.net/keys/k#x", "no user, port"),
        ("https://myVault.vault.azure.net", "no path"),
        ("https://myVault.vault.azure.net/secrets/k", "does not begin with /keys"),
        ("https://myVault.vault.azure.net/keysx", "does not begin with /keys"),
        ("https://myVault.vault.azure.net/keys/k/a/b", "too many parts"),
        ("https://myVault.vault.azure.net/keys/k/a/b/", "too many parts"),
        ("https://myVault.vault.azure.net/keys/k//", "too many parts"),
        ("https://myVault.vault.azure.net/keys/../secrets", "key name"),
        ("https://myVault.vault.azure.net.evil.example/keys/k", "is not under"),
        ("https://evilvault.azure.net/keys/k", "is not under"),
        ("https://a.b.vault.azure.net/keys/k", "'.' is not a letter"),
        ("https://myVault.vault.azure.cn/keys/k", "is not under"),
        ("https://127.0.0.1/keys/k", "not a plain host name"),
        ("https://myVault.vault.azure.net\\@evil.example/keys/k", "no user, port"),
        ("https://evil.example\\.vault.azure.net/keys/k", "not a plain host name"),
        ("https:/myVault.vault.azure.net/keys/k", "no path"),
    ] {
        let error = parse(text).expect_err(text);
        assert_eq!(error.kind(), crate::ErrorKind::Reference, "{text}");
        assert!(error.to_string().contains(reason), "{text}: {error}");
    }
}

#[test]
fn urls_are_accepted_for_the_configured_cloud_and_suffixes_only() {
    let hosts = TrustedHosts { cloud: Cloud::China, extra: vec!["managedhsm.corp.example".into()] };
    let china = KeyReference::parse("https://v01.vault.azure.cn/keys/k", &hosts).unwrap();
    assert_eq!(china.host(Cloud::China.dns_suffix(VaultKind::Vault)), "v01.vault.azure.cn");
    let corp = KeyReference::parse("https://h01.managedhsm.corp.example/keys/k", &hosts).unwrap();
    assert_eq!(corp.kind(), VaultKind::ManagedHsm);
    assert_eq!(corp.host("managedhsm.azure.cn"), "h01.managedhsm.corp.example");
    let pinned = KeyReference::parse(&corp.pinned(VERSION).to_string(), &hosts).unwrap();
    assert_eq!(pinned.version(), Some(VERSION));
    assert!(KeyReference::parse("https://v01.vault.azure.net/keys/k", &hosts).is_err());
}

#[test]
fn hash_and_serde_agree_with_comparison_and_text() {
    let set: std::collections::HashSet<KeyReference> = [
        "managedHsm:myHsm:myKey",
        "engine:e_akv:MANAGEDHSM:MYHSM:mykey",
        "https://myHsm.managedhsm.azure.net/keys/myKey",
        "vault:myHsm:myKey",
    ]
    .into_iter()
    .map(|text| parse(text).unwrap())
    .collect();
    assert_eq!(set.len(), 2);

    let text = "\"engine:e_akv:managedHsm:myHsm:myKey\"";
    let reference: KeyReference = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&reference).unwrap(), text);
    let error = serde_json::from_str::<KeyReference>("\"vault:ab:k\"").unwrap_err();
    assert!(error.to_string().contains("the vault name \"ab\""), "{error}");
    assert!(serde_json::from_str::<KeyReference>("7").is_err());
}

#[test]
fn vault_and_other_keys_are_derived_from_a_key() {
    let hosts = TrustedHosts { cloud: Cloud::Public, extra: vec!["vault.corp.example".into()] };
    for text in [
        "vault:myVault:one",
        "vault:myVault:one:0123456789abcdef0123456789abcdef",
        "https://v01.vault.corp.example/keys/one",
    ] {
        let reference = KeyReference::parse(text, &hosts).unwrap();
        let vault = reference.vault();
        assert_eq!((vault.key_name(), vault.version()), (None, None), "{text}");
        assert_eq!(KeyReference::parse(&vault.to_string(), &hosts).unwrap(), vault, "{text}");
        let other = reference.with_key("two").unwrap();
        assert_eq!((other.key_name(), other.version()), (Some("two"), None), "{text}");
        assert_eq!(KeyReference::parse(&other.to_string(), &hosts).unwrap(), other, "{text}");
        assert_eq!(other.vault(), vault);
    }
    let error = parse("vault:myVault:").unwrap().with_key("a/b").unwrap_err();
    assert!(error.to_string().contains("'/' is not a letter"), "{error}");
}

proptest! {
    /// Valid references have plain names, so host and path are what they seem to be.
    #[test]
    fn no_text_names_an_untrusted_host(text in hostile()) {
        if let Ok(reference) = parse(&text) {
            let suffix = Cloud::Public.dns_suffix(reference.kind());
            let host = reference.host(suffix);
            let url = url::Url::parse(&format!("https://{host}/")).unwrap();
            prop_assert_eq!(url.host_str(), Some(host.as_str()));
            let (label, rest) = host.split_once('.').unwrap();
            prop_assert_eq!(rest, suffix);
            let plain = |s: &str| s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            prop_assert!(plain(label) && plain(reference.key_name().unwrap_or("")));
            prop_assert_eq!(parse(&reference.to_string()).unwrap(), reference);
        }
    }

    #[test]
    fn parsing_never_panics(text in any::<String>()) {
        let _ = parse(&text);
    }
}

/// Text made of pieces of references and pieces of attacks.
fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "vault",
        "managedHsm",
        "engine",
        "e_akv",
        "akv",
        "https",
        "http",
        ":",
        "//",
        "/",
        "?",
        "=",
        ",",
        "@",
        "#",
        "\\",
        ".",
        "%2f",
        "%00",
        "myVault",
        "myKey",
        "keys",
        "type",
        "name",
        "version",
        ".vault.azure.net",
        ".managedhsm.azure.net",
        "evil.example",
        "..",
        " ",
        "\t",
        VERSION,
        "é",
        "\0",
        "[::1]",
        ":443",
        "xn--",
        "-",
    ]);
    prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
}
