//! The state of an encryption or decryption.

use std::sync::Arc;

use akv_core::blocking::CbcStream;
use akv_core::{CbcAlgorithm, KeyWrapAlgorithm};
use ossl_abi::entry::NullPointer;
use ossl_abi::guard::{Object, Output};
use ossl_abi::params::{Answers, Params};
use ossl_abi::{Host, names};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::key::SymmetricObject;
use crate::provider::Provider;

/// `EVP_CIPH_CBC_MODE` and `EVP_CIPH_WRAP_MODE`.
const CBC_MODE: u32 = 0x2;
const WRAP_MODE: u32 = 0x1_0002;

/// Block lengths of CBC and of key wrap in bytes. The initialization vectors have the same lengths.
const BLOCK: usize = 16;
const WRAP_BLOCK: usize = 8;

/// The initial value of RFC 3394 section 2.2.3.1. The service supports no other.
const WRAP_IV: [u8; WRAP_BLOCK] = [0xa6; WRAP_BLOCK];

/// The algorithm of a cipher.
#[derive(Clone, Copy)]
pub(super) enum Cipher {
    Wrap(KeyWrapAlgorithm),
    Cbc(CbcAlgorithm),
}

impl Cipher {
    fn key_len(self) -> usize {
        match self {
            Self::Wrap(KeyWrapAlgorithm::A128Kw)
            | Self::Cbc(CbcAlgorithm::A128Cbc | CbcAlgorithm::A128CbcPad) => 16,
            Self::Wrap(KeyWrapAlgorithm::A192Kw)
            | Self::Cbc(CbcAlgorithm::A192Cbc | CbcAlgorithm::A192CbcPad) => 24,
            _ => 32,
        }
    }

    /// Length of a block, and of the initialization vector.
    fn block_len(self) -> usize {
        match self {
            Self::Wrap(_) => WRAP_BLOCK,
            Self::Cbc(_) => BLOCK,
        }
    }

    /// Fills in the parameters that do not depend on a context.
    pub(super) fn answer(self, answers: &mut Answers<'_>) -> Result<()> {
        let wraps = matches!(self, Self::Wrap(_));
        answers.integer(names::CIPHER_MODE, if wraps { WRAP_MODE } else { CBC_MODE })?;
        answers.integer(names::CIPHER_BLOCK_SIZE, self.block_len() as u64)?;
        answers.integer(names::CIPHER_CUSTOM_IV, i32::from(wraps))?;
        self.answer_sizes(answers)
    }

    fn answer_sizes(self, answers: &mut Answers<'_>) -> Result<()> {
        answers.integer(names::CIPHER_KEYLEN, self.key_len() as u64)?;
        answers.integer(names::CIPHER_IVLEN, self.block_len() as u64)?;
        Ok(())
    }
}

/// The state of an operation.
#[derive(Clone)]
pub(super) struct Context {
    provider: Arc<Provider>,
    cipher: Cipher,
    encrypts: bool,
    key: Option<Arc<SymmetricObject>>,
    /// For CBC: the initialization vector that the operation started with.
    iv: Option<[u8; BLOCK]>,
    pads: bool,
    /// For CBC: the data so far.
    stream: Option<CbcStream>,
}

impl Object for Context {
    fn host(&self) -> &Host {
        self.provider.host()
    }
}

impl Context {
    pub(super) fn new(provider: Arc<Provider>, cipher: Cipher) -> Self {
        Self { provider, cipher, encrypts: true, key: None, iv: None, pads: true, stream: None }
    }

    /// Starts an operation. Values that are not given stay unchanged.
    pub(super) fn init(
        &mut self,
        encrypts: bool,
        key: Option<Arc<SymmetricObject>>,
        iv: Option<&[u8]>,
        params: Params<'_>,
    ) -> Result<()> {
        self.set(params)?;
        if let Some(iv) = iv {
            self.set_iv(iv)?;
        }
        self.encrypts = encrypts;
        self.key = key.or_else(|| self.key.take());
        self.stream = None;
        Ok(())
    }

    fn set_iv(&mut self, iv: &[u8]) -> Result<()> {
        match self.cipher {
            Cipher::Wrap(_) if iv == WRAP_IV => Ok(()),
            Cipher::Wrap(_) => Err(Error::unsupported(
                "the HSM wraps keys only with the initial value of RFC 3394, \
                 a6a6a6a6a6a6a6a6",
            )),
            Cipher::Cbc(_) => {
                self.iv = Some(iv.try_into().map_err(|_| {
                    Error::argument(format!(
                        "the initialization vector must have {BLOCK} bytes, not {}",
                        iv.len()
                    ))
                })?);
                Ok(())
            }
        }
    }

