//! Operations that turn one buffer into another of a length that is known by its limit only.

use crate::error::{Error, Result};
use ossl_abi::guard::{self, Object, Output};
use std::ffi::{c_int, c_uchar, c_void};
use zeroize::Zeroizing;

/// Runs an operation whose output is at most as long as `max_len` says for its input's length.
///
/// # Safety
/// `ctx` is null or leads to a live `C` that nobody else uses meanwhile; `out`, `outlen` and `input`
/// are null or lead to what the sizes say.
#[track_caller]
pub(crate) unsafe fn transform<C: Object>(
    name: &'static str,
    ctx: *mut c_void,
    (out, outlen, outsize): (*mut c_uchar, *mut usize, usize),
    (input, inlen): (*const c_uchar, usize),
    max_len: impl FnOnce(&C, usize) -> Result<usize>,
    run: impl FnOnce(&C, &[u8]) -> Result<Zeroizing<Vec<u8>>>,
) -> c_int {
    let body = |ctx: &mut C| -> Result<()> {
        // SAFETY: vouched for by the caller.
        let (out, input) =
            unsafe { (Output::new(out, outlen, outsize), guard::bytes(input, inlen)) };
        let out = out.ok_or_else(|| Error::null("place for the output's length"))?;
        let max_len = max_len(ctx, inlen)?;
        out.produce(max_len, || run(ctx, input.ok_or_else(|| Error::null("data"))?))
    };
    // SAFETY: vouched for by the caller.
    unsafe { guard::exclusive(name, ctx, body) }
}
