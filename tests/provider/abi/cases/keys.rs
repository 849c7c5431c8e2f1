//! Keys: files, import and export, writing, creating.

use std::ffi::{c_int, c_void};
use std::ptr;

use ossl_abi::functions::{decoder, encoder, keymgmt, operation};
use ossl_abi::types::{Dispatch, Param};

use super::{Input, NEW_KEY, call};
use crate::host::{Memory, Params, Provider};

/// A file for every decoder; a decoded reference is loaded as a key.
pub(super) fn decode(provider: &Provider, input: &mut Input<'_>) -> bool {
    let mut taken = Taken::new(provider);
    // The whole file at once, or in pieces of a size that the file itself chooses.
    for step in [usize::MAX, input.0.len() % 61] {
        taken.decode(provider, input.0, step);
    }
    if let Some((keys, key)) = taken.key {
        call!(keys, keymgmt::FREE, key);
    }
    taken.objects > 0
}

/// The results that decoders passed on.
pub(super) struct Taken {
    managements: Vec<*const Dispatch>,
    pub(super) key: Option<(*const Dispatch, *mut c_void)>,
    objects: usize,
}

impl Taken {
    pub(super) fn new(provider: &Provider) -> Self {
        let mut managements = provider.tables(operation::KEYMGMT);
        managements.extend(provider.symmetric_tables(operation::KEYMGMT));
        Self { managements, key: None, objects: 0 }
    }

