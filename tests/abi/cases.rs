//! What the input does with the provider's functions.

use super::host::{Memory, Params, Provider};
use ossl_abi::functions::{
    asym_cipher, decoder, keymgmt, operation, provider as provider_functions, signature, store,
};
use ossl_abi::types::{Dispatch, Param};
use std::ffi::{CStr, CString, c_int, c_void};
use std::ptr;

/// The names that the provider reads or answers, and one that it does not know.
const NAMES: [&CStr; 32] = [
    c"n",
    c"e",
    c"d",
    c"group",
    c"pub",
    c"priv",
    c"encoded-pub-key",
    c"digest",
    c"pad-mode",
    c"saltlen",
    c"mgf1-digest",
    c"mgf1-properties",
    c"properties",
    c"algorithm-id",
    c"bits",
    c"security-bits",
    c"security-category",
    c"max-size",
    c"default-digest",
    c"signature",
    c"point-format",
    c"encoding",
    c"oaep-digest",
    c"oaep-label",
    c"tls-client-version",
    c"tls-negotiated-version",
    c"implicit-rejection",
    c"expect",
    c"name",
    c"status",
    c"nonce-type",
    c"nobody-knows",
];

const DIGESTS: [&CStr; 8] = [
    c"SHA256",
    c"SHA2-512",
    c"SHA1",
    c"MD5-SHA1",
    c"SHA3-384",
    c"sha384",
    c"2.16.840.1.101.3.4.2.1",
    c"nothing",
];

/// The input, byte by byte; zeros follow its end.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    fn choose<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::from(self.byte()) % from.len()]
    }

    fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Up to seven parameters of any type and size.
    fn params(&mut self) -> Params {
        let mut params = Params::new();
        for _ in 0..self.byte() % 8 {
            let name = self.choose(&NAMES);
            let kind = self.byte();
            let size = usize::from(self.byte());
            // Long values are whole keys.
            let size = if kind & 0x10 == 0 { size } else { size * 8 };
            let mut bytes = self.take(size).to_vec();
            bytes.resize(size, 0);
            params.add(name, u32::from(kind & 7), &bytes, kind & 0x88 == 0x88);
        }
        params
    }
}

macro_rules! call {
    ($table:expr, $id:path $(, $argument:expr)*) => {
        // SAFETY: the table is the provider's, the arguments keep the promises of the interface.
        unsafe { $id.find($table).map(|function| function($($argument),*)) }
    };
}

/// Runs one input; true if the provider took what it was shown.
pub(crate) fn run(provider: &Provider, data: &[u8]) -> bool {
    let mut input = Input(data);
    match input.byte() % 6 {
        0 => decode(provider, &mut input),
        1 => open(provider, &mut input),
        2 => import(provider, &mut input),
        3 => sign_and_verify(provider, &mut input),
        4 => encrypt_and_decrypt(provider, &mut input),
        _ => {
            let mut answers = input.params();
            let table = provider.functions();
            let context = provider.context;
            let taken = call!(table, provider_functions::GET_PARAMS, context, answers.as_ptr());
            answers.check();
            taken == Some(1)
        }
    }
}

/// A file for every decoder; a reference is taken as a key.
fn decode(provider: &Provider, input: &mut Input<'_>) -> bool {
    let mut taken = Taken::new(provider);
    taken.decode(provider, input.0);
    if let Some((keys, key)) = taken.key {
        call!(keys, keymgmt::FREE, key);
    }
    taken.objects > 0
}

/// What decoders gave on.
struct Taken {
    managements: Vec<*const Dispatch>,
    key: Option<(*const Dispatch, *mut c_void)>,
    objects: usize,
}

impl Taken {
    fn new(provider: &Provider) -> Self {
        Self { managements: provider.tables(operation::KEYMGMT), key: None, objects: 0 }
    }

    fn decode(&mut self, provider: &Provider, file: &[u8]) {
        for table in provider.tables(operation::DECODER) {
            let context = call!(table, decoder::NEWCTX, provider.context).expect("a decoder");
            let mut file = Memory(file);
            let (bio, arg, none) = (file.as_bio(), ptr::from_mut(self).cast(), ptr::null_mut());
            call!(table, decoder::DECODE, context, bio, 0, Some(take_object), arg, None, none);
            call!(table, decoder::FREECTX, context);
        }
    }
}

unsafe extern "C" fn take_object(params: *const Param, taken: *mut c_void) -> c_int {
    // SAFETY: the argument is the one that `Taken::decode` passed.
    let taken = unsafe { &mut *taken.cast::<Taken>() };
    // SAFETY: the provider passes an array, whose end is null.
    let params = unsafe { ossl_abi::params::Params::from_ptr(params) };
    assert!(params.iter().count() >= 3);
    taken.objects += 1;
    if let Some(reference) = params.get(c"reference") {
        let bytes = reference.octets().expect("a reference");
        for keys in &taken.managements {
            // Only the management of the key's type takes it.
            let key = call!(*keys, keymgmt::LOAD, bytes.as_ptr().cast(), bytes.len());
            let Some(key) = key.filter(|key| !key.is_null()) else { continue };
            if let Some((keys, before)) = taken.key.replace((*keys, key)) {
                call!(keys, keymgmt::FREE, before);
            }
            break;
        }
    }
    1
}

