//! Keys of the host's other providers, used through libcrypto's `EVP_PKEY` functions.
//!
//! When a function fails, libcrypto's errors stay in the queue.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::ptr::{self, NonNull};
use std::sync::Arc;

use super::{Host, libcrypto_functions};
use crate::entry::CoreCallback;
use crate::params::{Answers, ParamArray, Params, integer};
use crate::types::{Callback, CoreContext, DataType, Param};

type Context = *mut c_void;
type Pkey = *mut c_void;
type Transform = unsafe extern "C" fn(Context, *mut u8, *mut usize, *const u8, usize) -> c_int;

libcrypto_functions! {
    context_by_name = c"EVP_PKEY_CTX_new_from_name":
        unsafe extern "C" fn(*mut CoreContext, *const c_char, *const c_char) -> Context;
    context_by_key = c"EVP_PKEY_CTX_new_from_pkey":
        unsafe extern "C" fn(*mut CoreContext, Pkey, *const c_char) -> Context;
    free_context = c"EVP_PKEY_CTX_free": unsafe extern "C" fn(Context);
    set_context_params = c"EVP_PKEY_CTX_set_params":
        unsafe extern "C" fn(Context, *const Param) -> c_int;
    keygen_init = c"EVP_PKEY_keygen_init": unsafe extern "C" fn(Context) -> c_int;
    paramgen_init = c"EVP_PKEY_paramgen_init": unsafe extern "C" fn(Context) -> c_int;
    generate = c"EVP_PKEY_generate": unsafe extern "C" fn(Context, *mut Pkey) -> c_int;
    fromdata_init = c"EVP_PKEY_fromdata_init": unsafe extern "C" fn(Context) -> c_int;
    fromdata = c"EVP_PKEY_fromdata":
        unsafe extern "C" fn(Context, *mut Pkey, c_int, *mut Param) -> c_int;
    todata = c"EVP_PKEY_todata": unsafe extern "C" fn(Pkey, c_int, *mut *mut Param) -> c_int;
    free_params = c"OSSL_PARAM_free": unsafe extern "C" fn(*mut Param);
    size = c"EVP_PKEY_get_size": unsafe extern "C" fn(Pkey) -> c_int;
    dup = c"EVP_PKEY_dup": unsafe extern "C" fn(Pkey) -> Pkey;
    free = c"EVP_PKEY_free": unsafe extern "C" fn(Pkey);
    get_params = c"EVP_PKEY_get_params": unsafe extern "C" fn(Pkey, *mut Param) -> c_int;
    set_params = c"EVP_PKEY_set_params": unsafe extern "C" fn(Pkey, *mut Param) -> c_int;
    export = c"EVP_PKEY_export":
        unsafe extern "C" fn(Pkey, c_int, Callback, *mut c_void) -> c_int;
    equal = c"EVP_PKEY_eq": unsafe extern "C" fn(Pkey, Pkey) -> c_int;
    parameters_equal = c"EVP_PKEY_parameters_eq": unsafe extern "C" fn(Pkey, Pkey) -> c_int;
    check_parameters = c"EVP_PKEY_param_check": unsafe extern "C" fn(Context) -> c_int;
    check_public = c"EVP_PKEY_public_check": unsafe extern "C" fn(Context) -> c_int;
    check_private = c"EVP_PKEY_private_check": unsafe extern "C" fn(Context) -> c_int;
    check_pair = c"EVP_PKEY_pairwise_check": unsafe extern "C" fn(Context) -> c_int;
    sign_init = c"EVP_PKEY_sign_init": unsafe extern "C" fn(Context) -> c_int;
    sign = c"EVP_PKEY_sign": Transform;
    verify_init = c"EVP_PKEY_verify_init": unsafe extern "C" fn(Context) -> c_int;
    verify = c"EVP_PKEY_verify":
        unsafe extern "C" fn(Context, *const u8, usize, *const u8, usize) -> c_int;
    encrypt_init = c"EVP_PKEY_encrypt_init": unsafe extern "C" fn(Context) -> c_int;
    encrypt = c"EVP_PKEY_encrypt": Transform;
    decrypt_init = c"EVP_PKEY_decrypt_init": unsafe extern "C" fn(Context) -> c_int;
    decrypt = c"EVP_PKEY_decrypt": Transform;
}

/// Creates keys with providers of certain properties.
#[derive(Clone)]
pub struct HostKeys {
    functions: Arc<Functions>,
    library_context: *mut CoreContext,
    properties: &'static CStr,
}

