//! The premaster secret of the TLS RSA key exchange (RFC 5246 section 7.4.7.1).

use crate::error::{Error, Result};

/// The TLS versions that a premaster secret may start with; zero means none.
#[derive(Clone, Copy, Default)]
pub(super) struct Versions {
    /// The version that the client offered.
    pub(super) client: u32,
    /// The negotiated version, which some clients send instead.
    pub(super) negotiated: u32,
}

impl Versions {
    /// The accepted versions. As in libcrypto, the client's version is required.
    pub(super) fn accepted(self) -> Result<Vec<u16>> {
        if self.client == 0 {
            return Err(Error::argument(
                "TLS padding requires the version that the client offered",
            ));
        }
        let set = [self.client, self.negotiated].into_iter().filter(|version| *version != 0);
        set.map(|version| {
            u16::try_from(version)
                .map_err(|_| Error::argument(format!("{version:#x} is not a TLS version")))
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offered_version_is_needed_and_the_negotiated_one_accepted() {
        let accepted = |client, negotiated| Versions { client, negotiated }.accepted();
        assert_eq!(accepted(0x0303, 0).expect("one"), [0x0303]);
        assert_eq!(accepted(0x0303, 0x0302).expect("two"), [0x0303, 0x0302]);
        assert!(accepted(0, 0x0303).is_err());
        assert!(accepted(0x1_0303, 0).is_err());
    }
}
