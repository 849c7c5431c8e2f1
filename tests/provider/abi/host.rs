//! A host of the provider's ABI without libcrypto: it meets the interface's contract (strings are
//! terminated, data has its stated length), and everything else depends on the input.

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::{ptr, slice};

use ossl_abi::functions::{bio, core, provider};
use ossl_abi::types::{CoreBio, CoreHandle, Dispatch, Param, VaList};

/// The entry point of a module.
pub(crate) type Init = unsafe extern "C" fn(
    *const CoreHandle,
    *const Dispatch,
    *mut *const Dispatch,
    *mut *mut c_void,
) -> c_int;

/// `OSSL_ALGORITHM`, declared independently.
#[repr(C)]
struct Algorithm {
    names: *const c_char,
    properties: *const c_char,
    implementation: *const Dispatch,
    description: *const c_char,
}

/// A loaded provider.
pub(crate) struct Provider {
    pub(crate) context: *mut c_void,
    functions: *const Dispatch,
    /// Opaque key of a Managed HSM, if there is one; it is never freed.
    pub(crate) opaque_key: *mut c_void,
    /// The same as an `EVP_PKEY` key.
    pub(crate) symmetric_key: *mut c_void,
}

impl Provider {
    /// Loads the provider with settings that override [`SETTINGS`].
    ///
    /// # Safety
    /// `init` is the entry point of a module.
    pub(crate) unsafe fn load(init: Init, settings: Vec<(CString, CString)>) -> Self {
        static UPCALLS: [Dispatch; 10] = [
            core::GET_PARAMS.entry(get_params),
            core::NEW_ERROR.entry(new_error),
            core::SET_ERROR_DEBUG.entry(set_error_debug),
            core::VSET_ERROR.entry(vset_error),
            core::SET_ERROR_MARK.entry(mark),
            core::POP_ERROR_TO_MARK.entry(mark),
            bio::READ_EX.entry(read_ex),
            bio::WRITE_EX.entry(write_ex),
            bio::GETS.entry(gets),
            Dispatch::END,
        ];
        let (mut functions, mut context) = (ptr::null(), ptr::null_mut());
        let handle: *const CoreHandle = ptr::from_ref(Box::leak(Box::new(settings))).cast();
        // SAFETY: guaranteed by the caller; table and handle live for ever.
        let loaded = unsafe { init(handle, UPCALLS.as_ptr(), &mut functions, &mut context) };
        assert_eq!(loaded, 1, "the provider loads");
        let (opaque_key, symmetric_key) = (ptr::null_mut(), ptr::null_mut());
        Self { context, functions, opaque_key, symmetric_key }
    }

    /// The function tables of an operation, except for those of symmetric keys: libcrypto never
    /// passes one kind of key to the functions of the other.
    pub(crate) fn tables(&self, operation: c_int) -> Vec<*const Dispatch> {
        self.tables_for(operation, false)
    }

    /// The function tables of an operation with symmetric keys.
    pub(crate) fn symmetric_tables(&self, operation: c_int) -> Vec<*const Dispatch> {
        self.tables_for(operation, true)
    }

    fn tables_for(&self, operation: c_int, symmetric: bool) -> Vec<*const Dispatch> {
        let mut no_cache = 0;
        // SAFETY: the table is the provider's, and terminated.
        let query =
            unsafe { provider::QUERY_OPERATION.find(self.functions) }.expect("an operation");
        // SAFETY: the context is the provider's.
        let first = unsafe { query(self.context, operation, &mut no_cache) };
        let mut next = first.cast::<Algorithm>();
        let mut tables = Vec::new();
        // SAFETY: the list is the provider's, and ends with a null name.
        while let Some(algorithm) = unsafe { next.as_ref() }.filter(|a| !a.names.is_null()) {
            // SAFETY: names are C strings.
            let name = unsafe { CStr::from_ptr(algorithm.names) };
            if name.to_bytes().starts_with(b"AKV-AES") == symmetric {
                tables.push(algorithm.implementation);
            }
            // SAFETY: this was not the last entry.
            next = unsafe { next.add(1) };
        }
        assert!(!tables.is_empty());
        tables
    }

    /// The provider's own function table.
    pub(crate) fn functions(&self) -> *const Dispatch {
        self.functions
    }
}

