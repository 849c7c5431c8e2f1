//! A key as data that libcrypto turns into an object, without another request.

use crate::key::{KeyType, OBJECT_PKEY};
use akv_core::blocking::Key;
use ossl_abi::names;
use ossl_abi::params::{ParamArray, Values};

/// The key as its key file, for our own decoder.
pub(super) fn private_key(key: &Key) -> ParamArray {
    data(key, crate::decoder::STRUCTURE, &key.key_file().to_der())
}

/// The key's public half, for whichever decoder comes first.
pub(super) fn public_key(key: &Key) -> ParamArray {
    data(key, "SubjectPublicKeyInfo", &key.public_key().to_spki_der())
}

fn data(key: &Key, structure: &str, der: &[u8]) -> ParamArray {
    Values::new()
        .int(names::OBJECT_TYPE, OBJECT_PKEY)
        .utf8(names::OBJECT_DATA_TYPE, KeyType::of(key.public_key()).name())
        .utf8(names::OBJECT_DATA_STRUCTURE, structure)
        .octets(names::OBJECT_DATA, der)
        .build()
}
