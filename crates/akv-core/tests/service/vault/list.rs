//! Lists of keys and versions, page by page.

use std::{collections::BTreeSet, io::ErrorKind as IoErrorKind, net::TcpListener};

use akv_core::ErrorKind;
use akv_emulator::{Curve, Fault, FaultKind, NewKey, Operation};
use futures::TryStreamExt;

use super::{Vault, async_vault, both, open, run};

#[test]
fn every_key_is_listed_once_over_any_number_of_pages() {
    for (vault, reference) in both() {
        let listed = open(&vault, &[], reference);
        for count in [0, 1, 25, 26, 60] {
            for n in 0..count {
                let key = NewKey::ec(format!("key-{n}"), Curve::P256)
                    .enabled(n % 2 == 0)
                    .tag("n", n.to_string());
                vault.emulator.ensure_key(key).unwrap();
            }
            vault.emulator.reset_stats();
            let mut list = listed.list();
            assert!(!list.is_finished(), "before the first page");
            let items: Vec<_> = list.by_ref().map(Result::unwrap).collect();
            assert!(list.is_finished());
            let pages = (count as u64).div_ceil(25).max(1);
            assert_eq!(vault.emulator.stats().operation(Operation::ListKeys), pages);
            assert_eq!(vault.emulator.stats().requests, pages);
            let names: BTreeSet<_> = items.iter().map(|item| item.name().to_owned()).collect();
            let expected: BTreeSet<_> = (0..count).map(|n| format!("key-{n}")).collect();
            assert_eq!((names, items.len()), (expected, count));
            for item in items {
                let attributes = item.attributes();
                let number: usize = attributes.tags()["n"].parse().unwrap();
                assert_eq!(item.name(), format!("key-{number}"));
                assert_eq!(attributes.enabled(), number.is_multiple_of(2));
                assert_eq!((item.version(), attributes.key_type()), (None, None));
                assert!(attributes.created().is_some() && attributes.updated().is_some());
            }
        }
    }
}

#[test]
fn the_async_list_is_a_stream_and_can_be_read_page_by_page() {
    let vault = Vault::start();
    for n in 0..30 {
        vault.emulator.create_key(NewKey::ec(format!("k{n}"), Curve::P256)).unwrap();
    }
    run(async {
        let listed = async_vault(&vault, "vault:myVault:");
        let streamed: Vec<_> = listed.list().into_stream().try_collect().await.unwrap();
        assert_eq!(streamed.len(), 30);
        assert_eq!(listed.list().all().await.unwrap().len(), 30);
        let mut list = listed.list();
        let mut pages = Vec::new();
        while let Some(page) = list.next_page().await.unwrap() {
            pages.push(page.len());
            assert_eq!(list.is_finished(), pages.len() == 2);
        }
        assert_eq!(pages, [25, 5]);
        assert!(list.next_page().await.unwrap().is_none(), "the end stays the end");
    });
}

#[test]
fn pages_are_requested_as_needed() {
    let vault = Vault::start();
    for n in 0..30 {
        vault.emulator.create_key(NewKey::ec(format!("k{n}"), Curve::P256)).unwrap();
    }
    let listed = open(&vault, &[], "vault:myVault:");
    vault.emulator.reset_stats();
    let mut list = listed.list();
    assert_eq!(vault.emulator.stats().requests, 0);
    assert!(list.by_ref().take(25).all(|item| item.is_ok()));
    assert_eq!(vault.emulator.stats().requests, 1);
    assert_eq!(list.count(), 5);
    assert_eq!(vault.emulator.stats().requests, 2);
}

