//! The C structures of `openssl/core.h`.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::ptr;

/// The host's opaque handle of this provider (`OSSL_CORE_HANDLE`).
#[repr(C)]
pub struct CoreHandle {
    _opaque: [u8; 0],
}

/// A BIO of the host (`OSSL_CORE_BIO`).
#[repr(C)]
pub struct CoreBio {
    _opaque: [u8; 0],
}

/// The library context (`OPENSSL_CORE_CTX`).
#[repr(C)]
pub struct CoreContext {
    _opaque: [u8; 0],
}

/// A C `va_list` as a function argument. See [`Host::raise`](crate::Host::raise).
#[repr(C, align(16))]
pub struct VaList {
    _zeros: [u64; 8],
}

impl VaList {
    /// A list without arguments.
    pub const fn empty() -> Self {
        Self { _zeros: [0; 8] }
    }
}

/// Receives a parameter array (`OSSL_CALLBACK`).
pub type Callback = unsafe extern "C" fn(params: *const Param, arg: *mut c_void) -> c_int;

/// Resumes a paused ASYNC job (`ASYNC_callback_fn`).
pub type AsyncCallbackFn = unsafe extern "C" fn(arg: *mut c_void) -> c_int;

/// An [`AsyncCallbackFn`], or null.
pub type AsyncCallback = Option<AsyncCallbackFn>;

/// Prompts for a passphrase (`OSSL_PASSPHRASE_CALLBACK`).
pub type PassphraseCallback = unsafe extern "C" fn(
    pass: *mut c_char,
    pass_size: usize,
    pass_len: *mut usize,
    params: *const Param,
    arg: *mut c_void,
) -> c_int;

/// A function pointer without its prototype, as stored in tables.
pub type ErasedFunction = unsafe extern "C" fn();

/// An entry of a function table (`OSSL_DISPATCH`).
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Dispatch {
    /// The function's id; 0 ends a table.
    pub function_id: c_int,
    /// The function.
    pub function: Option<ErasedFunction>,
}

impl Dispatch {
    /// The entry that ends a table.
    pub const END: Self = Self { function_id: 0, function: None };
}

/// An algorithm of an operation (`OSSL_ALGORITHM`).
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Algorithm {
    names: *const c_char,
    properties: *const c_char,
    implementation: *const Dispatch,
    description: *const c_char,
}

// SAFETY: the pointers point to immutable static data (see the constructor).
unsafe impl Sync for Algorithm {}
// SAFETY: as above.
unsafe impl Send for Algorithm {}

impl Algorithm {
    /// The entry that ends a list.
    pub const END: Self = Self {
        names: ptr::null(),
        properties: ptr::null(),
        implementation: ptr::null(),
        description: ptr::null(),
    };

    /// An algorithm. `names` is a colon-separated list whose first name is the canonical one.
    ///
    /// # Panics
    /// The table does not end with [`Dispatch::END`]; in a constant this is a compile error.
    pub const fn new(
        names: &'static CStr,
        properties: &'static CStr,
        implementation: &'static [Dispatch],
        description: &'static CStr,
    ) -> Self {
        let last = implementation.len() - 1;
        assert!(implementation[last].function_id == 0, "the table needs an end");
        Self {
            names: names.as_ptr(),
            properties: properties.as_ptr(),
            implementation: implementation.as_ptr(),
            description: description.as_ptr(),
        }
    }
}

impl Algorithm {
    /// Whether this entry ends a list.
    pub fn is_end(&self) -> bool {
        self.names.is_null()
    }

    /// The property definition.
    pub fn properties(&self) -> &'static CStr {
        match self.is_end() {
            true => c"",
            // SAFETY: it points to the static string passed to the constructor.
            false => unsafe { CStr::from_ptr(self.properties) },
        }
    }

    /// The same algorithm with another property definition.
    #[must_use]
    pub const fn with_properties(self, properties: &'static CStr) -> Self {
        Self { properties: properties.as_ptr(), ..self }
    }
}

/// A list of names that ends with a null pointer, as returned by
/// `OSSL_FUNC_SIGNATURE_QUERY_KEY_TYPES`.
#[repr(transparent)]
pub struct Names<const LEN: usize>([*const c_char; LEN]);

