//! Compares functions, constants and structures with OpenSSL's headers: compiles a C file of static
//! assertions generated from the same tables that the lookup uses.
//!
//! Set `OPENSSL_INCLUDE_DIRS` to a colon-separated list of directories to check the headers of
//! other versions of 1.1.1, 3.x and 4.x. By default the system's headers are used.

use std::fmt::Write as _;
use std::io::Write as _;
use std::mem::{offset_of, size_of};
use std::process::{Command, Stdio};

use super::constants::{self, command, control, extra, nid, padding, salt};
use super::functions::{EngineFunctions, ErrorFunctions, KeyFunctions, Prototype};
use super::types::{CommandDefinition, ErrorString};

/// The C spelling of a type. `const` does not affect the ABI and differs between versions; the C
/// file defines it as empty.
fn c_type(rust: &str) -> String {
    let rust: String = rust.chars().filter(|c| !c.is_whitespace()).collect();
    for pointer in ["*const", "*mut"] {
        if let Some(target) = rust.strip_prefix(pointer) {
            return format!("{} *", c_type(target));
        }
    }
    let function = rust.strip_prefix("Option<").and_then(|rest| rest.strip_suffix('>'));
    c_name(function.unwrap_or(&rust)).to_owned()
}

fn c_name(rust: &str) -> &'static str {
    match rust {
        "" | "c_void" => "void",
        "c_int" => "int",
        "c_long" => "long",
        "c_ulong" => "unsigned long",
        "c_char" => "char",
        "c_uchar" => "unsigned char",
        "usize" => "size_t",
        "Engine" => "ENGINE",
        "Pkey" => "EVP_PKEY",
        "PkeyContext" => "EVP_PKEY_CTX",
        "PkeyMethod" => "EVP_PKEY_METHOD",
        "PkeyAsn1Method" => "EVP_PKEY_ASN1_METHOD",
        "Digest" => "EVP_MD",
        "Rsa" => "RSA",
        "RsaMethod" => "RSA_METHOD",
        "EcKey" => "EC_KEY",
        "EcKeyMethod" => "EC_KEY_METHOD",
        "EcdsaSig" => "ECDSA_SIG",
        "BigNum" => "BIGNUM",
        "BigNumContext" => "BN_CTX",
        "Asn1Object" => "ASN1_OBJECT",
        "AlgorithmIdentifier" => "X509_ALGOR",
        "PrivateKeyInfo" => "PKCS8_PRIV_KEY_INFO",
        "CommandDefinition" => "ENGINE_CMD_DEFN",
        "ErrorString" => "ERR_STRING_DATA",
        "EngineFn" => "ENGINE_GEN_INT_FUNC_PTR",
        "EngineControlFn" => "ENGINE_CTRL_FUNC_PTR",
        "LoadKeyFn" => "ENGINE_LOAD_KEY_PTR",
        "PkeyMethodsFn" => "ENGINE_PKEY_METHS_PTR",
        "PkeyAsn1MethodsFn" => "ENGINE_PKEY_ASN1_METHS_PTR",
        "ExtraNewFn" => "CRYPTO_EX_new *",
        "ExtraDupFn" => "CRYPTO_EX_dup *",
        "ExtraFreeFn" => "CRYPTO_EX_free *",
        other => c_function(other),
    }
}

/// Function types without a name in the headers, spelled as in `types`.
fn c_function(rust: &str) -> &'static str {
    match rust {
        "RsaPrivateFn" => "rsa_private",
        "EcSignFn" => "ec_sign",
        "EcSignSetupFn" => "ec_sign_setup",
        "EcSignSigFn" => "ec_sign_sig",
        "EcComputeFn" => "ec_compute",
        "EcKeygenFn" => "ec_keygen",
        "PkeyInitFn" => "pkey_init",
        "PkeyOperationFn" => "pkey_operation",
        "PkeyControlFn" => "pkey_control",
        "PkeyControlTextFn" => "pkey_control_text",
        "PrivateDecodeFn" => "private_decode",
        "PrivateEncodeFn" => "private_encode",
        "PrivatePrintFn" => "private_print",
        other => panic!("no C spelling for {other}"),
    }
}

const HEAD: &str = "
#define OPENSSL_SUPPRESS_DEPRECATED
#define const
#include <stddef.h>
#include <openssl/ec.h>
#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
typedef int (*rsa_private)(int, unsigned char *, unsigned char *, RSA *, int);
typedef int (*ec_sign)(int, unsigned char *, int, unsigned char *, unsigned int *, BIGNUM *,
                       BIGNUM *, EC_KEY *);
