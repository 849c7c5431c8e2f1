//! Compares ids, prototypes, structures and names with OpenSSL's headers: compiles a C file of
//! static assertions generated from the same tables that the provider uses.
//!
//! Set `OPENSSL_INCLUDE_DIRS` to a colon-separated list of directories to check the headers of
//! other versions. By default the system's headers are used.

use std::fmt::Write as _;
use std::mem::{offset_of, size_of};
use std::process::Command;

use crate::constants::CONSTANTS;
use crate::functions::{PROTOTYPES, Prototype, operation};
use crate::job;
use crate::names::NAMES;
use crate::types::{Algorithm, DataType, Dispatch, Item, Param};

/// The C spelling of a type in a prototype.
fn c_type(rust: &str) -> &'static str {
    let compact: String = rust.chars().filter(|c| !c.is_whitespace()).collect();
    match compact.as_str() {
        "" => "void",
        "c_int" => "int",
        "c_uint" => "unsigned int",
        "c_long" => "long",
        "u32" => "uint32_t",
        "usize" => "size_t",
        "*mutc_int" => "int *",
        "*mutusize" => "size_t *",
        "*mutc_void" | "*constShared" => "void *",
        "*constc_void" => "const void *",
        "*mutc_char" => "char *",
        "*constc_char" => "const char *",
        "*const*constc_char" => "const char **",
        "*mutc_uchar" => "unsigned char *",
        "*constc_uchar" => "const unsigned char *",
        "*mutParam" => "OSSL_PARAM *",
        "*constParam" => "const OSSL_PARAM *",
        "*constAlgorithm" => "const OSSL_ALGORITHM *",
        "*constItem" => "const OSSL_ITEM *",
        "*constCoreHandle" => "const OSSL_CORE_HANDLE *",
        "*mutCoreBio" => "OSSL_CORE_BIO *",
        "*mutCoreContext" => "OPENSSL_CORE_CTX *",
        "*mutVaList" => "va_list",
        "Option<Callback>" => "OSSL_CALLBACK *",
        "Option<PassphraseCallback>" => "OSSL_PASSPHRASE_CALLBACK *",
        other => panic!("no C spelling for {other}"),
    }
}

fn assertions_for(prototype: &Prototype) -> String {
    let operation = prototype.operation.to_uppercase();
    let macro_name = format!("OSSL_FUNC_{operation}_{}", prototype.name);
    let type_name = match prototype.operation {
        "bio" => format!("OSSL_FUNC_BIO_{}_fn", prototype.name.to_lowercase()),
        other => format!("OSSL_FUNC_{other}_{}_fn", prototype.name.to_lowercase()),
    };
    let arguments: Vec<_> = prototype.arguments.iter().map(|argument| c_type(argument)).collect();
    let arguments = if arguments.is_empty() { "void".to_owned() } else { arguments.join(", ") };
    let returns = c_type(prototype.returns);
    // Older headers lack the ids added after 3.0.
    format!(
        "#ifdef {macro_name}\n\
         _Static_assert({macro_name} == {id}, \"id of {macro_name}\");\n\
         _Static_assert(__builtin_types_compatible_p({type_name}, {returns}({arguments})), \
         \"prototype of {type_name}\");\n\
         #elif {old}\n#error {macro_name} is unknown\n#endif\n",
        id = prototype.id,
        old = i32::from(is_in_3_0(prototype)),
    )
}

/// Whether the function is in OpenSSL 3.0, so that every version's headers must define it.
fn is_in_3_0(prototype: &Prototype) -> bool {
    match prototype.operation {
        "keymgmt" => !matches!(prototype.id, 15..=17 | 45 | 46),
        "signature" => prototype.id <= 25,
        "store" => prototype.id <= 8,
        "provider" => prototype.id <= 1031,
        "cipher" => prototype.id <= 14,
        "skeymgmt" => false,
        _ => true,
    }
}

fn layout_assertions() -> String {
    let mut out = String::new();
    macro_rules! layout {
        ($rust:ty, $c:literal, $($field:ident),*) => {
            writeln!(out, "_Static_assert(sizeof({}) == {}, \"size of {}\");",
                $c, size_of::<$rust>(), $c).expect("a string takes text");
            $(writeln!(out, "_Static_assert(offsetof({}, {}) == {}, \"{}.{}\");", $c,
                stringify!($field), offset_of!($rust, $field), $c, stringify!($field))
                .expect("a string takes text");)*
        };
    }
    layout!(Dispatch, "OSSL_DISPATCH", function_id, function);
    layout!(Param, "OSSL_PARAM", key, data_type, data, data_size, return_size);
    layout!(Algorithm, "OSSL_ALGORITHM",);
    layout!(Item, "OSSL_ITEM",);
    let constants = [
        ("OSSL_PARAM_INTEGER", DataType::Integer as i64),
        ("OSSL_PARAM_UNSIGNED_INTEGER", DataType::UnsignedInteger as i64),
        ("OSSL_PARAM_REAL", DataType::Real as i64),
        ("OSSL_PARAM_UTF8_STRING", DataType::Utf8String as i64),
        ("OSSL_PARAM_OCTET_STRING", DataType::OctetString as i64),
        ("OSSL_PARAM_UTF8_PTR", DataType::Utf8Ptr as i64),
        ("OSSL_PARAM_OCTET_PTR", DataType::OctetPtr as i64),
        ("OSSL_OP_CIPHER", operation::CIPHER.into()),
        ("OSSL_OP_KEYMGMT", operation::KEYMGMT.into()),
        ("OSSL_OP_KEYEXCH", operation::KEYEXCH.into()),
        ("OSSL_OP_SIGNATURE", operation::SIGNATURE.into()),
        ("OSSL_OP_ASYM_CIPHER", operation::ASYM_CIPHER.into()),
        ("OSSL_OP_ENCODER", operation::ENCODER.into()),
        ("OSSL_OP_DECODER", operation::DECODER.into()),
        ("OSSL_OP_STORE", operation::STORE.into()),
    ];
    for (name, value) in constants {
        writeln!(out, "_Static_assert({name} == {value}, \"{name}\");")
            .expect("a string takes text");
    }
    writeln!(
        out,
        "#ifdef OSSL_OP_SKEYMGMT\n_Static_assert(OSSL_OP_SKEYMGMT == {}, \"OSSL_OP_SKEYMGMT\");\n\
         #endif",
        operation::SKEYMGMT
    )
    .expect("a string takes text");
    writeln!(out, "_Static_assert(OSSL_PARAM_UNMODIFIED == {}ULL, \"unmodified\");", usize::MAX)
        .expect("a string takes text");
    out
}

