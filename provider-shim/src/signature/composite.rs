//! Algorithms with a digest in their name, such as `RSA-SHA256`.
//!
//! With OpenSSL 3.4 and later, a program can fetch such an algorithm and pass it to
//! `EVP_PKEY_sign_message_init` and related functions. It has to use the property query
//! `provider=akv_provider`: without it, it fetches the default provider's, which cannot use a vault
//! key. libcrypto then fetches our key management for the key's type and nothing else. See
//! [`crate::precedence`] for why other callers do not get it.

use std::ffi::{c_char, c_void};

use ossl_abi::entry;
use ossl_abi::functions::signature as id;
use ossl_abi::types::{Algorithm, Dispatch, Names, Param};

use super::context::{Context, Scheme};
use super::{ECDSA, Ecdsa, Operation, PROPERTIES, RSA, Rsa, joined};
use super::{dupctx, freectx, get_ctx_params, gettable_ctx_params, newctx, set_ctx_params};
use super::{sign, update, verify, verify_recover};
use crate::digest::Digest;
use crate::error::Result;
use crate::key::KeyObject;
use crate::key_type::KeyType;

macro_rules! algorithms {
    ($($scheme:ident $digest:ident $names:literal)*) => {
        /// All signature algorithms.
        pub(super) static ALL: &[Algorithm] = &[
            RSA,
            ECDSA,
            $(Algorithm::new(
                $names,
                PROPERTIES,
                &$scheme::<{ Digest::$digest as u8 }>(),
                c"Signatures with keys in Azure Key Vault and Managed HSM",
            ),)*
            Algorithm::END,
        ];
    };
}

// The names are OpenSSL's. With a name missing, libcrypto would treat it as a different algorithm.
algorithms! {
    rsa Sha1 c"RSA-SHA1:RSA-SHA-1:sha1WithRSAEncryption:1.2.840.113549.1.1.5"
    rsa Sha224 c"RSA-SHA2-224:RSA-SHA224:sha224WithRSAEncryption:1.2.840.113549.1.1.14"
    rsa Sha256 c"RSA-SHA2-256:RSA-SHA256:sha256WithRSAEncryption:1.2.840.113549.1.1.11"
    rsa Sha384 c"RSA-SHA2-384:RSA-SHA384:sha384WithRSAEncryption:1.2.840.113549.1.1.12"
    rsa Sha512 c"RSA-SHA2-512:RSA-SHA512:sha512WithRSAEncryption:1.2.840.113549.1.1.13"
    rsa Sha512_224
        c"RSA-SHA2-512/224:RSA-SHA512-224:sha512-224WithRSAEncryption:1.2.840.113549.1.1.15"
    rsa Sha512_256
        c"RSA-SHA2-512/256:RSA-SHA512-256:sha512-256WithRSAEncryption:1.2.840.113549.1.1.16"
    rsa Sha3_224 c"RSA-SHA3-224:id-rsassa-pkcs1-v1_5-with-sha3-224:2.16.840.1.101.3.4.3.13"
    rsa Sha3_256 c"RSA-SHA3-256:id-rsassa-pkcs1-v1_5-with-sha3-256:2.16.840.1.101.3.4.3.14"
    rsa Sha3_384 c"RSA-SHA3-384:id-rsassa-pkcs1-v1_5-with-sha3-384:2.16.840.1.101.3.4.3.15"
    rsa Sha3_512 c"RSA-SHA3-512:id-rsassa-pkcs1-v1_5-with-sha3-512:2.16.840.1.101.3.4.3.16"
    ecdsa Sha1 c"ECDSA-SHA1:ECDSA-SHA-1:ecdsa-with-SHA1:1.2.840.10045.4.1"
    ecdsa Sha224 c"ECDSA-SHA2-224:ECDSA-SHA224:ecdsa-with-SHA224:1.2.840.10045.4.3.1"
    ecdsa Sha256 c"ECDSA-SHA2-256:ECDSA-SHA256:ecdsa-with-SHA256:1.2.840.10045.4.3.2"
    ecdsa Sha384 c"ECDSA-SHA2-384:ECDSA-SHA384:ecdsa-with-SHA384:1.2.840.10045.4.3.3"
    ecdsa Sha512 c"ECDSA-SHA2-512:ECDSA-SHA512:ecdsa-with-SHA512:1.2.840.10045.4.3.4"
    ecdsa Sha3_224
        c"ECDSA-SHA3-224:ecdsa_with_SHA3-224:id-ecdsa-with-sha3-224:2.16.840.1.101.3.4.3.9"
    ecdsa Sha3_256
        c"ECDSA-SHA3-256:ecdsa_with_SHA3-256:id-ecdsa-with-sha3-256:2.16.840.1.101.3.4.3.10"
    ecdsa Sha3_384
        c"ECDSA-SHA3-384:ecdsa_with_SHA3-384:id-ecdsa-with-sha3-384:2.16.840.1.101.3.4.3.11"
    ecdsa Sha3_512
        c"ECDSA-SHA3-512:ecdsa_with_SHA3-512:id-ecdsa-with-sha3-512:2.16.840.1.101.3.4.3.12"
}