    pub(super) fn decode(&mut self, provider: &Provider, file: &[u8], step: usize) {
        let symmetric = provider.symmetric_tables(operation::DECODER);
        for table in provider.tables(operation::DECODER).into_iter().chain(symmetric) {
            let context = call!(table, decoder::NEWCTX, provider.context).expect("a decoder");
            let mut file = Memory::new(file, step, 0);
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

/// A key that would sign and decrypt if there were a vault.
pub(super) fn vault_key(provider: &Provider, ec: bool) -> (*const Dispatch, *mut c_void) {
    let file = match ec {
        true => include_bytes!("../../../fuzz/corpus/key_file/ec.der").to_vec(),
        false => key_file(include_bytes!("../../../fuzz/corpus/key_file/rsa-spki.der")),
    };
    let mut taken = Taken::new(provider);
    taken.decode(provider, &file, usize::MAX);
    taken.key.expect("a key")
}

/// A key file with this public key.
fn key_file(spki: &[u8]) -> Vec<u8> {
    let reference = b"vault:testvault:rsa:0123456789abcdef0123456789abcdef";
    let body = [&[2, 1, 1, 0x0c, reference.len() as u8], &reference[..], spki].concat();
    let [high, low] = u16::try_from(body.len()).expect("a short key").to_be_bytes();
    [&[0x30, 0x82, high, low], &body[..]].concat()
}

/// A key of each kind and place.
pub(super) fn any_key(provider: &Provider, flags: u8) -> (*const Dispatch, *mut c_void) {
    match flags & 2 {
        0 => public_key(provider, flags & 1 != 0),
        _ => vault_key(provider, flags & 1 != 0),
    }
}

/// A key from another provider, with every query about it.
pub(super) fn import(provider: &Provider, input: &mut Input<'_>) -> bool {
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
    call!(table, keymgmt::EXPORT_TYPES, selection);
    let (keys, other) = vault_key(provider, selection & 1 != 0);
    call!(table, keymgmt::MATCH, key, other, selection);
    call!(table, keymgmt::MATCH, other, key, selection);
    call!(keys, keymgmt::FREE, other);
    call!(table, keymgmt::GET_PARAMS, key, answers.as_ptr());
    answers.check();
    let mut settings = input.params();
    if let Some(copy) = call!(table, keymgmt::DUP, key, 0x87) {
        call!(table, keymgmt::SET_PARAMS, copy, settings.as_ptr());
        call!(table, keymgmt::HAS, copy, 0x02);
        call!(table, keymgmt::FREE, copy);
    }
    call!(table, keymgmt::FREE, key);
    taken == Some(1)
}

unsafe extern "C" fn count(params: *const Param, _arg: *mut c_void) -> c_int {
    // SAFETY: the provider passes an array, whose end is null.
    unsafe { ossl_abi::params::Params::from_ptr(params) }.iter().count().min(1) as c_int
}

/// A public key of each type: an arbitrary modulus, and the generator of P-256.
pub(super) fn public_key(provider: &Provider, ec: bool) -> (*const Dispatch, *mut c_void) {
    const G: [u8; 65] = *b"\x04\
        \x6b\x17\xd1\xf2\xe1\x2c\x42\x47\xf8\xbc\xe6\xe5\x63\xa4\x40\xf2\
        \x77\x03\x7d\x81\x2d\xeb\x33\xa0\xf4\xa1\x39\x45\xd8\x98\xc2\x96\
        \x4f\xe3\x42\xe2\xfe\x1a\x7f\x9b\x8e\xe7\xeb\x4a\x7c\x0f\x9e\x16\
        \x2b\xce\x33\x57\x6b\x31\x5e\xce\xcb\xb6\x40\x68\x37\xbf\x51\xf5";
    let mut params = Params::new();
    if ec {
        params.add(c"group", 4, b"prime256v1");
        params.add(c"pub", 5, &G);
    } else {
        let mut modulus = [0xc3; 256];
        modulus[0] |= 1;
        params.add(c"n", 2, &modulus);
        params.add(c"e", 2, &65_537_u32.to_ne_bytes());
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

/// A key for some of the encoders, into an output with less and less room.
pub(super) fn encode(provider: &Provider, input: &mut Input<'_>) -> bool {
    let (keys, key) = any_key(provider, input.byte());
    let selection = c_int::from(input.byte());
    let (step, room) = (usize::from(input.byte()), usize::from(input.byte()) * 64);
    let mut written = false;
    let tables = provider.tables(operation::ENCODER);
    let first = usize::from(input.byte()) % tables.len();
    let mut params = input.params_of(&[c"cipher", c"nobody-knows"]);
    for table in tables[first..].iter().chain(&tables[..first]).take(3).copied() {
        let context = call!(table, encoder::NEWCTX, provider.context).expect("an encoder");
        call!(table, encoder::SETTABLE_CTX_PARAMS, provider.context);
        call!(table, encoder::SET_CTX_PARAMS, context, params.as_ptr());
        let mut file = Memory::new(&[], step, room);
        let (bio, none) = (file.as_bio(), ptr::null_mut());
        // Like libcrypto, which queries first.
        if call!(table, encoder::DOES_SELECTION, provider.context, selection) == Some(1) {
            let (object, details) = (key.cast_const(), ptr::null());
            let done =
                call!(table, encoder::ENCODE, context, bio, object, details, selection, None, none);
            written |= done == Some(1);
        }
        call!(table, encoder::FREECTX, context);
    }
    call!(keys, keymgmt::FREE, key);
    written
}

/// Key generation, up to the request.
pub(super) fn generate(provider: &Provider, input: &mut Input<'_>) -> bool {
    let ec = input.byte() & 1 != 0;
    let (table, key) = public_key(provider, ec);
    let selection = c_int::from(input.byte());
    let (mut first, mut second) = (input.params_of(&NEW_KEY), input.params_of(&NEW_KEY));
    let mut answers = input.params_of(&NEW_KEY);
    let at_init = first.as_ptr();
    let context = call!(table, keymgmt::GEN_INIT, provider.context, selection, at_init);
    let mut taken = None;
    if let Some(context) = context.filter(|context| !context.is_null()) {
        call!(table, keymgmt::GEN_SET_TEMPLATE, context, key);
        taken = call!(table, keymgmt::GEN_SET_PARAMS, context, second.as_ptr());
        call!(table, keymgmt::GEN_GET_PARAMS, context, answers.as_ptr());
        answers.check();
        call!(table, keymgmt::GEN_CLEANUP, context);
    }
    call!(table, keymgmt::FREE, key);
    taken == Some(1)
}
