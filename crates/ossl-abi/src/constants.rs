//! Numbers of OpenSSL's headers.

use std::ffi::c_int;

macro_rules! constants {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $value:literal, $macro_name:literal;)*) => {
        $($(#[$doc])* pub const $name: $type = $value;)*

        /// The C macros behind the numbers.
        #[cfg(test)]
        pub(crate) const CONSTANTS: &[(&str, i64)] = &[$(($macro_name, $value)),*];
    };
}

constants! {
    /// Kind of object: a name that the store opens (`openssl/core_object.h`).
    OBJECT_NAME: i32 = 1, "OSSL_OBJECT_NAME";
    /// Kind of object: a key pair or a half of one.
    OBJECT_PKEY: i32 = 2, "OSSL_OBJECT_PKEY";
    /// Kind of object: a certificate.
    OBJECT_CERT: i32 = 3, "OSSL_OBJECT_CERT";
    /// Kind of object: an opaque symmetric key, since OpenSSL 4.0.
    OBJECT_SKEY: i32 = 5, "OSSL_OBJECT_SKEY";

    /// Part of a key: the private half (`openssl/core_dispatch.h`).
    SELECT_PRIVATE_KEY: c_int = 0x01, "OSSL_KEYMGMT_SELECT_PRIVATE_KEY";
    /// Part of a key: the public half.
    SELECT_PUBLIC_KEY: c_int = 0x02, "OSSL_KEYMGMT_SELECT_PUBLIC_KEY";
    /// Part of a key: the group.
    SELECT_DOMAIN_PARAMETERS: c_int = 0x04, "OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS";
    /// Part of a key: what else belongs to the group.
    SELECT_OTHER_PARAMETERS: c_int = 0x80, "OSSL_KEYMGMT_SELECT_OTHER_PARAMETERS";

    /// What a store's user expects: names (`openssl/store.h`).
    STORE_INFO_NAME: i32 = 1, "OSSL_STORE_INFO_NAME";
    /// What a store's user expects: public keys.
    STORE_INFO_PUBKEY: i32 = 3, "OSSL_STORE_INFO_PUBKEY";
    /// What a store's user expects: private keys.
    STORE_INFO_PKEY: i32 = 4, "OSSL_STORE_INFO_PKEY";
    /// What a store's user expects: certificates.
    STORE_INFO_CERT: i32 = 5, "OSSL_STORE_INFO_CERT";
    /// What a store's user expects: opaque symmetric keys, since OpenSSL 4.0.
    STORE_INFO_SKEY: i32 = 7, "OSSL_STORE_INFO_SKEY";
}
