//! Symmetric keys: opaque ones and their ciphers, and key wrap. Without a vault there is no key,
//! and operations without a key are refused.

use std::ffi::{CStr, c_int, c_void};
use std::ptr;

use ossl_abi::functions::{asym_cipher, cipher, keymgmt, operation, skeymgmt};
use ossl_abi::params::Params as Described;
use ossl_abi::types::{Dispatch, Param};

use super::{Input, NEW_KEY, call};
use crate::host::Provider;

/// Parameters that identify a key, and others that do not.
const IMPORT: [&CStr; 4] = [c"akv-key", c"raw-bytes", c"reference", c"nobody-knows"];

const CIPHER: [&CStr; 9] = [
    c"mode",
    c"keylen",
    c"ivlen",
    c"blocksize",
    c"custom-iv",
    c"padding",
    c"iv",
    c"updated-iv",
    c"nobody-knows",
];

/// A buffer with a fence after it.
struct Room(Vec<u8>);

impl Room {
    const FENCE: [u8; 16] = [0xa5; 16];

    fn new(size: usize) -> Self {
        Self([&vec![0; size], &Self::FENCE[..]].concat())
    }

    fn size(&self) -> usize {
        self.0.len() - Self::FENCE.len()
    }

    fn check(&self) {
        assert_eq!(self.0[self.size()..], Self::FENCE, "written past the end");
    }
}

/// An opaque key that is named, described, or imported.
pub(super) fn import(provider: &Provider, input: &mut Input<'_>) -> bool {
    let table = provider.symmetric_tables(operation::SKEYMGMT)[0];
    let selection = c_int::from(input.byte());
    let (mut params, mut new) = (input.params_of(&IMPORT), input.params_of(&NEW_KEY));
    call!(table, skeymgmt::IMP_SETTABLE_PARAMS, provider.context);
    call!(table, skeymgmt::GEN_SETTABLE_PARAMS, provider.context);
    let made = call!(table, skeymgmt::GENERATE, provider.context, new.as_ptr());
    let found = call!(table, skeymgmt::IMPORT, provider.context, selection, params.as_ptr());
    let mut taken = false;
    for key in [made, found, Some(provider.opaque_key)].into_iter().flatten() {
        let given = call!(table, skeymgmt::EXPORT, key, selection, Some(refused), ptr::null_mut());
        assert_eq!(given, Some(0), "a key's bytes were given");
        let id = call!(table, skeymgmt::GET_KEY_ID, key).expect("GET_KEY_ID");
        assert_eq!(id.is_null(), key.is_null());
        if key != provider.opaque_key {
            taken |= !key.is_null();
            call!(table, skeymgmt::FREE, key);
        }
    }
    taken
}

unsafe extern "C" fn refused(_params: *const Param, _arg: *mut c_void) -> c_int {
    panic!("a key's bytes were given");
}

/// A cipher context with any parameters, in any order, and buffers of any size.
pub(super) fn cipher(provider: &Provider, input: &mut Input<'_>) -> bool {
    let table = input.choose(&provider.symmetric_tables(operation::CIPHER));
    let context = call!(table, cipher::NEWCTX, provider.context).expect("NEWCTX");
    ask(provider, table, context, input);
    let mut taken = false;
    for _ in 0..3 {
        taken |= step(provider, table, context, input);
    }
    let copy = call!(table, cipher::DUPCTX, context);
    call!(table, cipher::FREECTX, context);
    if let Some(copy) = copy {
        step(provider, table, copy, input);
        call!(table, cipher::FREECTX, copy);
    }
    taken
}

/// Queries about the cipher.
fn ask(provider: &Provider, table: *const Dispatch, context: *mut c_void, input: &mut Input<'_>) {
    let (mut constant, mut answers) = (input.params_of(&CIPHER), input.params_of(&CIPHER));
    call!(table, cipher::GET_PARAMS, constant.as_ptr());
    constant.check();
    call!(table, cipher::GET_CTX_PARAMS, context, answers.as_ptr());
    answers.check();
    for list in [
        call!(table, cipher::GETTABLE_PARAMS, provider.context),
        call!(table, cipher::GETTABLE_CTX_PARAMS, context, provider.context),
        call!(table, cipher::SETTABLE_CTX_PARAMS, context, provider.context),
    ] {
        // SAFETY: the list is the provider's, and ends.
        assert!(unsafe { Described::from_ptr(list.expect("a list")) }.iter().count() > 0);
    }
}