/// Older headers lack the numbers added after 3.0.
fn constant_assertions() -> String {
    let mut out = String::new();
    for (name, value) in CONSTANTS {
        let new = matches!(*name, "OSSL_OBJECT_SKEY" | "OSSL_STORE_INFO_SKEY");
        let old = i32::from(!new);
        writeln!(
            out,
            "#ifdef {name}\n_Static_assert({name} == {value}, \"{name}\");\n\
             #elif {old}\n#error {name} is unknown\n#endif"
        )
        .expect("a string takes text");
    }
    out
}

fn name_assertions() -> String {
    let mut out = String::new();
    for (macro_name, value) in NAMES {
        let text = value.to_str().expect("names are ASCII");
        writeln!(
            out,
            "#ifdef {macro_name}\n\
             _Static_assert(__builtin_strcmp({macro_name}, \"{text}\") == 0, \"{macro_name}\");\n\
             #endif"
        )
        .expect("a string takes text");
    }
    out
}

/// The functions for ASYNC jobs, which have no ids.
fn job_assertions() -> String {
    let c_type = |rust: &str| match rust.replace(' ', "").as_str() {
        "*mutJob" => "ASYNC_JOB *",
        "*mutWaitContext" => "ASYNC_WAIT_CTX *",
        "*constc_void" => "const void *",
        "*mutc_void" => "void *",
        "*mut*mutc_void" => "void **",
        "c_int" => "OSSL_ASYNC_FD",
        "*mutc_int" => "OSSL_ASYNC_FD *",
        "*mutAsyncCallback" => "ASYNC_callback_fn *",
        "CleanupFn" => "void (*)(ASYNC_WAIT_CTX *, const void *, OSSL_ASYNC_FD, void *)",
        "" => "void",
        other => panic!("no C spelling for {other}"),
    };
    let mut out = String::new();
    for (symbol, rust) in job::PROTOTYPES {
        let rust = rust.split_once('(').expect("arguments").1;
        let (arguments, returns) = rust.rsplit_once("->").expect("a result");
        let arguments = arguments.trim().trim_end_matches([')', ',']).trim_end_matches(',');
        let arguments: Vec<_> = arguments.split(',').map(str::trim).map(c_type).collect();
        let (symbol, returns) = (symbol.to_str().expect("ASCII"), c_type(returns.trim()));
        writeln!(
            out,
            "_Static_assert(__builtin_types_compatible_p(__typeof__({symbol}), {returns}({})), \
             \"{symbol}\");",
            arguments.join(", ")
        )
        .expect("a string takes text");
    }
    out
}

#[test]
fn tables_agree_with_the_headers() {
    let mut source = "#include <stdarg.h>\n#include <stddef.h>\n#include <stdint.h>\n\
        #include <openssl/async.h>\n#include <openssl/core.h>\n\
        #include <openssl/core_dispatch.h>\n\
        #include <openssl/core_names.h>\n#include <openssl/core_object.h>\n\
        #include <openssl/params.h>\n#include <openssl/store.h>\n"
        .to_owned();
    source.push_str(&layout_assertions());
    source.push_str(&constant_assertions());
    source.push_str(&name_assertions());
    source.push_str(&job_assertions());
    for prototype in PROTOTYPES {
        source.push_str(&assertions_for(prototype));
    }
    let folder = tempfile::tempdir().expect("a folder for the C file");
    let file = folder.path().join("assertions.c");
    std::fs::write(&file, &source).expect("write the C file");

    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let listed = std::env::var("OPENSSL_INCLUDE_DIRS").unwrap_or_default();
    let folders: Vec<&str> = match listed.as_str() {
        "" => vec![""],
        list => list.split(':').collect(),
    };
    for include in folders {
        let mut command = Command::new(&compiler);
        command.args(["-fsyntax-only", "-std=gnu11", "-Wall"]).arg(&file);
        if !include.is_empty() {
            command.arg("-I").arg(include);
        }
        let output = command.output().unwrap_or_else(|error| {
            panic!("this test needs a C compiler; {compiler} does not start: {error}")
        });
        assert!(
            output.status.success(),
            "the tables and OpenSSL's headers ({}) disagree, or the headers (libssl-dev) are \
             missing:\n{}",
            if include.is_empty() { "the system's" } else { include },
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
