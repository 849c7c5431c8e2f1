//! libcrypto's functions for keys and for engines, found at run time.

use std::ffi::{CStr, c_char, c_int, c_long, c_uchar, c_ulong, c_void};
use std::mem::transmute;

use ossl_abi::library::Library;

use super::types::{
    AlgorithmIdentifier, Asn1Object, BigNum, BigNumContext, CommandDefinition, Digest, EcComputeFn,
    EcKey, EcKeyMethod, EcKeygenFn, EcSignFn, EcSignSetupFn, EcSignSigFn, EcdsaSig, Engine,
    EngineControlFn, EngineFn, ErrorString, ExtraDupFn, ExtraFreeFn, ExtraNewFn, LoadKeyFn, Pkey,
    PkeyAsn1Method, PkeyAsn1MethodsFn, PkeyContext, PkeyControlFn, PkeyControlTextFn, PkeyInitFn,
    PkeyMethod, PkeyMethodsFn, PkeyOperationFn, PrivateDecodeFn, PrivateEncodeFn, PrivateKeyInfo,
    PrivatePrintFn, Rsa, RsaMethod, RsaPrivateFn,
};

/// A function that this libcrypto does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing(pub &'static CStr);

/// A declared function.
#[cfg(test)]
pub struct Prototype {
    pub name: &'static str,
    /// Its name in 1.1.1, if different.
    pub old: &'static [&'static str],
    pub optional: bool,
    pub arguments: &'static [&'static str],
    pub variadic: bool,
    /// Empty for `void`.
    pub returns: &'static str,
}

