//! The certificate of a key, as data.

use akv_core::Certificate;
use ossl_abi::constants::OBJECT_CERT;
use ossl_abi::names;
use ossl_abi::params::{ParamArray, Values};

/// The certificate as a store object.
pub(super) fn certificate(certificate: &Certificate) -> ParamArray {
    Values::new()
        .int(names::OBJECT_TYPE, OBJECT_CERT)
        .octets(names::OBJECT_DATA, certificate.der())
        .build()
}