typedef int (*ec_sign_setup)(EC_KEY *, BN_CTX *, BIGNUM **, BIGNUM **);
typedef ECDSA_SIG *(*ec_sign_sig)(unsigned char *, int, BIGNUM *, BIGNUM *, EC_KEY *);
typedef int (*ec_compute)(unsigned char **, size_t *, EC_POINT *, EC_KEY *);
typedef int (*ec_keygen)(EC_KEY *);
typedef int (*pkey_init)(EVP_PKEY_CTX *);
typedef int (*pkey_operation)(EVP_PKEY_CTX *, unsigned char *, size_t *, unsigned char *, size_t);
typedef int (*pkey_control)(EVP_PKEY_CTX *, int, int, void *);
typedef int (*pkey_control_text)(EVP_PKEY_CTX *, char *, char *);
typedef int (*private_decode)(EVP_PKEY *, PKCS8_PRIV_KEY_INFO *);
typedef int (*private_encode)(PKCS8_PRIV_KEY_INFO *, EVP_PKEY *);
typedef int (*private_print)(BIO *, EVP_PKEY *, int, ASN1_PCTX *);
#define IS_3 (OPENSSL_VERSION_NUMBER >= 0x30000000L)
";

fn assertion(out: &mut String, prototype: &Prototype) {
    let mut arguments: Vec<String> = prototype.arguments.iter().map(|text| c_type(text)).collect();
    if prototype.variadic {
        arguments.push("...".into());
    }
    let arguments = if arguments.is_empty() { "void".into() } else { arguments.join(", ") };
    let returns = c_type(prototype.returns);
    let assert = |name: &str| {
        format!(
            "_Static_assert(__builtin_types_compatible_p(__typeof__({name}), \
             {returns}({arguments})), \"{name}\");"
        )
    };
    let (new, old) = (assert(prototype.name), prototype.old.first().map(|old| assert(old)));
    let text = match old {
        Some(old) => format!("#if IS_3\n{new}\n#else\n{old}\n#endif"),
        // 1.1.1 pushes an error with one function, 3.x with three.
        None if prototype.optional && prototype.name == "ERR_put_error" => {
            format!("#if !IS_3\n{new}\n#endif")
        }
        None if prototype.optional => format!("#if IS_3\n{new}\n#endif"),
        None => new,
    };
    writeln!(out, "{text}").expect("a string takes text");
}

macro_rules! same {
    ($out:ident: $($macro_name:literal = $value:expr;)*) => {
        $(writeln!($out, "_Static_assert({0} == {1}, \"{0}\");", $macro_name, $value)
            .expect("a string takes text");)*
    };
}

fn engine_numbers() -> String {
    let mut out = String::new();
    same! { out:
        "OSSL_DYNAMIC_VERSION" = constants::DYNAMIC_VERSION;
        "ENGINE_CMD_FLAG_NUMERIC" = command::NUMERIC;
        "ENGINE_CMD_FLAG_STRING" = command::STRING;
        "ENGINE_CMD_FLAG_NO_INPUT" = command::NO_INPUT;
        "ENGINE_CMD_FLAG_INTERNAL" = command::INTERNAL;
        "ENGINE_CMD_BASE" = command::BASE;
        "CRYPTO_EX_INDEX_ENGINE" = extra::ENGINE;
    }
    out
}