/// Settings with which no request leaves the machine: there is no token. The host supports
/// everything.
const SETTINGS: [(&CStr, &CStr); 5] = [
    (c"openssl-version", c"4.0.3"),
    (c"endpoint", c"https://127.0.0.1:9"),
    (c"credential", c"access-token"),
    (c"access-token-file", c"/dev/null"),
    (c"timeout", c"1s"),
];

unsafe extern "C" fn get_params(core: *const CoreHandle, params: *mut Param) -> c_int {
    // SAFETY: the handle is the one that `load` created.
    let settings = unsafe { &*core.cast::<Vec<(CString, CString)>>() };
    let mut next = params;
    // SAFETY: the provider passes an array that ends with a null key.
    while let Some(param) = unsafe { next.as_mut() }.filter(|param| !param.key.is_null()) {
        // SAFETY: keys are C strings.
        let name = unsafe { CStr::from_ptr(param.key) };
        let own = settings.iter().map(|(known, value)| (known.as_c_str(), value.as_c_str()));
        if let Some((_, value)) = own.chain(SETTINGS).find(|(known, _)| *known == name) {
            // SAFETY: the provider asks for pointers.
            unsafe { *param.data.cast::<*const c_char>() = value.as_ptr() };
        }
        // SAFETY: this was not the last entry.
        next = unsafe { next.add(1) };
    }
    1
}

unsafe extern "C" fn new_error(_core: *const CoreHandle) {}

unsafe extern "C" fn set_error_debug(
    _core: *const CoreHandle,
    file: *const c_char,
    _line: c_int,
    function: *const c_char,
) {
    // SAFETY: the provider passes C strings.
    let _ = unsafe { (CStr::from_ptr(file), CStr::from_ptr(function)) };
}

unsafe extern "C" fn vset_error(
    _core: *const CoreHandle,
    _reason: u32,
    format: *const c_char,
    _arguments: *mut VaList,
) {
    // SAFETY: the provider passes a C string.
    let format = unsafe { CStr::from_ptr(format) }.to_bytes();
    let percents = format.iter().filter(|byte| **byte == b'%').count();
    assert_eq!(percents % 2, 0, "a conversion in an error's format");
    assert!(format.len() <= 2024, "an error of {} bytes", format.len());
}

unsafe extern "C" fn mark(_core: *const CoreHandle) -> c_int {
    1
}

/// A BIO over bytes, which reads and writes a few at a time.
pub(crate) struct Memory<'a> {
    rest: &'a [u8],
    /// Maximum number of bytes per call.
    step: usize,
    /// Bytes that may still be written; then the BIO is broken.
    room: usize,
}

impl<'a> Memory<'a> {
    pub(crate) fn new(bytes: &'a [u8], step: usize, room: usize) -> Self {
        Self { rest: bytes, step: step.max(1), room }
    }
}

impl Memory<'_> {
    pub(crate) fn as_bio(&mut self) -> *mut CoreBio {
        ptr::from_mut(self).cast()
    }
}

