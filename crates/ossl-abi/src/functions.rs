//! Every function id of `openssl/core_dispatch.h` that a key provider can encounter, each tied to
//! the prototype of its function.

use std::ffi::{c_char, c_int, c_long, c_uchar, c_uint, c_void};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;

use crate::types::{
    Algorithm, Callback, CoreBio, CoreContext, CoreHandle, Dispatch, ErasedFunction, Item, Param,
    PassphraseCallback, VaList,
};

/// A context or key that several threads may use at the same time, because the public function
/// takes it as `const` (`EVP_PKEY_CTX_dup`, `EVP_PKEY_export`, `EVP_CIPHER_CTX_get_iv_length`) or
/// only reads it. The dispatch function's prototype has `void *`; here it is `*const`, which
/// [`guard::exclusive`](crate::guard::exclusive) does not accept.
pub type Shared = c_void;

/// A function id that carries the function's type.
pub struct FunctionId<F> {
    id: c_int,
    function: PhantomData<F>,
}

/// Converts between typed and untyped function pointers; `F` is always a function pointer.
union Erasure<F> {
    typed: ManuallyDrop<F>,
    erased: ErasedFunction,
}

impl<F: Copy> FunctionId<F> {
    const fn new(id: c_int) -> Self {
        assert!(size_of::<F>() == size_of::<ErasedFunction>());
        Self { id, function: PhantomData }
    }

    /// The number.
    pub const fn id(&self) -> c_int {
        self.id
    }

    /// A table entry for `function`.
    pub const fn entry(self, function: F) -> Dispatch {
        let erasure = Erasure { typed: ManuallyDrop::new(function) };
        // SAFETY: both fields are function pointers of the same size. The core calls the pointer
        // with the prototype of the id, which is `F`.
        let erased = unsafe { erasure.erased };
        Dispatch { function_id: self.id, function: Some(erased) }
    }

    /// Finds the function in a table that ends with id 0.
    ///
    /// # Safety
    /// `table` is null or points to such a table, whose entries have the prototypes of their ids.
    pub unsafe fn find(&self, table: *const Dispatch) -> Option<F> {
        let mut next = table;
        while !next.is_null() {
            // SAFETY: guaranteed by the caller; the end of the table has not been reached.
            let entry = unsafe { *next };
            if entry.function_id == 0 {
                return None;
            }
            if entry.function_id == self.id {
                let erasure = Erasure { erased: entry.function? };
                // SAFETY: the caller guarantees that the entry has the prototype of its id.
                return Some(*unsafe { erasure.typed });
            }
            // SAFETY: this was not the last entry.
            next = unsafe { next.add(1) };
        }
        None
    }
}

/// A prototype to compare with the headers.
#[cfg(test)]
pub(crate) struct Prototype {
    pub(crate) operation: &'static str,
    pub(crate) name: &'static str,
    pub(crate) id: c_int,
    pub(crate) returns: &'static str,
    pub(crate) arguments: &'static [&'static str],
}

macro_rules! functions {
    ($($(#[$doc:meta])* $operation:ident { $(
        $name:ident = $id:literal: fn($($argument:ty),*) $(-> $returns:ty)?;
    )* })*) => {
        $($(#[$doc])*
        pub mod $operation {
            use super::*;
            $(
                #[doc = concat!("Function ", $id, ": `fn(", stringify!($($argument),*), ")",
                    $(" -> ", stringify!($returns),)? "`.")]
                pub const $name: FunctionId<unsafe extern "C" fn($($argument),*) $(-> $returns)?> =
                    FunctionId::new($id);
            )*
        })*

        #[cfg(test)]
        pub(crate) const PROTOTYPES: &[Prototype] = &[$($(Prototype {
            operation: stringify!($operation),
            name: stringify!($name),
            id: $id,
            returns: concat!($(stringify!($returns))?),
            arguments: &[$(stringify!($argument)),*],
        },)*)*];
    };
}

