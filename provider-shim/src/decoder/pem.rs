//! Key files in PEM.
//!
//! A PEM file may contain several blocks. libcrypto's own decoder reads exactly one block each
//! time, and the position after the last decoder determines where libcrypto continues. A block that
//! is not ours is therefore consumed too.
//!
//! If a private key is requested, further blocks may be read: libcrypto continues with the next
//! block only if the oldest error in the queue says that the last one was unsupported. With a stale
//! error in the queue, a key after its certificate would not be found.

use std::ffi::c_long;

use akv_core::{ErrorKind, KeyFile};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ossl_abi::host::Bio;

use crate::error::{Error, Result};

/// The label of encrypted PKCS#8.
const ENCRYPTED_LABEL: &str = "ENCRYPTED PRIVATE KEY";
/// The suffix of the labels of all private keys.
const PRIVATE_KEY: &str = "PRIVATE KEY";

/// Maximum base64 text of a block that is decoded, in bytes.
const MAX_TEXT: usize = 24 * 1024;
/// How far a key is searched after the first block, in bytes.
const MAX_DISTANCE: c_long = 1024 * 1024;

/// The UTF-8 byte order mark, which some editors write at the start of a file.
const BYTE_ORDER_MARK: &[u8] = &[0xef, 0xbb, 0xbf];

/// How far to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// One block.
    Block,
    /// Up to the next private key.
    PrivateKey,
}

/// A PEM block.
enum Block {
    Ours(KeyFile),
    /// A private key that is not ours, or not a block at all.
    Foreign,
    /// Anything but a private key.
    Other,
}

/// Reads the next block, or all blocks up to the next private key. Returns a key file if it is one.
/// `open` decrypts encrypted PKCS#8.
///
/// # Errors
/// The block is a malformed key file, or the text has an encoding that PEM readers do not support.
pub(super) fn next_key_file(
    input: &mut Bio<'_>,
    reach: Reach,
    open: impl Fn(&[u8]) -> Result<Option<KeyFile>>,
) -> Result<Option<KeyFile>> {
    let mut lines = Lines::new();
    match next_block(&mut lines, input, &open)? {
        Block::Ours(file) => return Ok(Some(file)),
        Block::Other if reach == Reach::PrivateKey => {}
        _ => return Ok(None),
    }
    let Some(end) = input.tell() else {
        return Ok(None);
    };
    while input.tell().is_some_and(|position| position - end < MAX_DISTANCE) {
        match next_block(&mut lines, input, &open)? {
            Block::Ours(file) => return Ok(Some(file)),
            Block::Foreign => break,
            Block::Other => {}
        }
    }
    input.seek(end);
    Ok(None)
}

fn next_block(
    lines: &mut Lines,
    input: &mut Bio<'_>,
    open: impl Fn(&[u8]) -> Result<Option<KeyFile>>,
) -> Result<Block> {
    let Some(label) = find_begin(lines, input)? else {
        return Ok(Block::Foreign);
    };
    let wanted = [KeyFile::PEM_LABEL, KeyFile::PKCS8_LABEL, ENCRYPTED_LABEL];
    let wanted = wanted.contains(&label.as_str());
    let body = read_body(lines, input, &label, wanted);
    let file = match (body.and_then(|text| decode(&text)), label.as_str()) {
        (Ok(der), KeyFile::PEM_LABEL) => Some(KeyFile::from_der(&der)?),
        (Ok(der), KeyFile::PKCS8_LABEL) => KeyFile::from_pkcs8_der(&der)?,
        (Ok(der), ENCRYPTED_LABEL) => open(&der)?,
        (Err(reason), KeyFile::PEM_LABEL) => return Err(malformed(reason)),
        // Errors in other blocks are not ours to report.
        _ => None,
    };
    Ok(match file {
        Some(file) => Block::Ours(file),
        None if label.ends_with(PRIVATE_KEY) => Block::Foreign,
        None => Block::Other,
    })
}

fn malformed(reason: &str) -> Error {
    Error::Raised(
        ErrorKind::KeyFile,
        format!(
            "malformed key file ({}): {reason}; write it again with: openssl pkey -in \
             vault:NAME:KEY -out key.pem",
            KeyFile::PEM_LABEL
        ),
    )
}

/// The lines of a stream; long lines are split into parts.
struct Lines {
    room: Box<[u8; 1024]>,
    continued: bool,
}

impl Lines {
    fn new() -> Self {
        Self { room: Box::new([0; 1024]), continued: false }
    }

    /// The next part without its line end, and whether it is the start of a line.
    fn next(&mut self, input: &mut Bio<'_>) -> Option<(&[u8], bool)> {
        let begins = !self.continued;
        let part = input.read_line(&mut self.room[..])?;
        self.continued = part.last() != Some(&b'\n');
        Some((part.trim_ascii_end(), begins))
    }
}

/// The label between `before` and five dashes, if the line has this form.
fn label<'a>(line: &'a [u8], before: &str) -> Option<&'a str> {
    let label = line.strip_prefix(before.as_bytes())?.strip_suffix(b"-----")?;
    std::str::from_utf8(label).ok()
}

fn find_begin(lines: &mut Lines, input: &mut Bio<'_>) -> Result<Option<String>> {
    let mut first = true;
    while let Some((line, begins)) = lines.next(input) {
        if first && is_utf_16(line) {
            return Err(Error::Raised(
                ErrorKind::KeyFile,
                "the file is text in UTF-16, which PEM readers do not support; save it as UTF-8"
                    .to_owned(),
            ));
        }
        first = false;
        // Concatenated files can have a mark in the middle.
        let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        if begins && let Some(label) = label(line, "-----BEGIN ") {
            return Ok(Some(label.to_owned()));
        }
    }
    Ok(None)
}

/// Whether this is the start of a PEM file in UTF-16 with a byte order mark. Some BIOs end a line
/// at its first zero byte.
fn is_utf_16(line: &[u8]) -> bool {
    line.starts_with(&[0xff, 0xfe, b'-'])
        || line == [0xfe, 0xff]
        || line.starts_with(&[0xfe, 0xff, 0, b'-'])
}

/// Reads up to the end of the block; keeps the text if `wanted`.
fn read_body(
    lines: &mut Lines,
    input: &mut Bio<'_>,
    begin: &str,
    wanted: bool,
) -> Result<Vec<u8>, &'static str> {
    let mut text = Vec::new();
    let mut too_long = false;
    loop {
        let Some((line, begins)) = lines.next(input) else {
            return Err("the end is missing");
        };
        if begins && let Some(end) = label(line, "-----END ") {
            return match end == begin {
                true if too_long => Err("it is too long"),
                true => Ok(text),
                false => Err("begin and end have different labels"),
            };
        }
        too_long |= text.len() + line.len() > MAX_TEXT;
        if wanted && !too_long {
            text.extend(line.iter().filter(|byte| !byte.is_ascii_whitespace()));
        }
    }
}

fn decode(text: &[u8]) -> Result<Vec<u8>, &'static str> {
    STANDARD.decode(text).map_err(|_| "the text between begin and end is not base64")
}