// SAFETY: the pointers point to immutable static strings.
unsafe impl<const LEN: usize> Sync for Names<LEN> {}

impl<const LEN: usize> Names<LEN> {
    /// A list of these names; the last must be `None`.
    ///
    /// # Panics
    /// The last element is a name; in a constant this is a compile error.
    pub const fn new(names: [Option<&'static CStr>; LEN]) -> Self {
        assert!(names[LEN - 1].is_none(), "the list needs an end");
        let mut pointers = [ptr::null(); LEN];
        let mut at = 0;
        while at < LEN {
            if let Some(name) = names[at] {
                pointers[at] = name.as_ptr();
            }
            at += 1;
        }
        Self(pointers)
    }

    /// The list for C.
    pub const fn as_ptr(&self) -> *const *const c_char {
        self.0.as_ptr()
    }
}

/// A number and its meaning (`OSSL_ITEM`): an error reason and its text.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Item {
    id: c_uint,
    ptr: *const c_void,
}

// SAFETY: the pointer points to an immutable static string.
unsafe impl Sync for Item {}

impl Item {
    /// The entry that ends a list.
    pub const END: Self = Self { id: 0, ptr: ptr::null() };

    /// A reason and its text.
    pub const fn new(id: c_uint, text: &'static CStr) -> Self {
        Self { id, ptr: text.as_ptr().cast() }
    }

    /// The number.
    pub const fn id(&self) -> c_uint {
        self.id
    }
}

/// A named value (`OSSL_PARAM`).
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Param {
    /// The name; null ends an array.
    pub key: *const c_char,
    /// One of [`DataType`]'s numbers.
    pub data_type: c_uint,
    /// The value, or the buffer for it.
    pub data: *mut c_void,
    /// Size of the value or the buffer, in bytes.
    pub data_size: usize,
    /// Size of the returned value, or [`Param::UNMODIFIED`].
    pub return_size: usize,
}

// SAFETY: a parameter is plain data. Its pointers are checked where they are read, and constant
// arrays contain static names and no data.
unsafe impl Sync for Param {}
// SAFETY: as above.
unsafe impl Send for Param {}

impl Param {
    /// `return_size` of a parameter that was not filled in (`OSSL_PARAM_UNMODIFIED`).
    pub const UNMODIFIED: usize = usize::MAX;

    /// The entry that ends an array.
    pub const END: Self = Self {
        key: ptr::null(),
        data_type: 0,
        data: ptr::null_mut(),
        data_size: 0,
        return_size: 0,
    };

    /// A parameter without a value, as in lists of supported parameters.
    pub const fn describe(name: &'static CStr, data_type: DataType) -> Self {
        Self {
            key: name.as_ptr(),
            data_type: data_type as c_uint,
            data: ptr::null_mut(),
            data_size: 0,
            return_size: Self::UNMODIFIED,
        }
    }

    /// An `unsigned int` without a value. It needs a size: without one, libcrypto accepts numbers
    /// of any size when it converts text (`openssl pkeyutl -pkeyopt`), and passes zero as no bytes
    /// at all.
    pub const fn describe_uint(name: &'static CStr) -> Self {
        Self { data_size: size_of::<c_uint>(), ..Self::describe(name, DataType::UnsignedInteger) }
    }
}

/// The type of a parameter's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum DataType {
    /// A signed integer of any size, in native byte order.
    Integer = 1,
    /// An unsigned integer of any size, in native byte order; also used for big numbers.
    UnsignedInteger = 2,
    /// A C `double`.
    Real = 3,
    /// Text; a NUL may follow it but is not part of its size.
    Utf8String = 4,
    /// Bytes.
    OctetString = 5,
    /// A pointer to text.
    Utf8Ptr = 6,
    /// A pointer to bytes.
    OctetPtr = 7,
}

impl DataType {
    /// The type with this number.
    pub const fn from_raw(raw: c_uint) -> Option<Self> {
        Some(match raw {
            1 => Self::Integer,
            2 => Self::UnsignedInteger,
            3 => Self::Real,
            4 => Self::Utf8String,
            5 => Self::OctetString,
            6 => Self::Utf8Ptr,
            7 => Self::OctetPtr,
            _ => return None,
        })
    }
}