unsafe extern "C" fn read_ex(
    bio: *mut CoreBio,
    room: *mut c_void,
    size: usize,
    read: *mut usize,
) -> c_int {
    // SAFETY: all BIOs here are of this type, and the provider passes a buffer and a pointer for
    // the count.
    let (memory, read) = unsafe { (&mut *bio.cast::<Memory<'_>>(), &mut *read) };
    let (now, later) = memory.rest.split_at(size.min(memory.step).min(memory.rest.len()));
    // SAFETY: the buffer is as large as stated.
    unsafe { ptr::copy_nonoverlapping(now.as_ptr(), room.cast(), now.len()) };
    (memory.rest, *read) = (later, now.len());
    (!now.is_empty()).into()
}

unsafe extern "C" fn write_ex(
    bio: *mut CoreBio,
    data: *const c_void,
    size: usize,
    written: *mut usize,
) -> c_int {
    // SAFETY: as for reading, and the data is as long as stated.
    let (memory, written, data) = unsafe {
        let data = slice::from_raw_parts(data.cast::<u8>(), size);
        (&mut *bio.cast::<Memory<'_>>(), &mut *written, data)
    };
    let now = size.min(memory.step).min(memory.room);
    // Read, so that a sanitizer checks the access.
    std::hint::black_box((data.first(), data.last()));
    memory.room -= now;
    *written = now;
    (now > 0).into()
}

unsafe extern "C" fn gets(bio: *mut CoreBio, room: *mut c_char, size: c_int) -> c_int {
    // SAFETY: all BIOs here are of this type.
    let memory = unsafe { &mut *bio.cast::<Memory<'_>>() };
    let most = usize::try_from(size).unwrap_or(0).saturating_sub(1);
    let line =
        memory.rest.iter().position(|byte| *byte == b'\n').map_or(memory.rest.len(), |end| end + 1);
    let (now, later) = memory.rest.split_at(line.min(most));
    // SAFETY: the buffer is as large as stated, which is one more than this.
    unsafe {
        ptr::copy_nonoverlapping(now.as_ptr(), room.cast(), now.len());
        *room.add(now.len()) = 0;
    }
    memory.rest = later;
    c_int::try_from(now.len()).unwrap_or(0)
}

/// The defects of a parameter.
#[derive(Clone, Copy, Default)]
pub(crate) struct Oddities {
    /// The data is null, its size is kept.
    pub(crate) null: bool,
    /// The data begins at an odd address.
    pub(crate) misaligned: bool,
    /// The return size before the call.
    pub(crate) return_size: Option<usize>,
}

/// Bytes after the buffer of a parameter, which must not change.
const FENCE: u8 = 0xa5;
const FENCED: usize = 16;

/// A parameter array with its data.
pub(crate) struct Params {
    params: Vec<Param>,
    data: Vec<Box<[u64]>>,
}

impl Params {
    pub(crate) fn new() -> Self {
        Self { params: vec![Param::END], data: Vec::new() }
    }

    /// Adds a value. For a pointer type, the data is a pointer to the bytes.
    pub(crate) fn add(&mut self, name: &'static CStr, data_type: u32, bytes: &[u8]) {
        self.add_odd(name, data_type, bytes, Oddities::default());
    }

    /// Adds a value that a correct host would not pass.
    pub(crate) fn add_odd(
        &mut self,
        name: &'static CStr,
        data_type: u32,
        bytes: &[u8],
        odd: Oddities,
    ) {
        let pointer_type = matches!(data_type, 6 | 7);
        let shift = usize::from(odd.misaligned && !pointer_type);
        let mut room = aligned(&[&[FENCE][..shift], bytes].concat());
        // SAFETY: the buffer has one byte more than the value.
        let mut data: *mut c_void = unsafe { room.as_mut_ptr().cast::<u8>().add(shift).cast() };
        self.data.push(room);
        if pointer_type {
            let mut pointer = aligned(&(data as usize).to_ne_bytes());
            data = pointer.as_mut_ptr().cast();
            self.data.push(pointer);
        }
        if odd.null {
            data = ptr::null_mut();
        }
        let param = Param {
            key: name.as_ptr(),
            data_type: data_type as c_uint,
            data,
            data_size: bytes.len(),
            return_size: odd.return_size.unwrap_or(Param::UNMODIFIED),
        };
        self.params.insert(self.params.len() - 1, param);
    }

    pub(crate) fn as_ptr(&mut self) -> *mut Param {
        self.params.as_mut_ptr()
    }

    /// # Panics
    /// Something was written beyond a buffer.
    pub(crate) fn check(&self) {
        let rooms = self.params.iter().filter(|p| !p.data.is_null() && p.data_type < 6);
        for param in rooms {
            // SAFETY: each buffer was created with a fence after its bytes.
            let fence = unsafe {
                slice::from_raw_parts(param.data.cast::<u8>().add(param.data_size), FENCED)
            };
            assert!(fence.iter().all(|byte| *byte == FENCE), "written past the end");
        }
    }
}

/// The bytes, optionally terminated by NUL, with a fence after them.
fn aligned(bytes: &[u8]) -> Box<[u64]> {
    let mut all = bytes.to_vec();
    all.resize((bytes.len() + FENCED).next_multiple_of(8) + 8, FENCE);
    *all.last_mut().expect("a fence") = 0;
    all.chunks_exact(8).map(|word| u64::from_ne_bytes(word.try_into().expect("eight"))).collect()
}
