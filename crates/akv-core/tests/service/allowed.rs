//! `allowed-keys`: every entry point of the library, without a single connection.

use akv_core::{
    AesSize, Curve, Error, ErrorKind, KeyFile, KeyReference, NewKey, SignatureAlgorithm::Es256,
    blocking::Client,
};
use akv_emulator::{NewKey as Made, Persona};

use super::{Vault, run};

/// The error for `refused` from each entry point.
fn every_door(
    client: &Client,
    refused: &KeyReference,
    file: &KeyFile,
) -> Vec<(&'static str, Error)> {
    let name = refused.key_name().expect("a key");
    let versioned =
        client.reference(&format!("{refused}:{}", "0".repeat(32))).expect("a reference");
    let vault = client.vault(&refused.vault()).expect("no request is made");
    let versions = vault.versions(name).map(|mut list| list.next().map(|item| item.err()));
    let listed = vault.list().next().map(|item| item.err());
    let mut doors = vec![
        ("key", client.key(refused).err()),
        ("key at a version", client.key(&versioned).err()),
        ("symmetric key", client.symmetric_key(refused).err()),
        ("any key", client.any_key(refused).err()),
        ("complete key file", client.key_from_file(file).err()),
        ("list", listed.flatten()),
        ("versions", versions.expect("a name").flatten()),
        ("create", vault.create(name, NewKey::ec(Curve::P256)).err()),
        ("rotate", vault.rotate(name).err()),
        ("delete", vault.delete(name).err()),
        ("purge", vault.purge(name).err()),
        ("url", client.settings().vault_url(refused).err()),
    ];
    if refused.kind() == akv_core::VaultKind::Vault {
        doors.push(("certificate", client.certificate(refused).err()));
    } else {
        doors.push(("create symmetric", vault.create(name, NewKey::aes(AesSize::Bits256)).err()));
    }
    let client = akv_core::Client::new(client.settings().clone());
    let probes = run(async {
        let server = client.probe_server(refused).await.err();
        let credentials = client.probe_credentials(refused).await.err();
        [("probe of the server", server), ("probe of the credentials", credentials)]
    });
    doors.extend(probes);
    let told = |(door, error): (&'static str, Option<Error>)| {
        (door, error.unwrap_or_else(|| panic!("{door} is open")))
    };
    doors.into_iter().map(told).collect()
}

#[test]
fn every_way_to_a_key_is_refused_before_anything_is_sent() {
    for (persona, kind) in [(Persona::Vault, "vault"), (Persona::ManagedHsm, "managedHsm")] {
        let vault = Vault::of(persona);
        for name in ["web", "mail"] {
            vault.emulator.create_key(Made::ec(name, akv_emulator::Curve::P256)).unwrap();
        }
        let mail = format!("{kind}:myVault:mail");
        let file = vault.key(&[], &mail).unwrap().key_file();
        vault.emulator.reset_stats();
        // Another key is allowed, but not the whole vault.
        let client = vault.client(&[("allowed-keys", &format!("{kind}:myVault:web"))]);
        let mail = client.reference(&mail).unwrap();
        for (door, error) in every_door(&client, &mail, &file) {
            let text = error.to_string();
            assert_eq!(error.kind(), ErrorKind::NotAllowed, "{door}: {text}");
            assert!(text.contains("not allowed"), "{door}: {text}");
            assert!(text.contains("allowed-keys"), "{door}: {text}");
        }
        let stats = vault.emulator.stats();
        assert_eq!((stats.connections, stats.requests, stats.token_requests), (0, 0, 0));

        let web = client.key(&client.reference(&format!("{kind}:MYVAULT:Web")).unwrap()).unwrap();
        web.sign(Es256, &[7; 32]).unwrap();
        assert!(client.key_from_file(&web.key_file()).is_ok());
    }
}

#[test]
fn one_version_is_allowed_and_a_vault_is_allowed_as_a_whole() {
    let vault = Vault::start();
    let open = vault.client(&[]);
    let all = open.vault(&open.reference("vault:myVault:").unwrap()).unwrap();
    let old = all.create("web", NewKey::ec(Curve::P256)).unwrap();
    let new = all.rotate("web").unwrap();
    let new = new.pinned_reference();
    let client = vault.client(&[("allowed-keys", &old.pinned_reference().to_string())]);
    client.key(old.pinned_reference()).unwrap().sign(Es256, &[7; 32]).unwrap();
    for reference in [new, old.reference()] {
        assert_eq!(client.key(reference).unwrap_err().kind(), ErrorKind::NotAllowed);
    }
    let one = client.vault(&all.reference().clone()).unwrap();
    assert_eq!(one.rotate("web").unwrap_err().kind(), ErrorKind::NotAllowed);

    let client = vault.client(&[("allowed-keys", "vault:myvault:")]);
    let whole = client.vault(all.reference()).unwrap();
    assert_eq!(whole.list().map(Result::unwrap).count(), 1);
    whole.create("mail", NewKey::ec(Curve::P256)).unwrap();
    let other = client.reference("vault:other:web").unwrap();
    assert_eq!(client.key(&other).unwrap_err().kind(), ErrorKind::NotAllowed);
}

#[test]
fn an_allowed_key_can_be_created_and_deleted() {
    let vault = Vault::start();
    let client = vault.client(&[("allowed-keys", "vault:myVault:new")]);
    let all = client.vault(&client.reference("vault:myVault:").unwrap()).unwrap();
    all.create("new", NewKey::ec(Curve::P256)).unwrap();
    all.rotate("new").unwrap();
    assert_eq!(all.versions("new").unwrap().map(Result::unwrap).count(), 2);
    all.delete("new").unwrap();
}