/// Declares a table of functions with their prototypes. `A | B` is a function that was renamed in
/// 3.x. `optional` functions exist only in 1.1.1 or only in 3.x.
macro_rules! functions {
    (
        $(#[$doc:meta])*
        struct $table:ident;
        $(fn $name:ident $(| $old:ident)? ($($argument:ty),* $(; $variadic:tt)?) $(-> $result:ty)?;)*
        $(optional fn $extra:ident ($($extra_argument:ty),* $(; $extra_variadic:tt)?)
            $(-> $extra_result:ty)?;)*
    ) => {
        $(#[$doc])*
        #[allow(non_snake_case, reason = "the functions' own names")]
        pub struct $table {
            $(pub $name:
                unsafe extern "C" fn($($argument),* $(, $variadic)?) $(-> $result)?,)*
            $(pub $extra: Option<
                unsafe extern "C" fn($($extra_argument),* $(, $extra_variadic)?)
                    $(-> $extra_result)?
            >,)*
        }

        impl $table {
            /// The prototypes to compare with the headers.
            #[cfg(test)]
            pub const PROTOTYPES: &[Prototype] = &[
                $(Prototype {
                    name: stringify!($name),
                    old: { let old: &[&str] = &[$(stringify!($old))?]; old },
                    optional: false,
                    arguments: &[$(stringify!($argument)),*],
                    variadic: { let dots: &[&str] = &[$(stringify!($variadic))?]; !dots.is_empty() },
                    returns: concat!($(stringify!($result))?),
                },)*
                $(Prototype {
                    name: stringify!($extra),
                    old: &[],
                    optional: true,
                    arguments: &[$(stringify!($extra_argument)),*],
                    variadic: {
                        let dots: &[&str] = &[$(stringify!($extra_variadic))?];
                        !dots.is_empty()
                    },
                    returns: concat!($(stringify!($extra_result))?),
                },)*
            ];

            /// Looks up all functions in this library.
            ///
            /// # Errors
            /// The first required function that is missing.
            ///
            /// # Safety
            /// The library is a libcrypto, whose functions have these prototypes, or it contains
            /// none of these functions.
            #[allow(clippy::missing_transmute_annotations, reason = "the fields' types say it")]
            pub unsafe fn find(library: &Library) -> Result<Self, Missing> {
                const fn c_name(text: &'static str) -> &'static CStr {
                    match CStr::from_bytes_with_nul(text.as_bytes()) {
                        Ok(name) => name,
                        Err(_) => panic!("a function's name has no NUL"),
                    }
                }
                Ok(Self {
                    $($name: {
                        const NAME: &CStr = c_name(concat!(stringify!($name), "\0"));
                        let found = library.symbol(NAME);
                        $(let found = found.or_else(|| {
                            library.symbol(const { c_name(concat!(stringify!($old), "\0")) })
                        });)?
                        // SAFETY: guaranteed by the caller.
                        unsafe { transmute(found.ok_or(Missing(NAME))?) }
                    },)*
                    $($extra: {
                        const NAME: &CStr = c_name(concat!(stringify!($extra), "\0"));
                        // SAFETY: guaranteed by the caller; an `Option` of a function pointer has
                        // the same layout as a nullable pointer.
                        library.symbol(NAME).map(|found| unsafe { transmute(found) })
                    },)*
                })
            }
        }
    };
}

functions! {
    /// The error queue's functions. They are looked up first, so that missing functions can be
    /// reported.
    struct ErrorFunctions;
    fn OpenSSL_version_num() -> c_ulong;
    fn ERR_get_next_error_library() -> c_int;
    fn ERR_load_strings(c_int, *mut ErrorString) -> c_int;
    fn ERR_add_error_data(c_int; ...);
    optional fn ERR_put_error(c_int, c_int, c_int, *const c_char, c_int);
    optional fn ERR_new();
    optional fn ERR_set_debug(*const c_char, c_int, *const c_char);
    optional fn ERR_set_error(c_int, c_int, *const c_char; ...);
}

functions! {
    /// Keys: in 1.1.1, 3.x and 4.x.
    struct KeyFunctions;
    fn CRYPTO_get_ex_new_index(
        c_int, c_long, *mut c_void, Option<ExtraNewFn>, Option<ExtraDupFn>, Option<ExtraFreeFn>
    ) -> c_int;

    fn BN_bin2bn(*const c_uchar, c_int, *mut BigNum) -> *mut BigNum;
    fn BN_free(*mut BigNum);

    fn RSA_PKCS1_OpenSSL() -> *const RsaMethod;
    fn RSA_meth_dup(*const RsaMethod) -> *mut RsaMethod;
    fn RSA_meth_set1_name(*mut RsaMethod, *const c_char) -> c_int;
    fn RSA_meth_set_priv_enc(*mut RsaMethod, RsaPrivateFn) -> c_int;
    fn RSA_meth_set_priv_dec(*mut RsaMethod, RsaPrivateFn) -> c_int;
    fn RSA_new() -> *mut Rsa;
    fn RSA_free(*mut Rsa);
    fn RSA_set0_key(*mut Rsa, *mut BigNum, *mut BigNum, *mut BigNum) -> c_int;
    fn RSA_set_method(*mut Rsa, *const RsaMethod) -> c_int;
    fn RSA_set_flags(*mut Rsa, c_int);
    fn RSA_set_ex_data(*mut Rsa, c_int, *mut c_void) -> c_int;
    fn RSA_get_ex_data(*const Rsa, c_int) -> *mut c_void;

    fn EC_KEY_OpenSSL() -> *const EcKeyMethod;
    fn EC_KEY_METHOD_new(*const EcKeyMethod) -> *mut EcKeyMethod;
    fn EC_KEY_METHOD_get_sign(
        *const EcKeyMethod,
        *mut Option<EcSignFn>,
        *mut Option<EcSignSetupFn>,
        *mut Option<EcSignSigFn>
    );
    fn EC_KEY_METHOD_set_sign(
        *mut EcKeyMethod, Option<EcSignFn>, Option<EcSignSetupFn>, Option<EcSignSigFn>
    );
    fn EC_KEY_METHOD_set_compute_key(*mut EcKeyMethod, Option<EcComputeFn>);
    fn EC_KEY_METHOD_set_keygen(*mut EcKeyMethod, Option<EcKeygenFn>);
    fn EC_KEY_new_by_curve_name(c_int) -> *mut EcKey;
    fn EC_KEY_free(*mut EcKey);
    fn EC_KEY_oct2key(*mut EcKey, *const c_uchar, usize, *mut BigNumContext) -> c_int;
    fn EC_KEY_set_private_key(*mut EcKey, *const BigNum) -> c_int;
    fn EC_KEY_set_method(*mut EcKey, *const EcKeyMethod) -> c_int;
    fn EC_KEY_set_ex_data(*mut EcKey, c_int, *mut c_void) -> c_int;
    fn EC_KEY_get_ex_data(*const EcKey, c_int) -> *mut c_void;
    fn ECDSA_SIG_new() -> *mut EcdsaSig;
    fn ECDSA_SIG_free(*mut EcdsaSig);
    fn ECDSA_SIG_set0(*mut EcdsaSig, *mut BigNum, *mut BigNum) -> c_int;

    fn EVP_PKEY_CTX_get0_pkey(*mut PkeyContext) -> *mut Pkey;
    fn EVP_PKEY_get0_RSA(*const Pkey) -> *mut Rsa;
    fn EVP_PKEY_get0_EC_KEY(*const Pkey) -> *mut EcKey;
}

functions! {
    /// Engines: in 1.1.1 and 3.x.
    struct EngineFunctions;
    fn ENGINE_set_id(*mut Engine, *const c_char) -> c_int;
    fn ENGINE_set_name(*mut Engine, *const c_char) -> c_int;
    fn ENGINE_set_init_function(*mut Engine, EngineFn) -> c_int;
    fn ENGINE_set_destroy_function(*mut Engine, EngineFn) -> c_int;
    fn ENGINE_set_ctrl_function(*mut Engine, EngineControlFn) -> c_int;
    fn ENGINE_set_cmd_defns(*mut Engine, *const CommandDefinition) -> c_int;
    fn ENGINE_set_load_privkey_function(*mut Engine, LoadKeyFn) -> c_int;
    fn ENGINE_set_load_pubkey_function(*mut Engine, LoadKeyFn) -> c_int;
    fn ENGINE_set_pkey_meths(*mut Engine, PkeyMethodsFn) -> c_int;
    fn ENGINE_set_pkey_asn1_meths(*mut Engine, PkeyAsn1MethodsFn) -> c_int;
    fn ENGINE_get_pkey_asn1_meth_engine(c_int) -> *mut Engine;
    fn ENGINE_finish(*mut Engine) -> c_int;
    fn ENGINE_set_ex_data(*mut Engine, c_int, *mut c_void) -> c_int;
    fn ENGINE_get_ex_data(*const Engine, c_int) -> *mut c_void;

    fn EVP_PKEY_new() -> *mut Pkey;
    fn EVP_PKEY_free(*mut Pkey);
    fn EVP_PKEY_set1_RSA(*mut Pkey, *mut Rsa) -> c_int;
    fn EVP_PKEY_set1_EC_KEY(*mut Pkey, *mut EcKey) -> c_int;
    fn EVP_PKEY_set1_engine(*mut Pkey, *mut Engine) -> c_int;
    fn EVP_PKEY_CTX_get_operation(*mut PkeyContext) -> c_int;
    fn EVP_MD_get_type | EVP_MD_type(*const Digest) -> c_int;

    fn EVP_PKEY_meth_find(c_int) -> *const PkeyMethod;
    fn EVP_PKEY_meth_get0_info(*mut c_int, *mut c_int, *const PkeyMethod);
    fn EVP_PKEY_meth_new(c_int, c_int) -> *mut PkeyMethod;
    fn EVP_PKEY_meth_copy(*mut PkeyMethod, *const PkeyMethod);
    fn EVP_PKEY_meth_get_sign(
        *const PkeyMethod, *mut Option<PkeyInitFn>, *mut Option<PkeyOperationFn>
    );
    fn EVP_PKEY_meth_set_sign(*mut PkeyMethod, Option<PkeyInitFn>, Option<PkeyOperationFn>);
    fn EVP_PKEY_meth_get_decrypt(
        *const PkeyMethod, *mut Option<PkeyInitFn>, *mut Option<PkeyOperationFn>
    );
    fn EVP_PKEY_meth_set_decrypt(*mut PkeyMethod, Option<PkeyInitFn>, Option<PkeyOperationFn>);
    fn EVP_PKEY_meth_get_ctrl(
        *const PkeyMethod, *mut Option<PkeyControlFn>, *mut Option<PkeyControlTextFn>
    );
    fn EVP_PKEY_meth_set_ctrl(
        *mut PkeyMethod, Option<PkeyControlFn>, Option<PkeyControlTextFn>
    );

    fn OBJ_txt2nid(*const c_char) -> c_int;
    fn OBJ_create(*const c_char, *const c_char, *const c_char) -> c_int;
    fn EVP_PKEY_asn1_new(c_int, c_int, *const c_char, *const c_char) -> *mut PkeyAsn1Method;
    fn EVP_PKEY_asn1_free(*mut PkeyAsn1Method);
    fn EVP_PKEY_asn1_set_private(
        *mut PkeyAsn1Method,
        Option<PrivateDecodeFn>,
        Option<PrivateEncodeFn>,
        Option<PrivatePrintFn>
    );
    fn PKCS8_pkey_get0(
        *mut *const Asn1Object,
        *mut *const c_uchar,
        *mut c_int,
        *mut *const AlgorithmIdentifier,
        *const PrivateKeyInfo
    ) -> c_int;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_missing_function_is_named() {
        let library = Library::of(libc::getpid as *const c_void).expect("the C library");
        // SAFETY: the C library has no function of libcrypto.
        let missing = unsafe { ErrorFunctions::find(&library) }.err();
        assert_eq!(missing, Some(Missing(c"OpenSSL_version_num")));
        // SAFETY: as above.
        let missing = unsafe { KeyFunctions::find(&library) }.err();
        assert_eq!(missing, Some(Missing(c"CRYPTO_get_ex_new_index")));
        // SAFETY: as above.
        let missing = unsafe { EngineFunctions::find(&library) }.err();
        assert_eq!(missing, Some(Missing(c"ENGINE_set_id")));
    }
}