const fn rsa<const DIGEST: u8>() -> [Dispatch; 21] {
    let recovery = [
        id::VERIFY_RECOVER_INIT.entry(verify_recover_init::<Rsa, DIGEST>),
        id::VERIFY_RECOVER.entry(verify_recover::<Rsa>),
        Dispatch::END,
    ];
    joined(table::<Rsa, DIGEST>(), recovery)
}

const fn ecdsa<const DIGEST: u8>() -> [Dispatch; 19] {
    joined(table::<Ecdsa, DIGEST>(), [Dispatch::END])
}

const fn table<S: Scheme, const DIGEST: u8>() -> [Dispatch; 18] {
    [
        id::NEWCTX.entry(newctx::<S>),
        id::FREECTX.entry(freectx::<S>),
        id::DUPCTX.entry(dupctx::<S>),
        id::SIGN_INIT.entry(sign_init::<S, DIGEST>),
        id::SIGN_MESSAGE_INIT.entry(sign_message_init::<S, DIGEST>),
        id::SIGN_MESSAGE_UPDATE.entry(update::<S>),
        id::SIGN_MESSAGE_FINAL.entry(sign_message_final::<S>),
        id::SIGN.entry(sign::<S>),
        id::VERIFY_INIT.entry(verify_init::<S, DIGEST>),
        id::VERIFY_MESSAGE_INIT.entry(verify_message_init::<S, DIGEST>),
        id::VERIFY_MESSAGE_UPDATE.entry(update::<S>),
        id::VERIFY_MESSAGE_FINAL.entry(verify_message_final::<S>),
        id::VERIFY.entry(verify::<S>),
        id::QUERY_KEY_TYPES.entry(query_key_types::<S>),
        id::GET_CTX_PARAMS.entry(get_ctx_params::<S>),
        id::GETTABLE_CTX_PARAMS.entry(gettable_ctx_params::<S>),
        id::SET_CTX_PARAMS.entry(set_ctx_params::<S>),
        id::SETTABLE_CTX_PARAMS.entry(settable_ctx_params::<S>),
    ]
}

macro_rules! init {
    ($function:ident, $name:literal, $operation:expr, $message:literal) => {
        entry! {
            fn $function<S: Scheme, const DIGEST: u8>(
                $name,
                ctx: &mut Context<S>,
                key: Option<Arc<KeyObject>>,
                params: Params,
            ) -> Result<()> {
                let digest = const { Digest::from_number(DIGEST) };
                ctx.composite_init($operation, digest, $message, key, params)
            }
        }
    };
}

init!(sign_init, "signature sign_init", Operation::Sign, false);
init!(sign_message_init, "signature sign_message_init", Operation::Sign, true);
init!(verify_init, "signature verify_init", Operation::Verify, false);
init!(verify_message_init, "signature verify_message_init", Operation::Verify, true);
init!(verify_recover_init, "signature verify_recover_init", Operation::VerifyRecover, false);

entry! {
    fn sign_message_final<S: Scheme>(
        "signature sign_message_final",
        ctx: &mut Context<S>,
        out: Output("place for the signature's length"),
    ) -> Result<()>, waits {
        ctx.sign_message(out, None)
    }
}

entry! {
    fn verify_message_final<S: Scheme>(
        "signature verify_message_final",
        ctx: &mut Context<S>,
    ) -> Result<()> {
        ctx.verify_message_final()
    }
}

extern "C" fn query_key_types<S: Scheme>() -> *const *const c_char {
    static RSA_KEYS: Names<2> = Names::new([Some(c"RSA"), None]);
    static EC_KEYS: Names<2> = Names::new([Some(c"EC"), None]);
    match S::KEY_TYPE {
        KeyType::Rsa => RSA_KEYS.as_ptr(),
        KeyType::Ec => EC_KEYS.as_ptr(),
    }
}

entry! {
    fn settable_ctx_params<S: Scheme>(
        "signature settable_ctx_params",
        ctx: &Context<S>,
        _provctx: *mut c_void,
    ) -> *const Param, or (S::SETTABLE_IN_COMPOSITE[1..].as_ptr()) {
        ctx.settable().as_ptr()
    }
}