#[test]
fn versions_are_listed_and_each_opens() {
    for (vault, reference) in both() {
        let first = vault.emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
        let mut expected = BTreeSet::from([first.version]);
        for _ in 0..30 {
            expected.insert(vault.emulator.rotate_key("ec").unwrap().version);
        }
        let client = vault.client(&[]);
        let listed = open(&vault, &[], reference);
        let items: Vec<_> = listed.versions("ec").unwrap().map(Result::unwrap).collect();
        let found: BTreeSet<_> =
            items.iter().map(|item| item.version().unwrap().to_owned()).collect();
        assert_eq!((found, items.len()), (expected, 31));
        let key = client.key(items[7].reference()).unwrap();
        assert_eq!(Some(key.version()), items[7].version());

        let error = listed.versions("nothing").unwrap().next().unwrap().unwrap_err();
        assert_eq!(error.status(), Some(404), "{error}");
        assert_eq!(listed.versions("a/b").unwrap_err().kind(), ErrorKind::Reference);
    }
}

#[test]
fn a_failed_page_can_be_requested_again() {
    for (vault, reference) in both() {
        for n in 0..30 {
            vault.emulator.create_key(NewKey::ec(format!("k{n}"), Curve::P256)).unwrap();
        }
        let listed = open(&vault, &[], reference);
        for kind in [
            FaultKind::Status { status: 503, retry_after: None },
            FaultKind::Status { status: 429, retry_after: Some(1) },
            FaultKind::ResetAfterRequest,
            FaultKind::TruncatedBody,
            FaultKind::NotJson,
            FaultKind::WrongShape,
        ] {
            let mut list = listed.list();
            let first = list.next_page().unwrap().unwrap();
            vault.emulator.fault(Fault::new(kind.clone()).on(Operation::ListKeys));
            let second = list.next_page().unwrap().unwrap();
            assert_eq!((first.len(), second.len()), (25, 5), "{kind:?}");
        }

        // After an error the page can be requested again; the iterator ends.
        let mut list = listed.list();
        list.next_page().unwrap();
        vault.emulator.fault(Fault::new(FaultKind::Forbidden).on(Operation::ListKeys));
        assert_eq!(list.next_page().unwrap_err().status(), Some(403));
        assert_eq!(list.next_page().unwrap().unwrap().len(), 5);
        vault.emulator.fault(Fault::new(FaultKind::Forbidden).on(Operation::ListKeys));
        let mut list = listed.list();
        let error = list.next().unwrap().unwrap_err();
        assert!(error.to_string().starts_with(&format!("cannot list the keys of {reference}")));
        assert!(list.next().is_none());
    }
}

#[test]
fn links_are_followed_on_the_vaults_own_server_only() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
    let listed = open(&vault, &[], "vault:myVault:");
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let address = elsewhere.local_addr().unwrap();
    for link in [
        format!("https://{address}/keys"),
        format!("http://{address}/keys"),
        format!("//{address}/keys"),
        vault.emulator.endpoint().replace("https", "http") + "/keys",
    ] {
        vault.emulator.fault(Fault::next_link(link.clone()));
        vault.emulator.reset_stats();
        let mut list = listed.list();
        assert_eq!(list.next_page().unwrap().unwrap().len(), 1);
        let error = list.next_page().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Response, "{link}: {error}");
        assert!(error.to_string().contains("links to another server"), "{error}");
        assert_eq!(vault.emulator.stats().requests, 1);
        let nobody = elsewhere.accept().unwrap_err();
        assert_eq!(nobody.kind(), IoErrorKind::WouldBlock, "{link}");
    }
}

#[test]
fn a_link_to_its_own_page_ends_the_list() {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
    let link = format!("{}/keys?api-version=7.4", vault.emulator.endpoint());
    vault.emulator.fault(Fault::next_link(link).forever());
    let error = open(&vault, &[], "vault:myVault:").list().find_map(Result::err).unwrap();
    assert_eq!(error.kind(), ErrorKind::Response, "{error}");
    assert!(vault.emulator.stats().requests <= 3);
}

#[test]
fn a_reference_to_a_key_is_refused_as_a_vault() {
    let vault = Vault::start();
    let client = vault.client(&[]);
    let reference = client.reference("vault:myVault:myKey").unwrap();
    let error = client.vault(&reference).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Reference);
    assert!(error.to_string().contains("vault:myVault:"), "{error}");
    client.vault(&reference.vault()).unwrap();
    assert_eq!(vault.emulator.stats().connections, 0);
}
