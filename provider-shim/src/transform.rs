//! Operations that turn one buffer into another of a length that is known by its limit only.

use crate::error::{Error, Result};
use ossl_abi::guard::{self, Object, Output};
use std::ffi::{c_int, c_uchar, c_void};
use zeroize::Zeroizing;

/// libcrypto's rules: without room only the longest size is told, and room for less is refused
/// before anything is done.
fn produce(
    out: Option<Output<'_>>,
    max_len: usize,
    data: impl FnOnce() -> Result<Zeroizing<Vec<u8>>>,
) -> Result<()> {
    let out = out.ok_or_else(|| Error::null("place for the output's length"))?;
    let Some(room) = out.room() else {
        out.answer_len(max_len);
        return Ok(());
    };
    if room < max_len {
        return Err(Error::argument(format!(
            "the output takes up to {max_len} bytes, there is room for {room}"
        )));
    }
    let data = data()?;
    if out.write(&data) {
        Ok(())
    } else {
        Err(Error::internal(format!("an output of {} bytes", data.len())))
    }
}

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
        let max_len = max_len(ctx, inlen)?;
        produce(out, max_len, || run(ctx, input.ok_or_else(|| Error::null("data"))?))
    };
    // SAFETY: vouched for by the caller.
    unsafe { guard::exclusive(name, ctx, body) }
}
