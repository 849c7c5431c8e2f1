//! CBC mode for data in pieces.

use std::fmt;

use zeroize::Zeroizing;

use super::SymmetricKey;
use crate::{CbcAlgorithm, Error, ErrorKind, Result, algorithm::BLOCK};

/// Maximum bytes per request. The service's own limit is not documented.
const MAX_REQUEST: usize = 16 * 1024;

/// A CBC encryption or decryption of data in pieces.
///
/// Blocks are sent as they arrive, each request with the last block of ciphertext so far as its
/// initialization vector. Padding is added and removed locally. So there is a request for each
/// [`update`](Self::update) that completes a block, and for each [`finish`](Self::finish) with
/// padding: use large pieces. A piece of more than 16 KiB takes several requests.
///
/// The warning at [`CbcAlgorithm`] applies: CBC does not detect changes.
///
/// ```no_run
/// use akv_core::CbcAlgorithm::A256CbcPad;
///
/// # async fn example(key: akv_core::SymmetricKey, iv: [u8; 16]) -> akv_core::Result<()> {
/// let mut stream = key.encrypt_stream(A256CbcPad, &iv);
/// let mut ciphertext = stream.update(b"a secret of more than one block").await?.to_vec();
/// ciphertext.extend_from_slice(&stream.finish().await?);
/// assert_eq!(ciphertext.len(), 32);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct CbcStream {
    key: SymmetricKey,
    algorithm: CbcAlgorithm,
    encrypts: bool,
    /// The last block of ciphertext so far.
    iv: [u8; BLOCK],
    /// Bytes still to be sent: less than a block, or the last block, which may be padding.
    held: Zeroizing<Vec<u8>>,
}

impl SymmetricKey {
    /// Starts an encryption in CBC mode. The initialization vector must be random and used once.
    /// Sends no request.
    pub fn encrypt_stream(&self, algorithm: CbcAlgorithm, iv: &[u8; 16]) -> CbcStream {
        CbcStream::new(self, algorithm, true, iv)
    }

    /// Starts a decryption in CBC mode. Sends no request.
    pub fn decrypt_stream(&self, algorithm: CbcAlgorithm, iv: &[u8; 16]) -> CbcStream {
        CbcStream::new(self, algorithm, false, iv)
    }
}

impl CbcStream {
    fn new(key: &SymmetricKey, algorithm: CbcAlgorithm, encrypts: bool, iv: &[u8; 16]) -> Self {
        Self { key: key.clone(), algorithm, encrypts, iv: *iv, held: Zeroizing::default() }
    }

    /// Length of the output of [`update`](Self::update) for `len` bytes.
    pub fn output_len(&self, len: usize) -> usize {
        let len = self.held.len().saturating_add(len);
        // The last block of a ciphertext may be padding.
        let spare = usize::from(!self.encrypts && self.algorithm.pads());
        len.saturating_sub(spare) / BLOCK * BLOCK
    }

    /// The last block of ciphertext so far; at first the initialization vector.
    pub fn iv(&self) -> &[u8; 16] {
        &self.iv
    }

    /// Switches padding on or off from now on.
    pub fn set_padding(&mut self, pads: bool) {
        self.algorithm = self.algorithm.with_padding(pads);
    }

    /// Takes a piece and returns the complete blocks. After an error, the call can be repeated with
    /// the same piece.
    ///
    /// # Errors
    /// The service fails or refuses a request within its deadline. Each request has its own.
    pub async fn update(&mut self, piece: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let len = self.output_len(piece.len());
        let input = Zeroizing::new([&self.held, piece].concat());
        let (blocks, rest) = input.split_at(len);
        let (output, iv) = self.process(blocks).await?;
        (self.iv, self.held) = (iv, Zeroizing::new(rest.to_vec()));
        Ok(output)
    }

    /// Returns the rest, with padding added or removed if the algorithm has it.
    ///
    /// # Errors
    /// The data has a partial block although the algorithm does not pad (no request is sent then),
    /// its padding is invalid ([`ErrorKind::Argument`]), or the service fails or refuses within the
    /// deadline.
    pub async fn finish(&mut self) -> Result<Zeroizing<Vec<u8>>> {
        let held = self.held.len();
        let output = match (self.algorithm.pads(), self.encrypts) {
            (false, _) if held == 0 => return Ok(Zeroizing::default()),
            (true, true) => {
                let mut block = Zeroizing::new([(BLOCK - held) as u8; BLOCK]);
                block[..held].copy_from_slice(&self.held);
                self.process(&*block).await?.0
            }
            (true, false) if held == BLOCK => {
                let mut block = self.process(&self.held).await?.0;
                let len = unpadded_len(&block).ok_or_else(|| {
                    self.wrong(
                        "invalid padding: the data was changed or encrypted with another key",
                    )
                })?;
                block.truncate(len);
                block
            }
            _ => {
                return Err(self.wrong(format!(
                    "the data is not a multiple of {BLOCK} bytes: {held} are left over"
                )));
            }
        };
        self.held.clear();
        Ok(output)
    }

    /// Processes whole blocks; also returns the last block of ciphertext.
    async fn process(&self, blocks: &[u8]) -> Result<(Zeroizing<Vec<u8>>, [u8; BLOCK])> {
        let bare = self.algorithm.with_padding(false);
        let mut output = Zeroizing::new(Vec::with_capacity(blocks.len()));
        let mut iv = self.iv;
        for blocks in blocks.chunks(MAX_REQUEST) {
            let done = match self.encrypts {
                true => Zeroizing::new(self.key.encrypt(bare, &iv, blocks).await?),
                false => self.key.decrypt(bare, &iv, blocks).await?,
            };
            let ciphertext = if self.encrypts { &done[..] } else { blocks };
            iv = *ciphertext.last_chunk().expect("at least one block");
            output.extend_from_slice(&done);
        }
        Ok((output, iv))
    }

    fn wrong(&self, why: impl Into<String>) -> Error {
        Error::new(ErrorKind::Argument, why).during(self.doing())
    }

    fn doing(&self) -> String {
        self.key.doing(if self.encrypts { "encrypt" } else { "decrypt" }, self.algorithm.name())
    }

    pub(crate) fn key(&self) -> &SymmetricKey {
        &self.key
    }
}

/// Bytes before the padding (RFC 5652 section 6.3). All bytes are checked, without an early exit.
fn unpadded_len(block: &[u8]) -> Option<usize> {
    let padding = *block.last()?;
    let len = block.len().checked_sub(padding.into())?;
    let wrong = block[len..].iter().fold(0, |wrong, byte| wrong | (byte ^ padding));
    (padding != 0 && wrong == 0).then_some(len)
}

impl fmt::Debug for CbcStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CbcStream")
            .field("key", &self.key)
            .field("algorithm", &self.algorithm)
            .field("encrypts", &self.encrypts)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_that_of_cms() {
        let block = |last: &[u8]| [&[9; BLOCK][last.len()..], last].concat();
        assert_eq!(unpadded_len(&block(&[1])), Some(15));
        assert_eq!(unpadded_len(&block(&[3, 3, 3])), Some(13));
        assert_eq!(unpadded_len(&[16; BLOCK]), Some(0));
        for wrong in [&[0][..], &[2, 3, 3], &[17], &[255]] {
            assert_eq!(unpadded_len(&block(wrong)), None, "{wrong:?}");
        }
    }
}
