//! The output of symmetric encryption as one file: initialization vector, ciphertext and, with GCM,
//! tag.

use akv_core::{CbcAlgorithm, GcmAlgorithm, GcmCiphertext, SymmetricKey};
use zeroize::Zeroizing;

use crate::exit::{Failure, Result};

/// Length of an initialization vector, and of a GCM tag. A Managed HSM pads GCM's 12 bytes with
/// zeros.
const BLOCK: usize = 16;

#[derive(Clone, Copy, Debug)]
pub(super) enum Algorithm {
    Gcm(GcmAlgorithm),
    Cbc(CbcAlgorithm),
}

impl Algorithm {
    /// The algorithm of this name; by default A256GCM.
    pub(super) fn read(name: Option<&str>) -> Result<Self> {
        let Some(name) = name else { return Ok(Self::Gcm(GcmAlgorithm::A256Gcm)) };
        if let Ok(algorithm) = name.parse() {
            return Ok(Self::Cbc(algorithm));
        }
        name.parse().map(Self::Gcm).map_err(|_| {
            let gcm = GcmAlgorithm::ALL.iter().map(|known| known.name());
            let all: Vec<_> =
                gcm.chain(CbcAlgorithm::ALL.iter().map(|known| known.name())).collect();
            let all = all.join(", ");
            Failure::Usage(format!(
                "a symmetric key does not encrypt with {name:?}; expected one of {all}"
            ))
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gcm(algorithm) => algorithm.name(),
            Self::Cbc(algorithm) => algorithm.name(),
        }
    }

    fn refuse_aad(self, aad: &str) -> Result<()> {
        match self {
            Self::Cbc(algorithm) if !aad.is_empty() => Err(Failure::Usage(format!(
                "{algorithm} does not authenticate, so --aad is refused"
            ))),
            _ => Ok(()),
        }
    }
}

pub(super) async fn encrypt(
    key: &SymmetricKey,
    algorithm: Algorithm,
    plaintext: &[u8],
    aad: &str,
) -> Result<Vec<u8>> {
    algorithm.refuse_aad(aad)?;
    match algorithm {
        Algorithm::Gcm(algorithm) => {
            let sealed = key.seal(algorithm, plaintext, aad.as_bytes()).await?;
            let mut iv = sealed.iv;
            if iv.len() > BLOCK {
                let text =
                    format!("the service returned an initialization vector of {} bytes", iv.len());
                return Err(Failure::System(text));
            }
            iv.resize(BLOCK, 0);
            Ok([iv, sealed.ciphertext, sealed.tag].concat())
        }
        Algorithm::Cbc(algorithm) => {
            let mut iv = [0; BLOCK];
            aws_lc_rs::rand::fill(&mut iv)
                .map_err(|_| Failure::System("cannot generate random numbers".to_owned()))?;
            let ciphertext = key.encrypt(algorithm, &iv, plaintext).await?;
            Ok([iv.as_slice(), &ciphertext].concat())
        }
    }
}

pub(super) async fn decrypt(
    key: &SymmetricKey,
    algorithm: Algorithm,
    sealed: &[u8],
    aad: &str,
) -> Result<Zeroizing<Vec<u8>>> {
    algorithm.refuse_aad(aad)?;
    let short = || {
        let text =
            format!("{} bytes are too few for the output of {}", sealed.len(), algorithm.name());
        Failure::Usage(text)
    };
    match algorithm {
        Algorithm::Gcm(algorithm) => {
            let (iv, rest) = sealed.split_at_checked(BLOCK).ok_or_else(short)?;
            let end = rest.len().checked_sub(BLOCK).ok_or_else(short)?;
            let (ciphertext, tag) = rest.split_at(end);
            let sealed = GcmCiphertext {
                iv: iv.to_vec(),
                ciphertext: ciphertext.to_vec(),
                tag: tag.to_vec(),
            };
            Ok(key.open(algorithm, &sealed, aad.as_bytes()).await?)
        }
        Algorithm::Cbc(algorithm) => {
            let (iv, ciphertext) = sealed.split_first_chunk::<BLOCK>().ok_or_else(short)?;
            Ok(key.decrypt(algorithm, iv, ciphertext).await?)
        }
    }
}
