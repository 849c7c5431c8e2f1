//! The premaster secret of TLS's RSA key exchange (RFC 5246 section 7.4.7.1).

use crate::error::{Error, Result};
use akv_core::ErrorKind;
use zeroize::Zeroizing;

/// Length of a premaster secret.
pub(super) const LEN: usize = 48;

/// The versions with which a premaster secret may begin; zero is none.
#[derive(Clone, Copy, Default)]
pub(super) struct Versions {
    /// The one that the client offered.
    pub(super) client: u32,
    /// The one that was negotiated, which some clients send in its place.
    pub(super) negotiated: u32,
}

impl Versions {
    /// As libcrypto, which wants to know what the client offered.
    pub(super) fn check(self) -> Result<()> {
        match self.client {
            0 => Err(Error::argument("padding for TLS needs the version that the client offered")),
            _ => Ok(()),
        }
    }

    /// The premaster secret, or random bytes in its place when it is none: a peer must not learn
    /// which.
    pub(super) fn premaster(self, plaintext: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let mut random = Zeroizing::new(vec![0; LEN]);
        aws_lc_rs::rand::fill(&mut random)
            .map_err(|_| Error::Raised(ErrorKind::Internal, "no random numbers".into()))?;
        let mut candidate = Zeroizing::new(vec![0; LEN]);
        let len = plaintext.len().min(LEN);
        candidate[..len].copy_from_slice(&plaintext[..len]);

        let version = |wanted: u32| {
            let [.., high, low] = wanted.to_be_bytes();
            (candidate[0] ^ high) | (candidate[1] ^ low)
        };
        let negotiated = match self.negotiated {
            0 => u8::MAX,
            wanted => version(wanted),
        };
        let wrong_version = u8::from(version(self.client) != 0) & u8::from(negotiated != 0);
        let wrong = wrong_version | u8::from(plaintext.len() != LEN);
        let mask = std::hint::black_box(0_u8.wrapping_sub(wrong));
        for (byte, random) in candidate.iter_mut().zip(random.iter()) {
            *byte = (*byte & !mask) | (random & mask);
        }
        Ok(candidate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TLS_1_2: Versions = Versions { client: 0x0303, negotiated: 0 };

    fn secret(version: [u8; 2]) -> Vec<u8> {
        [&version[..], &[7; LEN - 2]].concat()
    }

    #[test]
    fn a_right_secret_passes() {
        let right = secret([3, 3]);
        assert_eq!(*TLS_1_2.premaster(&right).expect("random numbers"), right);
        let tolerant = Versions { negotiated: 0x0302, ..TLS_1_2 };
        for right in [secret([3, 3]), secret([3, 2])] {
            assert_eq!(*tolerant.premaster(&right).expect("random numbers"), right);
        }
    }

    #[test]
    fn a_wrong_secret_becomes_random_and_keeps_nothing() {
        for wrong in [
            secret([3, 2]),
            secret([2, 3]),
            secret([3, 3])[..LEN - 1].to_vec(),
            [&secret([3, 3])[..], &[0]].concat(),
            Vec::new(),
        ] {
            let first = TLS_1_2.premaster(&wrong).expect("random numbers");
            let second = TLS_1_2.premaster(&wrong).expect("random numbers");
            assert_eq!((first.len(), second.len()), (LEN, LEN));
            assert_ne!(first, second);
            // The chance that this much of it comes by itself is one in 2^368.
            assert_ne!(first[2..], [7; LEN - 2]);
        }
    }
}
