//! Constants of OpenSSL's headers, the same in 1.1.1, 3.x and 4.x.

use std::ffi::{c_int, c_uint, c_ulong};

/// `OSSL_DYNAMIC_VERSION`, which is also the oldest version that a libcrypto accepts: it stands for
/// the prototype of `bind_engine`.
pub const DYNAMIC_VERSION: c_ulong = 0x0003_0000;

/// `ENGINE_CMD_FLAG_…`: the argument of a control command.
pub mod command {
    use super::c_uint;
    pub const NUMERIC: c_uint = 1;
    pub const STRING: c_uint = 2;
    pub const NO_INPUT: c_uint = 4;
    pub const INTERNAL: c_uint = 8;
    /// Number of the first engine-specific command.
    pub const BASE: c_uint = 200;
}

/// `CRYPTO_EX_INDEX_…`: classes of objects with ex_data.
pub mod extra {
    use super::c_int;
    pub const EC_KEY: c_int = 8;
    pub const RSA: c_int = 9;
    pub const ENGINE: c_int = 10;
}

/// Numeric identifiers (obj_mac.h).
pub mod nid {
    use super::c_int;
    pub const UNDEFINED: c_int = 0;
    pub const RSA: c_int = 6;
    pub const EC: c_int = 408;
    pub const P256: c_int = 415;
    pub const SECP256K1: c_int = 714;
    pub const P384: c_int = 715;
    pub const P521: c_int = 716;
    pub const MD5: c_int = 4;
    pub const MD5_SHA1: c_int = 114;
    pub const SHA1: c_int = 64;
    pub const SHA224: c_int = 675;
    pub const SHA256: c_int = 672;
    pub const SHA384: c_int = 673;
    pub const SHA512: c_int = 674;
    pub const SHA512_224: c_int = 1094;
    pub const SHA512_256: c_int = 1095;
    pub const SHA3_224: c_int = 1096;
    pub const SHA3_256: c_int = 1097;
    pub const SHA3_384: c_int = 1098;
    pub const SHA3_512: c_int = 1099;
}

/// `RSA_…_PADDING`.
pub mod padding {
    use super::c_int;
    pub const PKCS1: c_int = 1;
    pub const NONE: c_int = 3;
    pub const OAEP: c_int = 4;
    pub const X931: c_int = 5;
    pub const PSS: c_int = 6;
    /// PKCS#1 without implicit rejection, in 3.2 and later.
    pub const PKCS1_NO_IMPLICIT_REJECTION: c_int = 8;
}

/// `RSA_PSS_SALTLEN_…`.
pub mod salt {
    use super::c_int;
    pub const DIGEST: c_int = -1;
    pub const AUTO: c_int = -2;
    pub const AUTO_DIGEST_MAX: c_int = -4;
}

/// `RSA_FLAG_EXT_PKEY`: the private key is stored elsewhere.
pub const RSA_FLAG_EXTERNAL: c_int = 0x20;

/// `EVP_PKEY_CTRL_…`: control commands that query an operation.
pub mod control {
    use super::c_int;
    pub const GET_DIGEST: c_int = 13;
    pub const GET_RSA_PADDING: c_int = 0x1006;
    pub const GET_PSS_SALT: c_int = 0x1007;
    pub const GET_MGF1_DIGEST: c_int = 0x1008;
    pub const GET_OAEP_DIGEST: c_int = 0x100b;
    pub const GET_OAEP_LABEL: c_int = 0x100c;
}

/// `EVP_PKEY_OP_SIGN` of 1.1.1.
pub const OPERATION_SIGN_1_1: c_int = 1 << 3;
/// `EVP_PKEY_OP_SIGN` of 3.x.
pub const OPERATION_SIGN_3: c_int = 1 << 4;

/// `OPENSSL_VERSION_NUMBER` of 3.0.
pub const VERSION_3_0: c_ulong = 0x3000_0000;
/// `OPENSSL_VERSION_NUMBER` of 4.0.
pub const VERSION_4_0: c_ulong = 0x4000_0000;
