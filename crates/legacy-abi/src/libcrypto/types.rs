//! libcrypto's C types, as engine.h, rsa.h, ec.h and evp.h of 1.1.1 and 3.x have them.
//!
//! The crate `openssl-sys` has most of them, but its build script wants OpenSSL's headers and links
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
    /// `EVP_PKEY_METHOD`: what is done for a type of keys.
    PkeyMethod;
    /// `EVP_PKEY_ASN1_METHOD`: how a type of keys is read and written.
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

/// `ERR_STRING_DATA`: a text for an error code.
#[repr(C)]
pub struct ErrorString {
    pub error: c_ulong,
    pub text: *const c_char,
}

/// `dynamic_fns`: what a libcrypto tells the engine that it loads. Behind it are its allocation
/// functions, which we have no use for: what libcrypto is to free, its own functions make.
#[repr(C)]
pub struct DynamicFunctions {
    /// An address in the libcrypto that loads us.
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
/// `CRYPTO_EX_dup`. The third argument leads to the pointer that is to be duplicated.
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

/// A private-key operation of an `RSA_METHOD`: length and place of the input, place of the output,
/// key, padding. Returns the output's length, or -1.
pub type RsaPrivateFn =
    unsafe extern "C" fn(c_int, *const c_uchar, *mut c_uchar, *mut Rsa, c_int) -> c_int;

/// `ECDSA_sign`'s function in an `EC_KEY_METHOD`.
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
/// `ECDSA_sign_setup`'s.
pub type EcSignSetupFn = unsafe extern "C" fn(
    *mut EcKey,
    *mut BigNumContext,
    *mut *mut BigNum,
    *mut *mut BigNum,
) -> c_int;
/// `ECDSA_do_sign`'s.
pub type EcSignSigFn = unsafe extern "C" fn(
    *const c_uchar,
    c_int,
    *const BigNum,
    *const BigNum,
    *mut EcKey,
) -> *mut EcdsaSig;
/// `ECDH_compute_key`'s.
pub type EcComputeFn =
    unsafe extern "C" fn(*mut *mut c_uchar, *mut usize, *const EcPoint, *const EcKey) -> c_int;
/// A key generation of an `EC_KEY_METHOD`.
pub type EcKeygenFn = unsafe extern "C" fn(*mut EcKey) -> c_int;

/// An initialisation of an `EVP_PKEY_METHOD`.
pub type PkeyInitFn = unsafe extern "C" fn(*mut PkeyContext) -> c_int;
/// Signing or decrypting: place and length of the output, place and length of the input.
pub type PkeyOperationFn = unsafe extern "C" fn(
    *mut PkeyContext,
    *mut c_uchar,
    *mut usize,
    *const c_uchar,
    usize,
) -> c_int;
/// A question or a setting.
pub type PkeyControlFn = unsafe extern "C" fn(*mut PkeyContext, c_int, c_int, *mut c_void) -> c_int;
/// The same in text.
pub type PkeyControlTextFn =
    unsafe extern "C" fn(*mut PkeyContext, *const c_char, *const c_char) -> c_int;

/// Reads the content of PKCS#8 into a key.
pub type PrivateDecodeFn = unsafe extern "C" fn(*mut Pkey, *const PrivateKeyInfo) -> c_int;
/// Writes a key as PKCS#8.
pub type PrivateEncodeFn = unsafe extern "C" fn(*mut PrivateKeyInfo, *const Pkey) -> c_int;
/// Prints a private key, so many columns to the right.
pub type PrivatePrintFn =
    unsafe extern "C" fn(*mut Bio, *const Pkey, c_int, *mut PrintContext) -> c_int;
