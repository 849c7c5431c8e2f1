//! The service's algorithms, by kind of key (RFC 7518 sections 3.1 and 4.1, and the service's own).
//!
//! Input that an algorithm does not accept is refused here, before any request. ECDSA digests
//! must have the length that the curve requires; [`crate::ecdsa::fit_digest`] adapts any digest
//! (FIPS 186-5 uses the leftmost bits, so this does not change its meaning).

mod curve;
mod digest;
pub mod ecdsa;
mod encryption;
mod oaep;
mod order;
mod pss;
mod signature;
mod symmetric;

pub use self::{
    curve::Curve,
    digest::DigestAlgorithm,
    encryption::EncryptionAlgorithm,
    oaep::OaepParameters,
    pss::{PssParameters, PssSalt},
    signature::SignatureAlgorithm,
    symmetric::{CbcAlgorithm, GcmAlgorithm, KeyWrapAlgorithm},
};

pub(crate) use self::{digest::Prepared, symmetric::BLOCK};

use crate::{Error, ErrorKind, error};

/// Implements `Display` and `FromStr` with the service's names, for a type that has `ALL` and
/// `name`.
macro_rules! named {
    ($algorithm:ty, $what:literal) => {
        impl std::fmt::Display for $algorithm {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl std::str::FromStr for $algorithm {
            type Err = crate::Error;

            /// Parses the service's name.
            fn from_str(text: &str) -> crate::Result<Self> {
                Self::ALL.iter().copied().find(|known| known.name() == text).ok_or_else(|| {
                    let known: Vec<_> = Self::ALL.iter().map(|known| known.name()).collect();
                    super::unknown($what, text, &known)
                })
            }
        }
    };
}
use named;

fn unsupported(text: String) -> Error {
    Error::new(ErrorKind::Unsupported, text)
}

fn unknown(what: &str, text: &str, known: &[&str]) -> Error {
    let text = error::one_line(error::shortened(text, 60));
    Error::new(ErrorKind::Argument, format!("unknown {what} {text:?}"))
        .hint(format!("expected one of {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for algorithm in SignatureAlgorithm::ALL {
            assert_eq!(algorithm.to_string().parse::<SignatureAlgorithm>().unwrap(), *algorithm);
        }
        for algorithm in EncryptionAlgorithm::ALL {
            assert_eq!(algorithm.to_string().parse::<EncryptionAlgorithm>().unwrap(), *algorithm);
        }
        for algorithm in KeyWrapAlgorithm::ALL {
            assert_eq!(algorithm.to_string().parse::<KeyWrapAlgorithm>().unwrap(), *algorithm);
        }
        for algorithm in CbcAlgorithm::ALL {
            assert_eq!(algorithm.to_string().parse::<CbcAlgorithm>().unwrap(), *algorithm);
        }
        for algorithm in GcmAlgorithm::ALL {
            assert_eq!(algorithm.to_string().parse::<GcmAlgorithm>().unwrap(), *algorithm);
        }
        let error = "rs256".parse::<SignatureAlgorithm>().unwrap_err();
        let line = error.to_string();
        assert!(line.contains("\"rs256\"") && line.contains("RS256, RS384"), "{line}");
    }
}
