//! Checks the output of `tests/c/stack_steps.h`: how much stack each step uses.

use anyhow::{Context as _, Result};

/// libcrypto and an entry of ours, in bytes.
const ENTRY: usize = 10 * 1024;

/// A whole TLS handshake, libssl included.
const HANDSHAKE: usize = 16 * 1024;

/// Checks the program's output, and returns its number of lines.
///
/// # Errors
/// The output is malformed.
///
/// # Panics
/// A step uses more than its limit.
pub fn check(printed: &str) -> Result<usize> {
    for line in printed.lines() {
        let (step, bytes) = line.rsplit_once(' ').context("a step and its bytes")?;
        let limit = if step.starts_with("handshake ") { HANDSHAKE } else { ENTRY };
        let bytes: usize = bytes.parse()?;
        assert!(
            bytes > 0 && bytes <= limit,
            "{step} takes {bytes} bytes of stack, of {limit}\n{printed}"
        );
    }
    Ok(printed.lines().count())
}