// SAFETY: the library context is only passed on. It outlives the provider, which libcrypto keeps
// loaded as long as keys of it exist.
unsafe impl Send for HostKeys {}
// SAFETY: as above.
unsafe impl Sync for HostKeys {}

/// What to generate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generate {
    /// A key pair.
    Pair,
    /// Domain parameters.
    Parameters,
}

/// Which part of a key to check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// Domain parameters.
    Parameters,
    /// The public half.
    Public,
    /// The private half.
    Private,
    /// Whether the two halves match.
    Pair,
}

impl HostKeys {
    /// Keys in the library context of `host`, of providers with these properties. `None` if
    /// libcrypto's functions cannot be found.
    pub fn new(host: &Host, properties: &'static CStr) -> Option<Self> {
        let functions = Functions::find(&host.libcrypto()?)?;
        let library_context = host.library_context()?;
        Some(Self { functions: Arc::new(functions), library_context, properties })
    }

    fn context(&self, key_type: &CStr) -> Option<OwnedContext<'_>> {
        let functions = &*self.functions;
        // SAFETY: the names are C strings, and the library context is alive.
        let context = unsafe {
            (functions.context_by_name)(
                self.library_context,
                key_type.as_ptr(),
                self.properties.as_ptr(),
            )
        };
        NonNull::new(context).map(|context| OwnedContext { functions, context })
    }

    /// Starts the generation of a key of this type (`EVP_PKEY_keygen_init`,
    /// `EVP_PKEY_paramgen_init`). `None` if no other provider generates such keys.
    pub fn generator(&self, key_type: &CStr, target: Generate) -> Option<KeyGenerator> {
        let context = self.context(key_type)?;
        let init = match target {
            Generate::Pair => self.functions.keygen_init,
            Generate::Parameters => self.functions.paramgen_init,
        };
        // SAFETY: the context is alive.
        let begun = unsafe { init(context.as_ptr()) == 1 };
        begun.then(|| KeyGenerator { keys: self.clone(), context: context.release() })
    }

    /// Imports a key of this type from parameters (`EVP_PKEY_fromdata`).
    pub fn import(&self, key_type: &CStr, selection: c_int, params: Params<'_>) -> Option<HostKey> {
        let context = self.context(key_type)?;
        let mut pkey = ptr::null_mut();
        // SAFETY: the context and the array are alive; libcrypto does not write to the array.
        let made = unsafe {
            (self.functions.fromdata_init)(context.as_ptr()) == 1
                && (self.functions.fromdata)(
                    context.as_ptr(),
                    &mut pkey,
                    selection,
                    params.as_ptr().cast_mut(),
                ) == 1
        };
        self.key(pkey).filter(|_| made)
    }

    fn key(&self, pkey: Pkey) -> Option<HostKey> {
        NonNull::new(pkey).map(|pkey| HostKey { keys: self.clone(), pkey })
    }
}

/// A context that is freed on drop.
struct OwnedContext<'a> {
    functions: &'a Functions,
    context: NonNull<c_void>,
}

impl OwnedContext<'_> {
    fn as_ptr(&self) -> Context {
        self.context.as_ptr()
    }

    /// Passes ownership to the caller.
    fn release(self) -> NonNull<c_void> {
        let context = self.context;
        std::mem::forget(self);
        context
    }
}

impl Drop for OwnedContext<'_> {
    fn drop(&mut self) {
        // SAFETY: the context is ours and is freed once.
        unsafe { (self.functions.free_context)(self.as_ptr()) };
    }
}

/// A key generation in progress.
pub struct KeyGenerator {
    keys: HostKeys,
    context: NonNull<c_void>,
}

// SAFETY: any thread may use the context, but only one at a time.
unsafe impl Send for KeyGenerator {}

impl KeyGenerator {
    /// Sets parameters (`EVP_PKEY_CTX_set_params`).
    pub fn set(&mut self, params: Params<'_>) -> bool {
        // SAFETY: the context is alive, and so is the array.
        unsafe {
            (self.keys.functions.set_context_params)(self.context.as_ptr(), params.as_ptr()) == 1
        }
    }

    /// Generates the key (`EVP_PKEY_generate`).
    pub fn generate(&mut self) -> Option<HostKey> {
        let mut pkey = ptr::null_mut();
        // SAFETY: the context was initialised for this, and there is room for a pointer.
        let made = unsafe { (self.keys.functions.generate)(self.context.as_ptr(), &mut pkey) == 1 };
        self.keys.key(pkey).filter(|_| made)
    }
}