    pub(super) fn set(&mut self, params: Params<'_>) -> Result<()> {
        if let Some(value) = params.get(names::CIPHER_KEYLEN) {
            let (asked, len) = (value.integer::<usize>()?, self.cipher.key_len());
            if asked != len {
                return Err(Error::argument(format!(
                    "keys of this cipher have {len} bytes, not {asked}"
                )));
            }
        }
        if let Some(value) = params.get(names::CIPHER_PADDING) {
            self.pads = value.integer::<u32>()? != 0;
            if let Some(stream) = &mut self.stream {
                stream.set_padding(self.pads);
            }
        }
        Ok(())
    }

    pub(super) fn answer(&self, answers: &mut Answers<'_>) -> Result<()> {
        self.cipher.answer_sizes(answers)?;
        answers.integer(names::CIPHER_PADDING, u32::from(self.pads))?;
        match (self.cipher, self.iv) {
            (Cipher::Wrap(_), _) => {
                answers.octets(names::CIPHER_IV, &WRAP_IV)?;
                answers.octets(names::CIPHER_UPDATED_IV, &WRAP_IV)?;
            }
            (Cipher::Cbc(_), Some(iv)) => {
                answers.octets(names::CIPHER_IV, &iv)?;
                let now = self.stream.as_ref().map_or(&iv, |stream| stream.iv());
                answers.octets(names::CIPHER_UPDATED_IV, now)?;
            }
            (Cipher::Cbc(_), None) => {}
        }
        Ok(())
    }

    fn key(&self) -> Result<&SymmetricObject> {
        self.key.as_deref().ok_or_else(|| {
            Error::argument("no key set: this cipher requires an opaque key (EVP_CipherInit_SKEY)")
        })
    }

    /// Outputs all complete blocks of the data so far.
    pub(super) fn update(&mut self, out: Option<Output<'_>>, input: &[u8]) -> Result<()> {
        let out = out.ok_or(NullPointer("place for the output's length"))?;
        match self.cipher {
            Cipher::Wrap(_) if input.is_empty() => {
                out.answer_len(0);
                Ok(())
            }
            Cipher::Wrap(algorithm) => self.wrap(algorithm, out, input),
            Cipher::Cbc(algorithm) => self.pass(algorithm, out, input),
        }
    }

    /// Key wrap processes a whole key at once. Without a buffer only the size is returned.
    fn wrap(&self, algorithm: KeyWrapAlgorithm, out: Output<'_>, input: &[u8]) -> Result<()> {
        let key = self.key()?.key();
        let len = match self.encrypts {
            true => KeyWrapAlgorithm::wrapped_len(input.len()),
            false => KeyWrapAlgorithm::unwrapped_len(input.len()),
        }?;
        out.produce(len, || {
            Ok(match self.encrypts {
                true => Zeroizing::new(key.wrap_key(algorithm, input)?),
                false => key.unwrap_key(algorithm, input)?,
            })
        })
    }

    fn pass(&mut self, algorithm: CbcAlgorithm, out: Output<'_>, input: &[u8]) -> Result<()> {
        let stream = self.stream(algorithm)?;
        let len = stream.output_len(input.len());
        if len > 0 {
            check_room(out.room().ok_or(NullPointer("output buffer"))?, len)?;
        }
        give(out, &stream.update(input)?)
    }

    pub(super) fn finish(&mut self, out: Option<Output<'_>>) -> Result<()> {
        let out = out.ok_or(NullPointer("place for the output's length"))?;
        let Cipher::Cbc(algorithm) = self.cipher else {
            out.answer_len(0);
            return Ok(());
        };
        let pads = self.pads;
        let stream = self.stream(algorithm)?;
        if pads {
            check_room(out.room().ok_or(NullPointer("output buffer"))?, BLOCK)?;
        }
        give(out, &stream.finish()?)
    }

    /// The stream, created with the first data.
    fn stream(&mut self, algorithm: CbcAlgorithm) -> Result<&mut CbcStream> {
        let stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let key = self.key()?.key();
                let iv = self.iv.as_ref().ok_or_else(|| {
                    Error::argument("no initialization vector set, and CBC requires one")
                })?;
                let algorithm = algorithm.with_padding(self.pads);
                match self.encrypts {
                    true => key.encrypt_stream(algorithm, iv),
                    false => key.decrypt_stream(algorithm, iv),
                }
            }
        };
        Ok(self.stream.insert(stream))
    }
}

/// Checks the buffer size before any request is sent.
fn check_room(room: usize, len: usize) -> Result<()> {
    if room < len {
        return Err(Error::argument(format!(
            "the output takes {len} bytes, but the buffer has {room}"
        )));
    }
    Ok(())
}

fn give(out: Output<'_>, data: &[u8]) -> Result<()> {
    if data.is_empty() {
        out.answer_len(0);
        return Ok(());
    }
    out.write(data)
        .then_some(())
        .ok_or_else(|| Error::internal("the output is longer than the buffer"))
}
