//! libcrypto's C types, as declared by engine.h, rsa.h, ec.h and evp.h of 1.1.1 and 3.x.
//!
//! The `openssl-sys` crate has most of them, but its build script needs OpenSSL's headers and links
//! libcrypto. The few types that an engine needs are therefore declared here.
//! libcrypto; so the few that an engine needs are declared here.

use std::ffi::{c_char, c_int, c_long, c_uchar, c_uint, c_ulong, c_void};

macro_rules! opaque {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[repr(C)]
        pub struct $name {
            _private: [u8; 0],
        }
    )*};
}

opaque! {
    /// `ENGINE`.
    Engine;
    /// `EVP_PKEY`: a key of any kind.
    Pkey;
    /// `EVP_PKEY_CTX`: one operation with a key.
    PkeyContext;
    /// `EVP_PKEY_METHOD`: operations of a key type.
    PkeyMethod;
    /// `EVP_PKEY_ASN1_METHOD`: encoding of a key type.
    PkeyAsn1Method;
    /// `EVP_MD`.
    Digest;
    /// `RSA`.
    Rsa;
    /// `RSA_METHOD`.
    RsaMethod;
    /// `EC_KEY`.
    EcKey;
    /// `EC_KEY_METHOD`.
    EcKeyMethod;
    /// `EC_POINT`.
    EcPoint;
    /// `ECDSA_SIG`.
    EcdsaSig;
    /// `BIGNUM`.
    BigNum;
    /// `BN_CTX`.
    BigNumContext;
    /// `ASN1_OBJECT`.
    Asn1Object;
    /// `X509_ALGOR`.
    AlgorithmIdentifier;
    /// `PKCS8_PRIV_KEY_INFO`.
    PrivateKeyInfo;
    /// `CRYPTO_EX_DATA`.
    ExtraData;
    /// `UI_METHOD`.
    UiMethod;
    /// `BIO`.
    Bio;
    /// `ASN1_PCTX`.
    PrintContext;
}

/// `ENGINE_CMD_DEFN`: one control command.
#[repr(C)]
pub struct CommandDefinition {
    pub number: c_uint,
    pub name: *const c_char,
    pub description: *const c_char,
    pub flags: c_uint,
}

/// `ERR_STRING_DATA`: the text of an error code.
#[repr(C)]
pub struct ErrorString {
    pub error: c_ulong,
    pub text: *const c_char,
}

/// `dynamic_fns`: what libcrypto passes to an engine that it loads. The allocation functions that
/// follow in C are omitted: everything that libcrypto frees is allocated by its own functions.
#[repr(C)]
pub struct DynamicFunctions {
    /// An address inside the libcrypto that loads us.
    pub static_state: *mut c_void,
}

/// `ENGINE_GEN_INT_FUNC_PTR`.
pub type EngineFn = unsafe extern "C" fn(*mut Engine) -> c_int;
/// `ENGINE_CTRL_FUNC_PTR`.
pub type EngineControlFn = unsafe extern "C" fn(
    *mut Engine,
    c_int,
    c_long,
    *mut c_void,
    Option<unsafe extern "C" fn()>,
) -> c_int;
/// `ENGINE_LOAD_KEY_PTR`.
pub type LoadKeyFn =
    unsafe extern "C" fn(*mut Engine, *const c_char, *mut UiMethod, *mut c_void) -> *mut Pkey;
/// `ENGINE_PKEY_METHS_PTR`.
pub type PkeyMethodsFn =
    unsafe extern "C" fn(*mut Engine, *mut *const PkeyMethod, *mut *const c_int, c_int) -> c_int;
/// `ENGINE_PKEY_ASN1_METHS_PTR`.
pub type PkeyAsn1MethodsFn =
    unsafe extern "C" fn(*mut Engine, *mut *mut PkeyAsn1Method, *mut *const c_int, c_int) -> c_int;

/// `CRYPTO_EX_new`.
pub type ExtraNewFn =
    unsafe extern "C" fn(*mut c_void, *mut c_void, *mut ExtraData, c_int, c_long, *mut c_void);
/// `CRYPTO_EX_dup`. The third argument points to the pointer to duplicate.
pub type ExtraDupFn = unsafe extern "C" fn(
    *mut ExtraData,
    *const ExtraData,
    *mut *mut c_void,
    c_int,
    c_long,
    *mut c_void,
) -> c_int;
/// `CRYPTO_EX_free`.
pub type ExtraFreeFn = ExtraNewFn;

/// A private-key operation of an `RSA_METHOD`: input length and input, output, key, padding.
/// Returns the output length, or -1.
pub type RsaPrivateFn =
    unsafe extern "C" fn(c_int, *const c_uchar, *mut c_uchar, *mut Rsa, c_int) -> c_int;

/// The function of an `EC_KEY_METHOD` behind `ECDSA_sign`.
pub type EcSignFn = unsafe extern "C" fn(
    c_int,
    *const c_uchar,
    c_int,
    *mut c_uchar,
    *mut c_uint,
    *const BigNum,
    *const BigNum,
    *mut EcKey,
) -> c_int;
/// The function behind `ECDSA_sign_setup`.
pub type EcSignSetupFn = unsafe extern "C" fn(
    *mut EcKey,
    *mut BigNumContext,
    *mut *mut BigNum,
    *mut *mut BigNum,
) -> c_int;
/// The function behind `ECDSA_do_sign`.
pub type EcSignSigFn = unsafe extern "C" fn(
    *const c_uchar,
    c_int,
    *const BigNum,
    *const BigNum,
    *mut EcKey,
) -> *mut EcdsaSig;
/// The function behind `ECDH_compute_key`.
pub type EcComputeFn =
    unsafe extern "C" fn(*mut *mut c_uchar, *mut usize, *const EcPoint, *const EcKey) -> c_int;
/// The key generation function of an `EC_KEY_METHOD`.
pub type EcKeygenFn = unsafe extern "C" fn(*mut EcKey) -> c_int;

/// An initialisation function of an `EVP_PKEY_METHOD`.
pub type PkeyInitFn = unsafe extern "C" fn(*mut PkeyContext) -> c_int;
/// Signing or decryption: output and its length, input and its length.
pub type PkeyOperationFn = unsafe extern "C" fn(
    *mut PkeyContext,
    *mut c_uchar,
    *mut usize,
    *const c_uchar,
    usize,
) -> c_int;
/// A control command.
pub type PkeyControlFn = unsafe extern "C" fn(*mut PkeyContext, c_int, c_int, *mut c_void) -> c_int;
/// A control command in text form.
pub type PkeyControlTextFn =
    unsafe extern "C" fn(*mut PkeyContext, *const c_char, *const c_char) -> c_int;

/// Decodes a key from PKCS#8.
pub type PrivateDecodeFn = unsafe extern "C" fn(*mut Pkey, *const PrivateKeyInfo) -> c_int;
/// Encodes a key as PKCS#8.
pub type PrivateEncodeFn = unsafe extern "C" fn(*mut PrivateKeyInfo, *const Pkey) -> c_int;
/// Prints a private key with the given indentation.
pub type PrivatePrintFn =
    unsafe extern "C" fn(*mut Bio, *const Pkey, c_int, *mut PrintContext) -> c_int;
