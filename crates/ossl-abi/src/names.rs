//! Names of parameters (`openssl/core_names.h`, `openssl/core_object.h`).

use std::ffi::CStr;

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident = $value:literal, $macro_name:literal;)*) => {
        $($(#[$doc])* pub const $name: &CStr = $value;)*

        /// The corresponding C macros.
        #[cfg(test)]
        pub(crate) const NAMES: &[(&str, &CStr)] = &[$(($macro_name, $value)),*];
    };
}

names! {
    /// Version of the core.
    CORE_VERSION = c"openssl-version", "OSSL_PROV_PARAM_CORE_VERSION";
    /// Name of a provider.
    PROVIDER_NAME = c"name", "OSSL_PROV_PARAM_NAME";
    /// Version of a provider.
    PROVIDER_VERSION = c"version", "OSSL_PROV_PARAM_VERSION";
    /// Build information of a provider.
    PROVIDER_BUILDINFO = c"buildinfo", "OSSL_PROV_PARAM_BUILDINFO";
    /// Whether a provider is running.
    PROVIDER_STATUS = c"status", "OSSL_PROV_PARAM_STATUS";

    /// The algorithm of the keys of a TLS group.
    TLS_GROUP_ALG = c"tls-group-alg", "OSSL_CAPABILITY_TLS_GROUP_ALG";

    /// Object type that an array describes.
    OBJECT_TYPE = c"type", "OSSL_OBJECT_PARAM_TYPE";
    /// The object's data type, such as a key type.
    OBJECT_DATA_TYPE = c"data-type", "OSSL_OBJECT_PARAM_DATA_TYPE";
    /// The structure of the object's data.
    OBJECT_DATA_STRUCTURE = c"data-structure", "OSSL_OBJECT_PARAM_DATA_STRUCTURE";
    /// A reference to the object that its provider understands.
    OBJECT_REFERENCE = c"reference", "OSSL_OBJECT_PARAM_REFERENCE";
    /// The object as data.
    OBJECT_DATA = c"data", "OSSL_OBJECT_PARAM_DATA";
    /// A description of the object for the user.
    OBJECT_DESCRIPTION = c"desc", "OSSL_OBJECT_PARAM_DESC";

    /// Size of a key in bits.
    BITS = c"bits", "OSSL_PKEY_PARAM_BITS";
    /// Maximum output size of an operation with the key, in bytes.
    MAX_SIZE = c"max-size", "OSSL_PKEY_PARAM_MAX_SIZE";
    /// Strength of a key in bits.
    SECURITY_BITS = c"security-bits", "OSSL_PKEY_PARAM_SECURITY_BITS";
    /// NIST's post-quantum security category (since 3.6).
    SECURITY_CATEGORY = c"security-category", "OSSL_PKEY_PARAM_SECURITY_CATEGORY";
    /// The digest to use if none is set.
    DEFAULT_DIGEST = c"default-digest", "OSSL_PKEY_PARAM_DEFAULT_DIGEST";
    /// A public key in the form that TLS uses.
    ENCODED_PUBLIC_KEY = c"encoded-pub-key", "OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY";
    /// Name of a curve.
    GROUP_NAME = c"group", "OSSL_PKEY_PARAM_GROUP_NAME";
    /// A public key: an encoded point.
    PUB_KEY = c"pub", "OSSL_PKEY_PARAM_PUB_KEY";
    /// A private key.
    PRIV_KEY = c"priv", "OSSL_PKEY_PARAM_PRIV_KEY";
    /// A point's x coordinate.
    EC_PUB_X = c"qx", "OSSL_PKEY_PARAM_EC_PUB_X";
    /// A point's y coordinate.
    EC_PUB_Y = c"qy", "OSSL_PKEY_PARAM_EC_PUB_Y";
    /// Kind of a curve's field.
    EC_FIELD_TYPE = c"field-type", "OSSL_PKEY_PARAM_EC_FIELD_TYPE";
    /// Size of a curve's field in bits (since 4.0).
    EC_FIELD_DEGREE = c"field-degree", "OSSL_PKEY_PARAM_EC_FIELD_DEGREE";
    /// A curve's prime.
    EC_P = c"p", "OSSL_PKEY_PARAM_EC_P";
    /// A curve's coefficient a.
    EC_A = c"a", "OSSL_PKEY_PARAM_EC_A";
    /// A curve's coefficient b.
    EC_B = c"b", "OSSL_PKEY_PARAM_EC_B";
    /// A curve's generator: an encoded point.
    EC_GENERATOR = c"generator", "OSSL_PKEY_PARAM_EC_GENERATOR";
    /// The generator's order.
    EC_ORDER = c"order", "OSSL_PKEY_PARAM_EC_ORDER";
    /// A curve's cofactor.
    EC_COFACTOR = c"cofactor", "OSSL_PKEY_PARAM_EC_COFACTOR";
    /// The seed that a curve was generated from.
    EC_SEED = c"seed", "OSSL_PKEY_PARAM_EC_SEED";
    /// Whether a private-key encoding includes the public key.
    EC_INCLUDE_PUBLIC = c"include-public", "OSSL_PKEY_PARAM_EC_INCLUDE_PUBLIC";
    /// Whether key agreement uses the cofactor.
    USE_COFACTOR = c"use-cofactor-flag", "OSSL_PKEY_PARAM_USE_COFACTOR_FLAG";
    /// Encoding of a curve: named or explicit.
    EC_ENCODING = c"encoding", "OSSL_PKEY_PARAM_EC_ENCODING";
    /// Encoding of points.
    EC_POINT_FORMAT = c"point-format", "OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT";
    /// Whether the curve was read from explicit parameters.
    EC_DECODED_FROM_EXPLICIT =
        c"decoded-from-explicit", "OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS";
    /// RSA modulus.
    RSA_N = c"n", "OSSL_PKEY_PARAM_RSA_N";
    /// RSA public exponent.
    RSA_E = c"e", "OSSL_PKEY_PARAM_RSA_E";
    /// Number of primes of an RSA modulus.
    RSA_PRIMES = c"primes", "OSSL_PKEY_PARAM_RSA_PRIMES";
    /// RSA private exponent.
    RSA_D = c"d", "OSSL_PKEY_PARAM_RSA_D";

    /// Digest of an operation.
    DIGEST = c"digest", "OSSL_PKEY_PARAM_DIGEST";
    /// Properties to fetch the digest with.
    PROPERTIES = c"properties", "OSSL_PKEY_PARAM_PROPERTIES";
    /// RSA padding.
    PAD_MODE = c"pad-mode", "OSSL_PKEY_PARAM_PAD_MODE";
    /// Digest of MGF1.
    MGF1_DIGEST = c"mgf1-digest", "OSSL_PKEY_PARAM_MGF1_DIGEST";
    /// Properties to fetch the digest of MGF1 with.
    MGF1_PROPERTIES = c"mgf1-properties", "OSSL_PKEY_PARAM_MGF1_PROPERTIES";
    /// Length of the PSS salt.
    PSS_SALTLEN = c"saltlen", "OSSL_SIGNATURE_PARAM_PSS_SALTLEN";
    /// The signature's AlgorithmIdentifier in DER.
    ALGORITHM_ID = c"algorithm-id", "OSSL_SIGNATURE_PARAM_ALGORITHM_ID";
    /// Size of the digest in bytes.
    DIGEST_SIZE = c"digest-size", "OSSL_SIGNATURE_PARAM_DIGEST_SIZE";
    /// How ECDSA nonces are generated: 0 for random, 1 for RFC 6979 (since 3.2).
    NONCE_TYPE = c"nonce-type", "OSSL_SIGNATURE_PARAM_NONCE_TYPE";
    /// The signature to verify, for the sign-message functions (since 3.4).
    SIGNATURE = c"signature", "OSSL_SIGNATURE_PARAM_SIGNATURE";
    /// Properties to fetch the OAEP digest with.
    OAEP_DIGEST_PROPERTIES = c"digest-props", "OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST_PROPS";
    /// The OAEP label.
    OAEP_LABEL = c"oaep-label", "OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL";
    /// Version that a TLS client offered.
    TLS_CLIENT_VERSION = c"tls-client-version", "OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION";
    /// Version that TLS negotiated.
    TLS_NEGOTIATED_VERSION =
        c"tls-negotiated-version", "OSSL_ASYM_CIPHER_PARAM_TLS_NEGOTIATED_VERSION";
    /// Whether PKCS#1 decryption uses implicit rejection (since 3.2).
    IMPLICIT_REJECTION = c"implicit-rejection", "OSSL_ASYM_CIPHER_PARAM_IMPLICIT_REJECTION";

    /// Cipher to encrypt a private key with.
    ENCODER_CIPHER = c"cipher", "OSSL_ENCODER_PARAM_CIPHER";

    /// Mode of a cipher (`EVP_CIPH_…_MODE`).
    CIPHER_MODE = c"mode", "OSSL_CIPHER_PARAM_MODE";
    /// Key length of a cipher in bytes.
    CIPHER_KEYLEN = c"keylen", "OSSL_CIPHER_PARAM_KEYLEN";
    /// IV length of a cipher in bytes.
    CIPHER_IVLEN = c"ivlen", "OSSL_CIPHER_PARAM_IVLEN";
    /// Block size of a cipher in bytes.
    CIPHER_BLOCK_SIZE = c"blocksize", "OSSL_CIPHER_PARAM_BLOCK_SIZE";
    /// Whether a cipher handles its IV itself.
    CIPHER_CUSTOM_IV = c"custom-iv", "OSSL_CIPHER_PARAM_CUSTOM_IV";
    /// Whether a cipher pads its input.
    CIPHER_PADDING = c"padding", "OSSL_CIPHER_PARAM_PADDING";
    /// The initialization vector that an operation started with.
    CIPHER_IV = c"iv", "OSSL_CIPHER_PARAM_IV";
    /// The current initialization vector.
    CIPHER_UPDATED_IV = c"updated-iv", "OSSL_CIPHER_PARAM_UPDATED_IV";
    /// Bytes of a symmetric key to import (since 3.5).
    SKEY_RAW_BYTES = c"raw-bytes", "OSSL_SKEY_PARAM_RAW_BYTES";
    /// Length of a symmetric key to generate (since 3.5).
    SKEY_KEY_LENGTH = c"key-length", "OSSL_SKEY_PARAM_KEY_LENGTH";

    /// The type of object that a store's user expects.
    STORE_EXPECT = c"expect", "OSSL_STORE_PARAM_EXPECT";
    /// A subject to search for.
    STORE_SUBJECT = c"subject", "OSSL_STORE_PARAM_SUBJECT";
    /// Properties to fetch implementations of a store's objects with.
    STORE_PROPERTIES = c"properties", "OSSL_STORE_PARAM_PROPERTIES";
}