functions! {
    /// Functions of the core that a provider can call.
    core {
        GETTABLE_PARAMS = 1: fn(*const CoreHandle) -> *const Param;
        GET_PARAMS = 2: fn(*const CoreHandle, *mut Param) -> c_int;
        GET_LIBCTX = 4: fn(*const CoreHandle) -> *mut CoreContext;
        NEW_ERROR = 5: fn(*const CoreHandle);
        SET_ERROR_DEBUG = 6: fn(*const CoreHandle, *const c_char, c_int, *const c_char);
        VSET_ERROR = 7: fn(*const CoreHandle, u32, *const c_char, *mut VaList);
        SET_ERROR_MARK = 8: fn(*const CoreHandle) -> c_int;
        CLEAR_LAST_ERROR_MARK = 9: fn(*const CoreHandle) -> c_int;
        POP_ERROR_TO_MARK = 10: fn(*const CoreHandle) -> c_int;
    }

    /// Functions of the core for its BIOs.
    bio {
        READ_EX = 42: fn(*mut CoreBio, *mut c_void, usize, *mut usize) -> c_int;
        WRITE_EX = 43: fn(*mut CoreBio, *const c_void, usize, *mut usize) -> c_int;
        UP_REF = 44: fn(*mut CoreBio) -> c_int;
        FREE = 45: fn(*mut CoreBio) -> c_int;
        PUTS = 48: fn(*mut CoreBio, *const c_char) -> c_int;
        GETS = 49: fn(*mut CoreBio, *mut c_char, c_int) -> c_int;
        CTRL = 50: fn(*mut CoreBio, c_int, c_long, *mut c_void) -> c_int;
    }

    /// Functions of the provider itself.
    provider {
        TEARDOWN = 1024: fn(*mut c_void);
        GETTABLE_PARAMS = 1025: fn(*mut c_void) -> *const Param;
        GET_PARAMS = 1026: fn(*mut c_void, *mut Param) -> c_int;
        QUERY_OPERATION = 1027: fn(*mut c_void, c_int, *mut c_int) -> *const Algorithm;
        UNQUERY_OPERATION = 1028: fn(*mut c_void, c_int, *const Algorithm);
        GET_REASON_STRINGS = 1029: fn(*mut c_void) -> *const Item;
        GET_CAPABILITIES = 1030:
            fn(*mut c_void, *const c_char, Option<Callback>, *mut c_void) -> c_int;
        SELF_TEST = 1031: fn(*mut c_void) -> c_int;
        RANDOM_BYTES = 1032: fn(*mut c_void, c_int, *mut c_void, usize, c_uint) -> c_int;
    }

    /// Symmetric ciphers. The last two functions are for opaque keys (since 3.5).
    cipher {
        NEWCTX = 1: fn(*mut c_void) -> *mut c_void;
        ENCRYPT_INIT = 2: fn(
            *mut c_void, *const c_uchar, usize, *const c_uchar, usize, *const Param
        ) -> c_int;
        DECRYPT_INIT = 3: fn(
            *mut c_void, *const c_uchar, usize, *const c_uchar, usize, *const Param
        ) -> c_int;
        UPDATE = 4:
            fn(*mut c_void, *mut c_uchar, *mut usize, usize, *const c_uchar, usize) -> c_int;
        FINAL = 5: fn(*mut c_void, *mut c_uchar, *mut usize, usize) -> c_int;
        CIPHER = 6:
            fn(*mut c_void, *mut c_uchar, *mut usize, usize, *const c_uchar, usize) -> c_int;
        FREECTX = 7: fn(*mut c_void);
        DUPCTX = 8: fn(*const Shared) -> *mut c_void;
        GET_PARAMS = 9: fn(*mut Param) -> c_int;
        GET_CTX_PARAMS = 10: fn(*const Shared, *mut Param) -> c_int;
        SET_CTX_PARAMS = 11: fn(*mut c_void, *const Param) -> c_int;
        GETTABLE_PARAMS = 12: fn(*mut c_void) -> *const Param;
        GETTABLE_CTX_PARAMS = 13: fn(*const Shared, *mut c_void) -> *const Param;
        SETTABLE_CTX_PARAMS = 14: fn(*const Shared, *mut c_void) -> *const Param;
        ENCRYPT_SKEY_INIT = 19:
            fn(*mut c_void, *mut c_void, *const c_uchar, usize, *const Param) -> c_int;
        DECRYPT_SKEY_INIT = 20:
            fn(*mut c_void, *mut c_void, *const c_uchar, usize, *const Param) -> c_int;
    }

    /// Key management.
    keymgmt {
        NEW = 1: fn(*mut c_void) -> *mut c_void;
        NEW_EX = 17: fn(*mut c_void, *const Param) -> *mut c_void;
        GEN_INIT = 2: fn(*mut c_void, c_int, *const Param) -> *mut c_void;
        GEN_SET_TEMPLATE = 3: fn(*mut c_void, *mut c_void) -> c_int;
        GEN_SET_PARAMS = 4: fn(*mut c_void, *const Param) -> c_int;
        GEN_SETTABLE_PARAMS = 5: fn(*mut c_void, *mut c_void) -> *const Param;
        GEN = 6: fn(*mut c_void, Option<Callback>, *mut c_void) -> *mut c_void;
        GEN_CLEANUP = 7: fn(*mut c_void);
        GEN_GET_PARAMS = 15: fn(*mut c_void, *mut Param) -> c_int;
        GEN_GETTABLE_PARAMS = 16: fn(*mut c_void, *mut c_void) -> *const Param;
        LOAD = 8: fn(*const c_void, usize) -> *mut c_void;
        FREE = 10: fn(*mut c_void);
        GET_PARAMS = 11: fn(*const Shared, *mut Param) -> c_int;
        GETTABLE_PARAMS = 12: fn(*mut c_void) -> *const Param;
        SET_PARAMS = 13: fn(*mut c_void, *const Param) -> c_int;
        SETTABLE_PARAMS = 14: fn(*mut c_void) -> *const Param;
        QUERY_OPERATION_NAME = 20: fn(c_int) -> *const c_char;
        HAS = 21: fn(*const c_void, c_int) -> c_int;
        VALIDATE = 22: fn(*const c_void, c_int, c_int) -> c_int;
        MATCH = 23: fn(*const c_void, *const c_void, c_int) -> c_int;
        IMPORT = 40: fn(*mut c_void, c_int, *const Param) -> c_int;
        IMPORT_TYPES = 41: fn(c_int) -> *const Param;
        EXPORT = 42: fn(*const Shared, c_int, Option<Callback>, *mut c_void) -> c_int;
        EXPORT_TYPES = 43: fn(c_int) -> *const Param;
        DUP = 44: fn(*const c_void, c_int) -> *mut c_void;
        IMPORT_TYPES_EX = 45: fn(*mut c_void, c_int) -> *const Param;
        EXPORT_TYPES_EX = 46: fn(*mut c_void, c_int) -> *const Param;
    }

    /// Signatures.
    signature {
        NEWCTX = 1: fn(*mut c_void, *const c_char) -> *mut c_void;
        SIGN_INIT = 2: fn(*mut c_void, *mut c_void, *const Param) -> c_int;
        SIGN = 3:
            fn(*mut c_void, *mut c_uchar, *mut usize, usize, *const c_uchar, usize) -> c_int;
        VERIFY_INIT = 4: fn(*mut c_void, *mut c_void, *const Param) -> c_int;
        VERIFY = 5: fn(*mut c_void, *const c_uchar, usize, *const c_uchar, usize) -> c_int;
        VERIFY_RECOVER_INIT = 6: fn(*mut c_void, *mut c_void, *const Param) -> c_int;
        VERIFY_RECOVER = 7:
            fn(*mut c_void, *mut c_uchar, *mut usize, usize, *const c_uchar, usize) -> c_int;
        DIGEST_SIGN_INIT = 8:
            fn(*mut c_void, *const c_char, *mut c_void, *const Param) -> c_int;
        DIGEST_SIGN_UPDATE = 9: fn(*mut c_void, *const c_uchar, usize) -> c_int;
        DIGEST_SIGN_FINAL = 10: fn(*mut c_void, *mut c_uchar, *mut usize, usize) -> c_int;
        DIGEST_SIGN = 11:
            fn(*mut c_void, *mut c_uchar, *mut usize, usize, *const c_uchar, usize) -> c_int;
        DIGEST_VERIFY_INIT = 12:
            fn(*mut c_void, *const c_char, *mut c_void, *const Param) -> c_int;
        DIGEST_VERIFY_UPDATE = 13: fn(*mut c_void, *const c_uchar, usize) -> c_int;
        DIGEST_VERIFY_FINAL = 14: fn(*mut c_void, *const c_uchar, usize) -> c_int;
        DIGEST_VERIFY = 15:
            fn(*mut c_void, *const c_uchar, usize, *const c_uchar, usize) -> c_int;
        FREECTX = 16: fn(*mut c_void);
        DUPCTX = 17: fn(*const Shared) -> *mut c_void;
        GET_CTX_PARAMS = 18: fn(*const Shared, *mut Param) -> c_int;
        GETTABLE_CTX_PARAMS = 19: fn(*const Shared, *mut c_void) -> *const Param;
        SET_CTX_PARAMS = 20: fn(*mut c_void, *const Param) -> c_int;
        SETTABLE_CTX_PARAMS = 21: fn(*const Shared, *mut c_void) -> *const Param;
        GET_CTX_MD_PARAMS = 22: fn(*const Shared, *mut Param) -> c_int;
        GETTABLE_CTX_MD_PARAMS = 23: fn(*const Shared) -> *const Param;
        SET_CTX_MD_PARAMS = 24: fn(*mut c_void, *const Param) -> c_int;
        SETTABLE_CTX_MD_PARAMS = 25: fn(*const Shared) -> *const Param;
        QUERY_KEY_TYPES = 26: fn() -> *const *const c_char;
        SIGN_MESSAGE_INIT = 27: fn(*mut c_void, *mut c_void, *const Param) -> c_int;
        SIGN_MESSAGE_UPDATE = 28: fn(*mut c_void, *const c_uchar, usize) -> c_int;
        SIGN_MESSAGE_FINAL = 29: fn(*mut c_void, *mut c_uchar, *mut usize, usize) -> c_int;
        VERIFY_MESSAGE_INIT = 30: fn(*mut c_void, *mut c_void, *const Param) -> c_int;
        VERIFY_MESSAGE_UPDATE = 31: fn(*mut c_void, *const c_uchar, usize) -> c_int;
        VERIFY_MESSAGE_FINAL = 32: fn(*mut c_void) -> c_int;
    }

    /// Asymmetric encryption.
    asym_cipher {
        NEWCTX = 1: fn(*mut c_void) -> *mut c_void;
        ENCRYPT_INIT = 2: fn(*mut c_void, *mut c_void, *const Param) -> c_int;
        ENCRYPT = 3:
            fn(*mut c_void, *mut c_uchar, *mut usize, usize, *const c_uchar, usize) -> c_int;
        DECRYPT_INIT = 4: fn(*mut c_void, *mut c_void, *const Param) -> c_int;
        DECRYPT = 5:
            fn(*mut c_void, *mut c_uchar, *mut usize, usize, *const c_uchar, usize) -> c_int;
        FREECTX = 6: fn(*mut c_void);
        DUPCTX = 7: fn(*const Shared) -> *mut c_void;
        GET_CTX_PARAMS = 8: fn(*const Shared, *mut Param) -> c_int;
        GETTABLE_CTX_PARAMS = 9: fn(*const Shared, *mut c_void) -> *const Param;
        SET_CTX_PARAMS = 10: fn(*mut c_void, *const Param) -> c_int;
        SETTABLE_CTX_PARAMS = 11: fn(*const Shared, *mut c_void) -> *const Param;
    }

    /// Encoders.
    encoder {
        NEWCTX = 1: fn(*mut c_void) -> *mut c_void;
        FREECTX = 2: fn(*mut c_void);
        GET_PARAMS = 3: fn(*mut Param) -> c_int;
        GETTABLE_PARAMS = 4: fn(*mut c_void) -> *const Param;
        SET_CTX_PARAMS = 5: fn(*mut c_void, *const Param) -> c_int;
        SETTABLE_CTX_PARAMS = 6: fn(*mut c_void) -> *const Param;
        DOES_SELECTION = 10: fn(*mut c_void, c_int) -> c_int;
        ENCODE = 11: fn(
            *mut c_void, *mut CoreBio, *const c_void, *const Param, c_int,
            Option<PassphraseCallback>, *mut c_void
        ) -> c_int;
        IMPORT_OBJECT = 20: fn(*mut c_void, c_int, *const Param) -> *mut c_void;
        FREE_OBJECT = 21: fn(*mut c_void);
    }

    /// Decoders.
    decoder {
        NEWCTX = 1: fn(*mut c_void) -> *mut c_void;
        FREECTX = 2: fn(*mut c_void);
        GET_PARAMS = 3: fn(*mut Param) -> c_int;
        GETTABLE_PARAMS = 4: fn(*mut c_void) -> *const Param;
        SET_CTX_PARAMS = 5: fn(*mut c_void, *const Param) -> c_int;
        SETTABLE_CTX_PARAMS = 6: fn(*mut c_void) -> *const Param;
        DOES_SELECTION = 10: fn(*mut c_void, c_int) -> c_int;
        DECODE = 11: fn(
            *mut c_void, *mut CoreBio, c_int, Option<Callback>, *mut c_void,
            Option<PassphraseCallback>, *mut c_void
        ) -> c_int;
        EXPORT_OBJECT = 20:
            fn(*mut c_void, *const c_void, usize, Option<Callback>, *mut c_void) -> c_int;
    }

    /// Store loaders.
    store {
        OPEN = 1: fn(*mut c_void, *const c_char) -> *mut c_void;
        ATTACH = 2: fn(*mut c_void, *mut CoreBio) -> *mut c_void;
        SETTABLE_CTX_PARAMS = 3: fn(*mut c_void) -> *const Param;
        SET_CTX_PARAMS = 4: fn(*mut c_void, *const Param) -> c_int;
        LOAD = 5: fn(
            *mut c_void, Option<Callback>, *mut c_void, Option<PassphraseCallback>, *mut c_void
        ) -> c_int;
        EOF = 6: fn(*const Shared) -> c_int;
        CLOSE = 7: fn(*mut c_void) -> c_int;
        EXPORT_OBJECT = 8:
            fn(*mut c_void, *const c_void, usize, Option<Callback>, *mut c_void) -> c_int;
        DELETE = 9: fn(
            *mut c_void, *const c_char, *const Param, Option<PassphraseCallback>, *mut c_void
        ) -> c_int;
        OPEN_EX = 10: fn(
            *mut c_void, *const c_char, *const Param, Option<PassphraseCallback>, *mut c_void
        ) -> *mut c_void;
    }

    /// Opaque symmetric keys (since 3.5).
    skeymgmt {
        FREE = 1: fn(*mut c_void);
        IMPORT = 2: fn(*mut c_void, c_int, *const Param) -> *mut c_void;
        EXPORT = 3: fn(*const Shared, c_int, Option<Callback>, *mut c_void) -> c_int;
        GENERATE = 4: fn(*mut c_void, *const Param) -> *mut c_void;
        GET_KEY_ID = 5: fn(*const Shared) -> *const c_char;
        IMP_SETTABLE_PARAMS = 6: fn(*mut c_void) -> *const Param;
        GEN_SETTABLE_PARAMS = 7: fn(*mut c_void) -> *const Param;
    }
}

/// Operation numbers (`OSSL_OP_…`).
pub mod operation {
    use std::ffi::c_int;

    /// Symmetric ciphers.
    pub const CIPHER: c_int = 2;
    /// Key management.
    pub const KEYMGMT: c_int = 10;
    /// Key agreement.
    pub const KEYEXCH: c_int = 11;
    /// Signatures.
    pub const SIGNATURE: c_int = 12;
    /// Asymmetric encryption.
    pub const ASYM_CIPHER: c_int = 13;
    /// Opaque symmetric keys (since 3.5).
    pub const SKEYMGMT: c_int = 15;
    /// Encoders.
    pub const ENCODER: c_int = 20;
    /// Decoders.
    pub const DECODER: c_int = 21;
    /// Store loaders.
    pub const STORE: c_int = 22;
}
