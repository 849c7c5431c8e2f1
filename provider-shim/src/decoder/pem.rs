//! The PEM form of key files.
//!
//! A PEM file may hold several blocks. As libcrypto's own decoder does, exactly one is taken from
//! the stream each time, ours or not: who reads last decides where libcrypto goes on.

use crate::error::{Error, Result};
use akv_core::{ErrorKind, KeyFile};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ossl_abi::host::Bio;

/// The label of PKCS#8, behind which a key file may be too.
const PKCS8_LABEL: &str = "PRIVATE KEY";

/// Most base64 text of a block that is looked at, in bytes.
const MAX_TEXT: usize = 24 * 1024;

/// Takes the next block; gives a key file when it is one.
///
/// # Errors
/// The block is a key file but malformed.
pub(super) fn next_key_file(input: &mut Bio<'_>) -> Result<Option<KeyFile>> {
    let mut lines = Lines::new();
    let Some(label) = find_begin(&mut lines, input) else {
        return Ok(None);
    };
    let ours = label == KeyFile::PEM_LABEL;
    let wanted = ours || label == PKCS8_LABEL;
    let body = read_body(&mut lines, input, &label, wanted);
    match (body.and_then(|text| decode(&text)), ours) {
        (Ok(der), true) => Ok(Some(KeyFile::from_der(&der)?)),
        (Ok(der), false) if wanted => Ok(KeyFile::from_pkcs8_der(&der)?),
        (Err(reason), true) => Err(malformed(reason)),
        // Somebody else's block: what is wrong with it is not ours to say.
        _ => Ok(None),
    }
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

fn find_begin(lines: &mut Lines, input: &mut Bio<'_>) -> Option<String> {
    loop {
        if let (line, true) = lines.next(input)?
            && let Some(label) = label(line, "-----BEGIN ")
        {
            return Some(label.to_owned());
        }
    }
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