fn numbers() -> String {
    let mut out = String::new();
    same! { out:
        "CRYPTO_EX_INDEX_EC_KEY" = extra::EC_KEY;
        "CRYPTO_EX_INDEX_RSA" = extra::RSA;
        "NID_undef" = nid::UNDEFINED;
        "EVP_PKEY_RSA" = nid::RSA;
        "EVP_PKEY_EC" = nid::EC;
        "NID_X9_62_prime256v1" = nid::P256;
        "NID_secp256k1" = nid::SECP256K1;
        "NID_secp384r1" = nid::P384;
        "NID_secp521r1" = nid::P521;
        "NID_md5" = nid::MD5;
        "NID_md5_sha1" = nid::MD5_SHA1;
        "NID_sha1" = nid::SHA1;
        "NID_sha224" = nid::SHA224;
        "NID_sha256" = nid::SHA256;
        "NID_sha384" = nid::SHA384;
        "NID_sha512" = nid::SHA512;
        "NID_sha512_224" = nid::SHA512_224;
        "NID_sha512_256" = nid::SHA512_256;
        "NID_sha3_224" = nid::SHA3_224;
        "NID_sha3_256" = nid::SHA3_256;
        "NID_sha3_384" = nid::SHA3_384;
        "NID_sha3_512" = nid::SHA3_512;
        "RSA_PKCS1_PADDING" = padding::PKCS1;
        "RSA_NO_PADDING" = padding::NONE;
        "RSA_PKCS1_OAEP_PADDING" = padding::OAEP;
        "RSA_X931_PADDING" = padding::X931;
        "RSA_PKCS1_PSS_PADDING" = padding::PSS;
        "RSA_PSS_SALTLEN_DIGEST" = salt::DIGEST;
        "RSA_PSS_SALTLEN_AUTO" = salt::AUTO;
        "RSA_FLAG_EXT_PKEY" = constants::RSA_FLAG_EXTERNAL;
        "EVP_PKEY_CTRL_GET_MD" = control::GET_DIGEST;
        "EVP_PKEY_CTRL_GET_RSA_PADDING" = control::GET_RSA_PADDING;
        "EVP_PKEY_CTRL_GET_RSA_PSS_SALTLEN" = control::GET_PSS_SALT;
        "EVP_PKEY_CTRL_GET_RSA_MGF1_MD" = control::GET_MGF1_DIGEST;
        "EVP_PKEY_CTRL_GET_RSA_OAEP_MD" = control::GET_OAEP_DIGEST;
        "EVP_PKEY_CTRL_GET_RSA_OAEP_LABEL" = control::GET_OAEP_LABEL;
    }
    let (old, new) = (constants::OPERATION_SIGN_1_1, constants::OPERATION_SIGN_3);
    writeln!(out, "_Static_assert(EVP_PKEY_OP_SIGN == (IS_3 ? {new} : {old}), \"sign\");")
        .expect("a string takes text");
    for (macro_name, value) in [
        ("RSA_PSS_SALTLEN_AUTO_DIGEST_MAX", salt::AUTO_DIGEST_MAX),
        ("RSA_PKCS1_NO_IMPLICIT_REJECT_PADDING", padding::PKCS1_NO_IMPLICIT_REJECTION),
    ] {
        let text = format!(
            "#ifdef {macro_name}\n_Static_assert({macro_name} == {value}, \"{macro_name}\");\n#endif"
        );
        writeln!(out, "{text}").expect("a string takes text");
    }
    out
}

/// The size of a structure, and where its fields are.
fn layout(structure: &str, size: usize, fields: &[(&str, usize)]) -> String {
    let mut out = format!("_Static_assert(sizeof({structure}) == {size}, \"{structure}\");\n");
    for (field, offset) in fields {
        let text = format!("offsetof({structure}, {field}) == {offset}, \"{field}\"");
        writeln!(out, "_Static_assert({text});").expect("a string takes text");
    }
    out
}

fn engine_layouts() -> String {
    let command = [
        ("cmd_num", offset_of!(CommandDefinition, number)),
        ("cmd_name", offset_of!(CommandDefinition, name)),
        ("cmd_desc", offset_of!(CommandDefinition, description)),
        ("cmd_flags", offset_of!(CommandDefinition, flags)),
    ];
    [
        layout("ENGINE_CMD_DEFN", size_of::<CommandDefinition>(), &command),
        "_Static_assert(offsetof(dynamic_fns, static_state) == 0, \"dynamic_fns\");\n".into(),
    ]
    .concat()
}

fn layouts() -> String {
    let error =
        [("error", offset_of!(ErrorString, error)), ("string", offset_of!(ErrorString, text))];
    layout("ERR_STRING_DATA", size_of::<ErrorString>(), &error)
}

/// Compiles the source without output.
fn check(source: &str, include: &str) {
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let mut command = Command::new(&compiler);
    command.args(["-fsyntax-only", "-std=gnu11", "-w", "-x", "c"]);
    if !include.is_empty() {
        command.arg("-I").arg(include);
    }
    let child = command.arg("-").stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap_or_else(|error| {
        panic!("this test needs a C compiler; {compiler} does not start: {error}")
    });
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(source.as_bytes()).expect("the compiler reads");
    drop(stdin);
    let output = child.wait_with_output().expect("the compiler ends");
    assert!(
        output.status.success(),
        "the tables and OpenSSL's headers ({include}) disagree, or the headers (libssl-dev) are \
         missing:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn tables_agree_with_the_headers() {
    let mut source = HEAD.to_owned();
    for prototype in ErrorFunctions::PROTOTYPES.iter().chain(KeyFunctions::PROTOTYPES) {
        assertion(&mut source, prototype);
    }
    source.push_str(&numbers());
    // 4.0 has no engines.
    source.push_str("#if OPENSSL_VERSION_NUMBER < 0x40000000L\n");
    for prototype in EngineFunctions::PROTOTYPES {
        assertion(&mut source, prototype);
    }
    source.push_str(&engine_numbers());
    source.push_str(&engine_layouts());
    source.push_str("#endif\n");
    source.push_str(&layouts());
    for include in std::env::var("OPENSSL_INCLUDE_DIRS").unwrap_or_default().split(':') {
        check(&source, include);
    }
}
