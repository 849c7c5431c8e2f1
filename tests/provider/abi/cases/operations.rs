//! Contexts of signatures and of encryption.

use std::ffi::c_void;
use std::ptr;

use ossl_abi::functions::{asym_cipher, keymgmt, operation, signature};
use ossl_abi::types::Dispatch;

use super::keys::{public_key, vault_key};
use super::{DIGESTS, Input, call};
use crate::host::Provider;

/// A signature context with any parameters, before and after its initialization.
pub(super) fn sign_and_verify(provider: &Provider, input: &mut Input<'_>) -> bool {
    let flags = input.byte();
    // A public key, or one in a vault; the flags of old examples keep their meaning.
    let (keys, key) = match flags & 8 {
        0 => public_key(provider, flags & 1 != 0),
        _ => vault_key(provider, flags & 0x10 == 0),
    };
    let table = input.choose(&provider.tables(operation::SIGNATURE));
    let context = call!(table, signature::NEWCTX, provider.context, ptr::null()).expect("NEWCTX");
    let digest = input.choose(&DIGESTS);
    let (mut first, mut second, mut answers) = (input.params(), input.params(), input.params());
    let (name, at_init) = (digest.as_ptr(), first.as_ptr());
    // An algorithm that includes the digest takes messages through other functions.
    let taken = match (flags >> 1 & 3, flags & 0x20) {
        (0, 0) => call!(table, signature::DIGEST_VERIFY_INIT, context, name, key, at_init)
            .or_else(|| call!(table, signature::VERIFY_MESSAGE_INIT, context, key, at_init)),
        (1, 0) => call!(table, signature::VERIFY_INIT, context, key, at_init),
        (2, 0) => call!(table, signature::SIGN_INIT, context, key, at_init),
        (3, 0) => call!(table, signature::DIGEST_SIGN_INIT, context, name, key, at_init)
            .or_else(|| call!(table, signature::SIGN_MESSAGE_INIT, context, key, at_init)),
        (0, _) => call!(table, signature::VERIFY_RECOVER_INIT, context, key, at_init),
        (1, _) => call!(table, signature::VERIFY_MESSAGE_INIT, context, key, at_init),
        _ => call!(table, signature::SIGN_MESSAGE_INIT, context, key, at_init),
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
    let (tbs, tbs_len) = (message.as_ptr(), message.len());
    call!(table, signature::DIGEST_VERIFY, context, at, len, tbs, tbs_len);
    call!(table, signature::VERIFY_MESSAGE_UPDATE, context, tbs, tbs_len);
    call!(table, signature::VERIFY_MESSAGE_FINAL, context);
    call!(table, signature::VERIFY, context, at, len, tbs, tbs_len);
    recover(table, context, sent);
    // Nothing is ever signed, since there is no private key or no token.
    let mut room = [0xa5; 16];
    let mut written = room.len();
    let (out, size) = (room.as_mut_ptr(), room.len());
    call!(table, signature::SIGN, context, out, &mut written, size, tbs, tbs_len);
    call!(table, signature::DIGEST_SIGN_UPDATE, context, tbs, tbs_len);
    call!(table, signature::DIGEST_SIGN, context, out, &mut written, size, tbs, tbs_len);
    call!(table, signature::SIGN_MESSAGE_UPDATE, context, tbs, tbs_len);
    call!(table, signature::SIGN_MESSAGE_FINAL, context, out, &mut written, size);
    call!(table, signature::DIGEST_SIGN_FINAL, context, out, &mut written, size);
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

/// Verify-recover, into too small a buffer and into a sufficient one.
fn recover(table: *const Dispatch, context: *mut c_void, sent: &[u8]) {
    for size in [0, 16, 512] {
        let mut room = vec![0xa5; size + 16];
        let mut written = 0;
        let (out, at, len) = (room.as_mut_ptr(), sent.as_ptr(), sent.len());
        call!(table, signature::VERIFY_RECOVER, context, out, &mut written, size, at, len);
        assert!(room[size..].iter().all(|byte| *byte == 0xa5), "written past the end");
    }
}

/// A cipher context with any parameters, and buffers that are too small.
pub(super) fn encrypt_and_decrypt(provider: &Provider, input: &mut Input<'_>) -> bool {
    let table = input.choose(&provider.tables(operation::ASYM_CIPHER));
    let context = call!(table, asym_cipher::NEWCTX, provider.context).expect("NEWCTX");
    let flags = input.byte();
    let decrypt = flags & 1 != 0;
    let (keys, key) = match flags & 2 {
        0 => public_key(provider, false),
        _ => vault_key(provider, false),
    };
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