/// A key that signs, if there were a vault.
fn vault_key(provider: &Provider) -> (*const Dispatch, *mut c_void) {
    let mut taken = Taken::new(provider);
    taken.decode(provider, include_bytes!("../fuzz/corpus/key_file/ec.der"));
    taken.key.expect("a key")
}

/// A URI for the store.
fn open(provider: &Provider, input: &mut Input<'_>) -> bool {
    let table = provider.tables(operation::STORE)[0];
    let mut params = input.params();
    let text: Vec<u8> = input.0.iter().copied().take_while(|byte| *byte != 0).collect();
    let uri = CString::new(text).expect("no NUL in it");
    let loader = call!(table, store::OPEN, provider.context, uri.as_ptr()).expect("OPEN");
    if !loader.is_null() {
        call!(table, store::SET_CTX_PARAMS, loader, params.as_ptr());
        call!(table, store::EOF, loader);
        call!(table, store::CLOSE, loader);
    }
    !loader.is_null()
}

/// A key from another provider, and every question about it.
fn import(provider: &Provider, input: &mut Input<'_>) -> bool {
    let table = input.choose(&provider.tables(operation::KEYMGMT));
    let key = call!(table, keymgmt::NEW, provider.context).expect("NEW");
    let selection = c_int::from(input.byte());
    let mut params = input.params();
    let mut answers = input.params();
    let taken = call!(table, keymgmt::IMPORT, key, selection, params.as_ptr());
    for selection in [selection, 0x02, 0x86, 0xff] {
        call!(table, keymgmt::HAS, key, selection);
        call!(table, keymgmt::MATCH, key, key, selection);
        call!(table, keymgmt::VALIDATE, key, selection, 0);
        call!(table, keymgmt::EXPORT, key, selection, Some(count), ptr::null_mut());
    }
    call!(table, keymgmt::GET_PARAMS, key, answers.as_ptr());
    answers.check();
    if let Some(copy) = call!(table, keymgmt::DUP, key, 0x87) {
        call!(table, keymgmt::FREE, copy);
    }
    call!(table, keymgmt::FREE, key);
    taken == Some(1)
}

unsafe extern "C" fn count(params: *const Param, _arg: *mut c_void) -> c_int {
    // SAFETY: the provider passes an array, whose end is null.
    unsafe { ossl_abi::params::Params::from_ptr(params) }.iter().count().min(1) as c_int
}

/// A public key of each type: a modulus that is as good as any, and the generator of P-256.
fn public_key(provider: &Provider, ec: bool) -> (*const Dispatch, *mut c_void) {
    const G: [u8; 65] = *b"\x04\
        \x6b\x17\xd1\xf2\xe1\x2c\x42\x47\xf8\xbc\xe6\xe5\x63\xa4\x40\xf2\
        \x77\x03\x7d\x81\x2d\xeb\x33\xa0\xf4\xa1\x39\x45\xd8\x98\xc2\x96\
        \x4f\xe3\x42\xe2\xfe\x1a\x7f\x9b\x8e\xe7\xeb\x4a\x7c\x0f\x9e\x16\
        \x2b\xce\x33\x57\x6b\x31\x5e\xce\xcb\xb6\x40\x68\x37\xbf\x51\xf5";
    let mut params = Params::new();
    if ec {
        params.add(c"group", 4, b"prime256v1", false);
        params.add(c"pub", 5, &G, false);
    } else {
        let mut modulus = [0xc3; 256];
        modulus[0] |= 1;
        params.add(c"n", 2, &modulus, false);
        params.add(c"e", 2, &65_537_u32.to_ne_bytes(), false);
    }
    let mut found = None;
    for table in provider.tables(operation::KEYMGMT) {
        let key = call!(table, keymgmt::NEW, provider.context).expect("NEW");
        if found.is_none()
            && call!(table, keymgmt::IMPORT, key, 0x86, params.as_ptr()) == Some(1)
            && call!(table, keymgmt::HAS, key, 0x02) == Some(1)
        {
            found = Some((table, key));
        } else {
            call!(table, keymgmt::FREE, key);
        }
    }
    found.expect("the key is taken")
}

