//! Deleting and purging, which can safely be repeated.

use akv_core::{Curve, ErrorKind, NewKey, SignatureAlgorithm::Es256};
use akv_emulator::{Fault, FaultKind, Operation};

use super::{async_vault, both, open, run};

#[test]
fn a_deleted_key_is_gone_and_a_purged_name_is_free() {
    for (vault, reference) in both() {
        let made = open(&vault, &[], reference);
        let key = made.create("old", NewKey::ec(Curve::P256)).unwrap();
        let error = made.purge("old").unwrap_err();
        assert_eq!(error.status(), Some(404), "nothing is purged that was not deleted: {error}");
        key.sign(Es256, &[7; 32]).unwrap();
        made.delete("old").unwrap();
        assert_eq!(key.sign(Es256, &[7; 32]).unwrap_err().status(), Some(404));
        assert_eq!(made.list().count(), 0);
        let taken = made.create("old", NewKey::ec(Curve::P256)).unwrap_err();
        assert_eq!(taken.status(), Some(409), "{taken}");
        made.purge("old").unwrap();
        made.create("old", NewKey::ec(Curve::P256)).unwrap();
        run(async {
            let made = async_vault(&vault, reference);
            made.delete("old").await.unwrap();
            made.purge("old").await.unwrap();
        });
    }
}

#[test]
fn a_missing_key_is_named_in_the_error() {
    for (vault, reference) in both() {
        let made = open(&vault, &[], reference);
        for (error, doing) in [
            (made.delete("nothing").unwrap_err(), "cannot delete"),
            (made.purge("nothing").unwrap_err(), "cannot purge"),
        ] {
            assert_eq!(error.status(), Some(404));
            assert!(error.to_string().starts_with(&format!("{doing} {reference}nothing")));
        }
        assert_eq!(made.delete("").unwrap_err().kind(), ErrorKind::Reference);
        assert_eq!(made.purge("a/b").unwrap_err().kind(), ErrorKind::Reference);
    }
}

#[test]
fn a_lost_response_is_not_a_failure() {
    for (vault, reference) in both() {
        let made = open(&vault, &[], reference);
        made.create("old", NewKey::ec(Curve::P256)).unwrap();
        // Deleted, but the response broke off: the second request finds nothing.
        vault.emulator.fault(Fault::new(FaultKind::TruncatedBody).on(Operation::DeleteKey));
        made.delete("old").unwrap();
        assert_eq!(vault.emulator.stats().operation(Operation::DeleteKey), 2);
        // Not deleted, and the client cannot know.
        vault
            .emulator
            .fault(Fault::new(FaultKind::ResetAfterRequest).on(Operation::PurgeDeletedKey));
        made.purge("old").unwrap();
        assert_eq!(vault.emulator.stats().operation(Operation::PurgeDeletedKey), 2);
        let error = made.delete("old").unwrap_err();
        assert_eq!(error.status(), Some(404), "{error}");
    }
}
