//! The PEM form of key files.
//!
//! A PEM file may hold several blocks. libcrypto's own decoder takes exactly one from the stream each
//! time, and who reads last decides where libcrypto goes on, so one that is not ours is taken too.
//!
//! Who wants a private key may look further: libcrypto goes on to the next block only while the
//! oldest entry of the error queue says that the last one was not supported. With a stale entry in
//! the queue a key behind its certificate would not be found.

use crate::error::{Error, Result};
use akv_core::{ErrorKind, KeyFile};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ossl_abi::host::Bio;
use std::ffi::c_long;

/// The label of encrypted PKCS#8.
const ENCRYPTED_LABEL: &str = "ENCRYPTED PRIVATE KEY";
/// What the labels of all private keys end with.
const PRIVATE_KEY: &str = "PRIVATE KEY";

/// Most base64 text of a block that is looked at, in bytes.
const MAX_TEXT: usize = 24 * 1024;
/// How far a key is looked for behind the first block, in bytes.
const MAX_DISTANCE: c_long = 1024 * 1024;

/// UTF-8's byte order mark, with which some editors begin a file.
const BYTE_ORDER_MARK: &[u8] = &[0xef, 0xbb, 0xbf];

/// How far to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// One block.
    Block,
    /// Up to the next private key.
    PrivateKey,
}

/// A block of a PEM file.
enum Block {
    Ours(KeyFile),
    /// A private key of others, or something that is no block.
    Foreign,
    /// Anything but a private key.
    Other,
}

/// Takes the next block, or all up to the next private key; gives a key file when it is one. `open`
/// looks into encrypted PKCS#8.
///
/// # Errors
/// The block is a key file but malformed, or the text is none that PEM readers understand.
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
        // Somebody else's block: what is wrong with it is not ours to say.
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

/// Lines of a stream; long ones come in parts.
struct Lines {
    room: Box<[u8; 1024]>,
    continued: bool,
}

impl Lines {
    fn new() -> Self {
        Self { room: Box::new([0; 1024]), continued: false }
    }

    /// The next part without its line end, and whether it begins a line.
    fn next(&mut self, input: &mut Bio<'_>) -> Option<(&[u8], bool)> {
        let begins = !self.continued;
        let part = input.read_line(&mut self.room[..])?;
        self.continued = part.last() != Some(&b'\n');
        Some((part.trim_ascii_end(), begins))
    }
}

/// The label between `before` and five dashes, when the line is such a line.
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
                "the file is text in UTF-16, which PEM readers do not understand; save it as UTF-8"
                    .to_owned(),
            ));
        }
        first = false;
        // A mark is in the middle where files were put together.
        let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        if begins && let Some(label) = label(line, "-----BEGIN ") {
            return Ok(Some(label.to_owned()));
        }
    }
    Ok(None)
}

/// Whether a file that begins so is a PEM file in UTF-16 with its byte order mark. Some BIOs end a
/// line at its first zero byte.
fn is_utf_16(line: &[u8]) -> bool {
    line.starts_with(&[0xff, 0xfe, b'-'])
        || line == [0xfe, 0xff]
        || line.starts_with(&[0xfe, 0xff, 0, b'-'])
}

/// Reads up to the end of the block; the text is kept when `wanted`.
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
