//! What `tests/c/stack_steps.h` prints: how much stack each step takes.

use anyhow::{Context as _, Result};

/// libcrypto and an entry of ours, in bytes.
const ENTRY: usize = 10 * 1024;

/// A whole TLS handshake, libssl included.
const HANDSHAKE: usize = 16 * 1024;

/// Checks what the program printed, and returns how many lines that were.
///
/// # Errors
/// It is something else.
///
/// # Panics
/// A step takes more than it may.
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
