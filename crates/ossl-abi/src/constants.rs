//! Constants of OpenSSL's headers.

use std::ffi::c_int;

macro_rules! constants {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $value:literal, $macro_name:literal;)*) => {
        $($(#[$doc])* pub const $name: $type = $value;)*

        /// The corresponding C macros.
        #[cfg(test)]
        pub(crate) const CONSTANTS: &[(&str, i64)] = &[$(($macro_name, $value)),*];
    };
}

constants! {
    /// Object type: a name that the store can open (`openssl/core_object.h`).
    OBJECT_NAME: i32 = 1, "OSSL_OBJECT_NAME";
    /// Object type: a key pair, or its public or private half.
    OBJECT_PKEY: i32 = 2, "OSSL_OBJECT_PKEY";
    /// Object type: a certificate.
    OBJECT_CERT: i32 = 3, "OSSL_OBJECT_CERT";
    /// Object type: an opaque symmetric key, since OpenSSL 4.0.
    OBJECT_SKEY: i32 = 5, "OSSL_OBJECT_SKEY";

    /// Selection: the private key (`openssl/core_dispatch.h`).
    SELECT_PRIVATE_KEY: c_int = 0x01, "OSSL_KEYMGMT_SELECT_PRIVATE_KEY";
    /// Selection: the public key.
    SELECT_PUBLIC_KEY: c_int = 0x02, "OSSL_KEYMGMT_SELECT_PUBLIC_KEY";
    /// Selection: the domain parameters.
    SELECT_DOMAIN_PARAMETERS: c_int = 0x04, "OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS";
    /// Selection: the other parameters.
    SELECT_OTHER_PARAMETERS: c_int = 0x80, "OSSL_KEYMGMT_SELECT_OTHER_PARAMETERS";

    /// Expected store result: names (`openssl/store.h`).
    STORE_INFO_NAME: i32 = 1, "OSSL_STORE_INFO_NAME";
    /// Expected store result: public keys.
    STORE_INFO_PUBKEY: i32 = 3, "OSSL_STORE_INFO_PUBKEY";
    /// Expected store result: private keys.
    STORE_INFO_PKEY: i32 = 4, "OSSL_STORE_INFO_PKEY";
    /// Expected store result: certificates.
    STORE_INFO_CERT: i32 = 5, "OSSL_STORE_INFO_CERT";
    /// Expected store result: opaque symmetric keys, since OpenSSL 4.0.
    STORE_INFO_SKEY: i32 = 7, "OSSL_STORE_INFO_SKEY";

    /// Status of a wait context, since OpenSSL 3.0: the operation has been started, and its end calls
    /// the host's callback (`openssl/async.h`).
    ASYNC_STATUS_OK: c_int = 2, "ASYNC_STATUS_OK";
}