/// An initialization, with or without its parameters, and data.
fn step(
    provider: &Provider,
    table: *const Dispatch,
    context: *mut c_void,
    input: &mut Input<'_>,
) -> bool {
    let (flags, len) = (input.byte(), usize::from(input.byte()) % 33);
    let (mut at_init, mut later) = (input.params_of(&CIPHER), input.params_of(&CIPHER));
    let mut answers = input.params_of(&CIPHER);
    let iv = input.take(len).to_vec();
    let at = if flags & 1 == 0 { iv.as_ptr() } else { ptr::null() };
    let (iv, len, params) = (at, iv.len(), at_init.as_ptr());
    let key = if flags & 2 == 0 { provider.opaque_key } else { ptr::null_mut() };
    let bytes = [7; 32];
    let begun = match flags >> 2 & 3 {
        0 => call!(table, cipher::ENCRYPT_SKEY_INIT, context, key, iv, len, params),
        1 => call!(table, cipher::DECRYPT_SKEY_INIT, context, key, iv, len, params),
        2 => call!(table, cipher::ENCRYPT_INIT, context, bytes.as_ptr(), 32, iv, len, params),
        _ => call!(table, cipher::DECRYPT_INIT, context, ptr::null(), 0, iv, len, params),
    };
    call!(table, cipher::SET_CTX_PARAMS, context, later.as_ptr());
    call!(table, cipher::GET_CTX_PARAMS, context, answers.as_ptr());
    answers.check();
    let (size, len) = (usize::from(input.byte()), usize::from(input.byte()));
    let (data, mut room) = (input.take(len).to_vec(), Room::new(size));
    let out = if flags & 0x10 == 0 { room.0.as_mut_ptr() } else { ptr::null_mut() };
    let (mut written, at, len) = (0, data.as_ptr(), data.len());
    let passed = call!(table, cipher::UPDATE, context, out, &mut written, size, at, len);
    room.check();
    assert!(passed != Some(1) || out.is_null() || written <= size);
    let ended = call!(table, cipher::FINAL, context, out, &mut written, size);
    room.check();
    assert!(ended != Some(1) || out.is_null() || written <= size);
    begun == Some(1)
}

/// Key wrap with the encryption functions, and every query about the key.
pub(super) fn wrap(provider: &Provider, input: &mut Input<'_>) -> bool {
    let (keys, key) = (provider.symmetric_tables(operation::KEYMGMT)[0], provider.symmetric_key);
    let mut answers = input.params();
    let selection = c_int::from(input.byte());
    call!(keys, keymgmt::HAS, key, selection);
    call!(keys, keymgmt::MATCH, key, key, selection);
    call!(keys, keymgmt::GET_PARAMS, key, answers.as_ptr());
    answers.check();
    if let Some(copy) = call!(keys, keymgmt::DUP, key, selection) {
        call!(keys, keymgmt::FREE, copy);
    }
    let forged = input.take(8);
    let loaded = call!(keys, keymgmt::LOAD, forged.as_ptr().cast(), forged.len());
    assert_eq!(loaded, Some(ptr::null_mut()), "a forged reference");

    let table = provider.symmetric_tables(operation::ASYM_CIPHER)[0];
    let context = call!(table, asym_cipher::NEWCTX, provider.context).expect("NEWCTX");
    let names = [c"algorithm", c"nobody-knows"];
    let (mut first, mut second) = (input.params_of(&names), input.params_of(&names));
    let decrypts = input.byte() & 1 != 0;
    let taken = match decrypts {
        true => call!(table, asym_cipher::DECRYPT_INIT, context, key, first.as_ptr()),
        false => call!(table, asym_cipher::ENCRYPT_INIT, context, key, first.as_ptr()),
    };
    call!(table, asym_cipher::SETTABLE_CTX_PARAMS, context, provider.context);
    call!(table, asym_cipher::SET_CTX_PARAMS, context, second.as_ptr());
    let copy = call!(table, asym_cipher::DUPCTX, context);
    let (size, len) = (usize::from(input.byte()), usize::from(input.byte()));
    let (data, mut room, mut written) = (input.take(len).to_vec(), Room::new(size), 0);
    let (out, at, len) = (room.0.as_mut_ptr(), data.as_ptr(), data.len());
    let direction = if decrypts { asym_cipher::DECRYPT } else { asym_cipher::ENCRYPT };
    // SAFETY: the table is the provider's, and buffer and data are as large as stated.
    unsafe {
        let wrap = direction.find(table).expect("a function");
        wrap(context, ptr::null_mut(), &mut written, 0, at, len);
        wrap(context, out, &mut written, size, at, len);
    }
    room.check();
    for context in [Some(context), copy].into_iter().flatten() {
        call!(table, asym_cipher::FREECTX, context);
    }
    taken == Some(1)
}

/// Loads a key of a Managed HSM that responds.
#[cfg(test)]
pub(crate) fn find_keys(provider: &mut Provider, reference: &CStr) {
    use ossl_abi::functions::store;

    use super::keys::Taken;
    use crate::host::Params;

    let mut params = Params::new();
    params.add(c"akv-key", 4, reference.to_bytes());
    let table = provider.symmetric_tables(operation::SKEYMGMT)[0];
    let key = call!(table, skeymgmt::IMPORT, provider.context, 3, params.as_ptr());
    provider.opaque_key = key.expect("IMPORT");
    assert!(!provider.opaque_key.is_null(), "an opaque key");

    // The store returns a key file, and the decoders a key.
    let table = provider.tables(operation::STORE)[0];
    let loader = call!(table, store::OPEN, provider.context, reference.as_ptr()).expect("OPEN");
    let mut taken = (&*provider, Taken::new(provider));
    let (arg, none) = (ptr::from_mut(&mut taken).cast(), ptr::null_mut());
    call!(table, store::LOAD, loader, Some(decode), arg, None, none);
    call!(table, store::CLOSE, loader);
    let (_, key) = taken.1.key.expect("a key");
    provider.symmetric_key = key;
}

#[cfg(test)]
unsafe extern "C" fn decode(params: *const Param, arg: *mut c_void) -> c_int {
    // SAFETY: the argument is the one that `find_keys` passed.
    let (provider, taken) = unsafe { &mut *arg.cast::<(&Provider, super::keys::Taken)>() };
    // SAFETY: the provider passes an array, whose end is null.
    let params = unsafe { Described::from_ptr(params) };
    let file = params.get(c"data").expect("data").octets().expect("bytes");
    taken.decode(provider, file, usize::MAX);
    1
}