/// A signature context with any parameters, before and after its initialization.
fn sign_and_verify(provider: &Provider, input: &mut Input<'_>) -> bool {
    let flags = input.byte();
    let (keys, key) = match flags & 8 {
        0 => public_key(provider, flags & 1 != 0),
        _ => vault_key(provider),
    };
    let table = input.choose(&provider.tables(operation::SIGNATURE));
    let context = call!(table, signature::NEWCTX, provider.context, ptr::null()).expect("NEWCTX");
    let digest = input.choose(&DIGESTS);
    let (mut first, mut second, mut answers) = (input.params(), input.params(), input.params());
    let (name, at_init) = (digest.as_ptr(), first.as_ptr());
    // An algorithm whose name says the digest takes messages by other functions.
    let taken = match flags >> 1 & 3 {
        0 => call!(table, signature::DIGEST_VERIFY_INIT, context, name, key, at_init)
            .or_else(|| call!(table, signature::VERIFY_MESSAGE_INIT, context, key, at_init)),
        1 => call!(table, signature::VERIFY_INIT, context, key, at_init),
        2 => call!(table, signature::SIGN_INIT, context, key, at_init),
        _ => call!(table, signature::DIGEST_SIGN_INIT, context, name, key, at_init)
            .or_else(|| call!(table, signature::SIGN_MESSAGE_INIT, context, key, at_init)),
    };
    call!(table, signature::SETTABLE_CTX_PARAMS, context, provider.context);
    call!(table, signature::SET_CTX_PARAMS, context, second.as_ptr());
    call!(table, signature::GET_CTX_PARAMS, context, answers.as_ptr());
    answers.check();
    let copy = call!(table, signature::DUPCTX, context);
    let (message, sent) = input.0.split_at(input.0.len() / 2);
    let (at, len) = (sent.as_ptr(), sent.len());
    call!(table, signature::DIGEST_VERIFY_UPDATE, context, message.as_ptr(), message.len());
    call!(table, signature::DIGEST_VERIFY_FINAL, context, at, len);
    call!(table, signature::VERIFY_MESSAGE_UPDATE, context, message.as_ptr(), message.len());
    call!(table, signature::VERIFY_MESSAGE_FINAL, context);
    call!(table, signature::VERIFY, context, at, len, message.as_ptr(), message.len());
    // Nothing is ever signed, for want of a private key or a token.
    let mut room = [0xa5; 16];
    let mut written = room.len();
    let (out, size, tbs) = (room.as_mut_ptr(), room.len(), message.as_ptr());
    call!(table, signature::SIGN, context, out, &mut written, size, tbs, message.len());
    call!(table, signature::DIGEST_SIGN_FINAL, context, out, &mut written, size);
    call!(table, signature::SIGN_MESSAGE_FINAL, context, out, &mut written, size);
    if let Some(types) = call!(table, signature::QUERY_KEY_TYPES) {
        // SAFETY: the list is the provider's, and ends.
        unsafe { assert!(!(*types).is_null() && (*types.add(1)).is_null()) };
    }
    assert_eq!(room, [0xa5; 16]);
    for context in [Some(context), copy].into_iter().flatten() {
        call!(table, signature::FREECTX, context);
    }
    call!(keys, keymgmt::FREE, key);
    taken == Some(1)
}

/// A cipher context with any parameters, and buffers that are too small.
fn encrypt_and_decrypt(provider: &Provider, input: &mut Input<'_>) -> bool {
    let (keys, key) = public_key(provider, false);
    let table = input.choose(&provider.tables(operation::ASYM_CIPHER));
    let context = call!(table, asym_cipher::NEWCTX, provider.context).expect("NEWCTX");
    let decrypt = input.byte() & 1 != 0;
    let (mut first, mut second, mut answers) = (input.params(), input.params(), input.params());
    let taken = if decrypt {
        call!(table, asym_cipher::DECRYPT_INIT, context, key, first.as_ptr())
    } else {
        call!(table, asym_cipher::ENCRYPT_INIT, context, key, first.as_ptr())
    };
    call!(table, asym_cipher::SET_CTX_PARAMS, context, second.as_ptr());
    call!(table, asym_cipher::GET_CTX_PARAMS, context, answers.as_ptr());
    answers.check();
    let copy = call!(table, asym_cipher::DUPCTX, context);
    let size = usize::from(input.byte()) * 2;
    let mut room = vec![0xa5; size + 16];
    let mut written = 0;
    let (out, text, len) = (room.as_mut_ptr(), input.0.as_ptr(), input.0.len());
    if decrypt {
        call!(table, asym_cipher::DECRYPT, context, out, &mut written, size, text, len);
    } else {
        call!(table, asym_cipher::ENCRYPT, context, out, &mut written, size, text, len);
    }
    assert!(room[size..].iter().all(|byte| *byte == 0xa5), "written past the end");
    for context in [Some(context), copy].into_iter().flatten() {
        call!(table, asym_cipher::FREECTX, context);
    }
    call!(keys, keymgmt::FREE, key);
    taken == Some(1)
}