impl Drop for KeyGenerator {
    fn drop(&mut self) {
        // SAFETY: the context is ours and is freed once.
        unsafe { (self.keys.functions.free_context)(self.context.as_ptr()) };
    }
}

/// A key, or domain parameters, of another provider.
pub struct HostKey {
    keys: HostKeys,
    pkey: NonNull<c_void>,
}

// SAFETY: libcrypto's keys may be used from any thread. As with every key, libcrypto's caller must
// not modify one while other threads use it (`EVP_PKEY_set_params`).
unsafe impl Send for HostKey {}
// SAFETY: as above.
unsafe impl Sync for HostKey {}

impl HostKey {
    fn functions(&self) -> &Functions {
        &self.keys.functions
    }

    fn pkey(&self) -> Pkey {
        self.pkey.as_ptr()
    }

    fn context(&self) -> Option<OwnedContext<'_>> {
        let functions = self.functions();
        // SAFETY: the key and the library context are alive.
        let context = unsafe {
            (functions.context_by_key)(
                self.keys.library_context,
                self.pkey(),
                self.keys.properties.as_ptr(),
            )
        };
        NonNull::new(context).map(|context| OwnedContext { functions, context })
    }

    /// Fills in parameters.
    pub fn answer(&self, answers: &mut Answers<'_>) -> bool {
        // SAFETY: the key is alive, and the function accepts such an array.
        unsafe { (self.functions().get_params)(self.pkey(), answers.as_mut_ptr()) == 1 }
    }

    /// A parameter of type octet string or UTF-8 string.
    pub fn get(&self, name: &CStr, kind: DataType) -> Option<Vec<u8>> {
        let mut room = Vec::new();
        // The first call gets the size.
        for _ in 0..2 {
            let data: *mut u8 = if room.is_empty() { ptr::null_mut() } else { room.as_mut_ptr() };
            let mut params = [
                Param {
                    key: name.as_ptr(),
                    data_type: kind as c_uint,
                    data: data.cast(),
                    data_size: room.len(),
                    return_size: Param::UNMODIFIED,
                },
                Param::END,
            ];
            // SAFETY: the array ends with a null key, and the buffer has the stated size.
            let answered = self.answer(&mut unsafe { Answers::from_ptr(params.as_mut_ptr()) });
            let size = params[0].return_size;
            if !answered || size == Param::UNMODIFIED || size == 0 {
                return None;
            }
            if room.is_empty() {
                // libcrypto terminates text with a NUL if there is room.
                room = vec![0; size + 1];
            } else {
                room.truncate(size);
            }
        }
        Some(room)
    }

    /// A parameter that is a non-negative integer, big-endian without leading zeros.
    pub fn bignum(&self, name: &CStr) -> Option<Vec<u8>> {
        self.get(name, DataType::UnsignedInteger).map(|bytes| integer::decode_big(&bytes))
    }

    /// The maximum output size of an operation with the key (`EVP_PKEY_get_size`).
    pub fn max_size(&self) -> Option<usize> {
        // SAFETY: the key is alive.
        let size = unsafe { (self.functions().size)(self.pkey()) };
        usize::try_from(size).ok().filter(|size| *size != 0)
    }

    /// Sets parameters of the key.
    pub fn set(&self, params: Params<'_>) -> bool {
        // SAFETY: the key and the array are alive; libcrypto does not write to the array.
        unsafe { (self.functions().set_params)(self.pkey(), params.as_ptr().cast_mut()) == 1 }
    }

    /// Passes the selected parts of the key, including private ones, to the callback.
    pub fn export(&self, selection: c_int, callback: CoreCallback<'_>) -> bool {
        let (function, argument) = (callback.function(), callback.argument());
        // SAFETY: the key is alive, and the callback is the core's for this call.
        unsafe { (self.functions().export)(self.pkey(), selection, function, argument) == 1 }
    }

    /// Duplicates the key (`EVP_PKEY_dup`).
    pub fn duplicate(&self) -> Option<Self> {
        // SAFETY: the key is alive.
        self.keys.key(unsafe { (self.functions().dup)(self.pkey()) })
    }

    /// A new key with only the selected parts.
    pub fn part(&self, key_type: &CStr, selection: c_int) -> Option<Self> {
        let functions = self.functions();
        let mut params = ptr::null_mut();
        // SAFETY: the key is alive, and there is room for a pointer.
        if unsafe { (functions.todata)(self.pkey(), selection, &mut params) } != 1 {
            return None;
        }
        // SAFETY: the array is libcrypto's own, and lives until it is freed below.
        let part = self.keys.import(key_type, selection, unsafe { Params::from_ptr(params) });
        // SAFETY: we own the array, and it is freed once.
        unsafe { (functions.free_params)(params) };
        part
    }

    /// Whether the public halves are equal.
    pub fn equals(&self, other: &Self) -> bool {
        // SAFETY: both keys are alive.
        unsafe { (self.functions().equal)(self.pkey(), other.pkey()) == 1 }
    }

    /// Whether the domain parameters are equal.
    pub fn parameters_equal(&self, other: &Self) -> bool {
        // SAFETY: both keys are alive.
        unsafe { (self.functions().parameters_equal)(self.pkey(), other.pkey()) == 1 }
    }

    /// Whether the key passes the check.
    pub fn check(&self, check: Check) -> bool {
        let functions = self.functions();
        let function = match check {
            Check::Parameters => functions.check_parameters,
            Check::Public => functions.check_public,
            Check::Private => functions.check_private,
            Check::Pair => functions.check_pair,
        };
        // SAFETY: the context is alive.
        self.context().is_some_and(|context| unsafe { function(context.as_ptr()) == 1 })
    }

    /// Signs a digest (`EVP_PKEY_sign`).
    pub fn sign(&self, params: &ParamArray, tbs: &[u8]) -> Option<Vec<u8>> {
        self.transform(self.functions().sign_init, self.functions().sign, params, tbs)
    }

    /// Verifies a signature of a digest (`EVP_PKEY_verify`).
    pub fn verify(&self, params: &ParamArray, tbs: &[u8], signature: &[u8]) -> bool {
        let begun = self.begin(self.functions().verify_init, params);
        begun.is_some_and(|context| {
            // SAFETY: the context was initialised for this, and the slices have the stated lengths.
            let verified = unsafe {
                (self.functions().verify)(
                    context.as_ptr(),
                    signature.as_ptr(),
                    signature.len(),
                    tbs.as_ptr(),
                    tbs.len(),
                )
            };
            verified == 1
        })
    }

    /// Encrypts (`EVP_PKEY_encrypt`).
    pub fn encrypt(&self, params: &ParamArray, plaintext: &[u8]) -> Option<Vec<u8>> {
        self.transform(self.functions().encrypt_init, self.functions().encrypt, params, plaintext)
    }

    /// Decrypts (`EVP_PKEY_decrypt`).
    pub fn decrypt(&self, params: &ParamArray, ciphertext: &[u8]) -> Option<Vec<u8>> {
        self.transform(self.functions().decrypt_init, self.functions().decrypt, params, ciphertext)
    }

    /// Creates a context for an operation.
    fn begin(
        &self,
        init: unsafe extern "C" fn(Context) -> c_int,
        params: &ParamArray,
    ) -> Option<OwnedContext<'_>> {
        let context = self.context()?;
        // SAFETY: the context and the array are alive.
        let begun = unsafe { init(context.as_ptr()) == 1 };
        // One at a time, as libcrypto's own functions do: 3.0.2 confuses two digests in one array.
        let all_set = || {
            params.one_by_one().all(|one| {
                // SAFETY: as above.
                unsafe {
                    (self.functions().set_context_params)(context.as_ptr(), one.as_ptr()) == 1
                }
            })
        };
        (begun && all_set()).then_some(context)
    }

    fn transform(
        &self,
        init: unsafe extern "C" fn(Context) -> c_int,
        transform: Transform,
        params: &ParamArray,
        input: &[u8],
    ) -> Option<Vec<u8>> {
        let context = self.begin(init, params)?;
        let run = |out: *mut u8, len: &mut usize| {
            // SAFETY: the context was initialised for this; `out` is null or has room for `len`
            // bytes.
            unsafe { transform(context.as_ptr(), out, len, input.as_ptr(), input.len()) == 1 }
        };
        let mut len = 0;
        if !run(ptr::null_mut(), &mut len) {
            return None;
        }
        let mut output = vec![0; len];
        run(output.as_mut_ptr(), &mut len).then(|| {
            output.truncate(len);
            output
        })
    }
}

impl Drop for HostKey {
    fn drop(&mut self) {
        // SAFETY: the key is ours and is freed once.
        unsafe { (self.functions().free)(self.pkey()) };
    }
}
