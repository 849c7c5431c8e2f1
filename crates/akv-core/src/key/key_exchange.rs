//! The RSA key exchange of TLS 1.2 and older: the vault decrypts the premaster secret.
//!
//! A peer that learns whether its ciphertext was padded correctly can decrypt other sessions and
//! forge signatures (Bleichenbacher's attack). A vault reveals it: it returns 200 or 400, after
//! different times. So the exchange is off unless the setting `rsa-key-exchange` is `yes`. Then a
//! rejected ciphertext results in a random premaster secret that was generated before the request,
//! and every result is delayed to the next multiple of [`GRID`].

use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use zeroize::Zeroizing;

use super::Key;
use crate::{EncryptionAlgorithm, Error, ErrorKind, Result};

/// The length of a premaster secret in bytes (RFC 5246 section 8.1).
const LEN: usize = Key::TLS_PREMASTER_LEN;

/// Results are returned at multiples of this time after the start. It is longer than nearly every
/// response of a service, so nearly every result is returned at the first multiple.
const GRID: Duration = Duration::from_millis(100);

/// Minimum length of PKCS#1 v1.5 padding (RFC 8017 section 7.2.1).
const PADDING: usize = 11;

type Secret = Zeroizing<[u8; LEN]>;

impl Key {
    /// The length of a premaster secret of TLS's RSA key exchange in bytes (RFC 5246 section 8.1).
    pub const TLS_PREMASTER_LEN: usize = 48;

    /// Decrypts the premaster secret of TLS's RSA key exchange (RFC 5246 section 7.4.7.1). It must
    /// begin with one of `versions` (`0x0303` is TLS 1.2). A secret that does not, that has another
    /// length or that the vault refuses to decrypt is replaced by random bytes. The method returns
    /// at a multiple of 100 ms after the call in every case.
    ///
    /// ```no_run
    /// # async fn example(key: akv_core::Key, ciphertext: &[u8]) -> akv_core::Result<()> {
    /// let premaster = key.tls_premaster(ciphertext, &[0x0303]).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The setting `rsa-key-exchange` is not `yes` ([`ErrorKind::NotAllowed`]; nothing is sent),
    /// the key is not an RSA key, or the service cannot be reached or refuses for a reason that
    /// does not depend on the ciphertext.
    pub async fn tls_premaster(&self, ciphertext: &[u8], versions: &[u16]) -> Result<Secret> {
        self.on_grid(async {
            let mut secret = random()?;
            let plaintext = self.decrypt_or_refuse(ciphertext).await?;
            select(&mut secret, plaintext.as_ref().map_or(&[], |text| text), versions);
            Ok(secret)
        })
        .await
    }

    /// As [`tls_premaster`](Self::tls_premaster), for callers that check the padding and the
    /// version themselves, such as libssl 1.1.1. Returns the padded block, as long as the modulus.
    /// It contains what the vault decrypted, of any length, or a random premaster secret.
    ///
    /// # Errors
    /// As [`tls_premaster`](Self::tls_premaster).
    pub async fn tls_premaster_block(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        self.on_grid(async {
            let secret = random()?;
            let plaintext = self.decrypt_or_refuse(ciphertext).await?;
            let content = plaintext.as_ref().map_or(&secret[..], |text| text);
            block(ciphertext.len(), content)
        })
        .await
    }

    /// The plaintext; `None` if the vault rejects the ciphertext.
    async fn decrypt_or_refuse(&self, ciphertext: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>> {
        match self.decrypt(EncryptionAlgorithm::Rsa15, ciphertext).await {
            Ok(plaintext) => Ok(Some(plaintext)),
            Err(error) if is_about_the_ciphertext(&error) => {
                tracing::debug!(%error, "a premaster secret is replaced by a random one");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Runs an exchange if the settings allow it, and delays its result.
    async fn on_grid<T>(&self, exchange: impl Future<Output = Result<T>>) -> Result<T> {
        let values = self.settings().values();
        if !values.rsa_key_exchange {
            let text = "the RSA key exchange of TLS, which includes decryption without padding, \
                        is not allowed by the setting rsa-key-exchange";
            return Err(Error::new(ErrorKind::NotAllowed, text)
                .hint("use ECDHE cipher suites; docs/security.md describes the risk of allowing it")
                .during(self.doing("decrypt", EncryptionAlgorithm::Rsa15)));
        }
        let start = Instant::now();
        let outcome = exchange.await;
        sleep_until(start + release_time(start.elapsed()).min(values.timeout)).await;
        outcome
    }
}

/// When to return a result that is available after `known`.
fn release_time(known: Duration) -> Duration {
    let steps = known.as_nanos().div_ceil(GRID.as_nanos()).max(1);
    GRID * u32::try_from(steps).unwrap_or(u32::MAX)
}

/// Whether the service rejects this particular ciphertext, which must not be revealed. Errors
/// that it returns for every ciphertext (no such key, no permission, too many requests) are
/// reported instead.
fn is_about_the_ciphertext(error: &Error) -> bool {
    error.kind() == ErrorKind::Service
        && error.status().is_some_and(|status| {
            matches!(status, 400..=499) && !matches!(status, 401 | 403 | 404 | 408 | 429)
        })
}

fn random() -> Result<Secret> {
    let mut secret = Zeroizing::new([0; LEN]);
    fill(&mut *secret)?;
    Ok(secret)
}

fn fill(bytes: &mut [u8]) -> Result<()> {
    aws_lc_rs::rand::fill(bytes)
        .map_err(|_| Error::new(ErrorKind::Internal, "cannot generate random numbers"))
}

/// Replaces the random premaster secret by a valid one, in the same steps as for an invalid one.
fn select(secret: &mut [u8; LEN], plaintext: &[u8], versions: &[u16]) {
    let mut candidate = Zeroizing::new([0; LEN]);
    let len = plaintext.len().min(LEN);
    candidate[..len].copy_from_slice(&plaintext[..len]);
    let mut wrong_version = 1;
    for version in versions {
        let [high, low] = version.to_be_bytes();
        wrong_version &= u8::from((candidate[0] ^ high) | (candidate[1] ^ low) != 0);
    }
    let wrong = wrong_version | u8::from(plaintext.len() != LEN);
    let mask = std::hint::black_box(0_u8.wrapping_sub(wrong));
    for (byte, right) in secret.iter_mut().zip(candidate.iter()) {
        *byte = (*byte & mask) | (right & !mask);
    }
}

/// An encryption block of PKCS#1 v1.5 (RFC 8017 section 7.2.1).
fn block(size: usize, content: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let start =
        size.checked_sub(content.len()).filter(|start| *start >= PADDING).ok_or_else(|| {
            Error::new(ErrorKind::Response, "the plaintext is longer than its padding allows")
        })?;
    let mut block = Zeroizing::new(vec![0; size]);
    block[1] = 2;
    fill(&mut block[2..start - 1])?;
    for byte in &mut block[2..start - 1] {
        // The padding must not contain a zero. It is not secret, and nothing is derived from it.
        *byte |= 1;
    }
    block[start..].copy_from_slice(content);
    Ok(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TLS_1_2: &[u16] = &[0x0303];

    fn secret(version: [u8; 2]) -> Vec<u8> {
        [&version[..], &[7; LEN - 2]].concat()
    }

    fn selected(plaintext: &[u8], versions: &[u16]) -> [u8; LEN] {
        let mut secret = random().unwrap();
        select(&mut secret, plaintext, versions);
        *secret
    }

    #[test]
    fn a_valid_premaster_secret_is_returned() {
        let right = secret([3, 3]);
        assert_eq!(selected(&right, TLS_1_2)[..], right);
        for right in [secret([3, 3]), secret([3, 2])] {
            assert_eq!(selected(&right, &[0x0303, 0x0302])[..], right);
        }
    }

    #[test]
    fn an_invalid_premaster_secret_becomes_random() {
        for wrong in [
            secret([3, 2]),
            secret([2, 3]),
            secret([3, 3])[..LEN - 1].to_vec(),
            [&secret([3, 3])[..], &[0]].concat(),
            Vec::new(),
        ] {
            let (first, second) = (selected(&wrong, TLS_1_2), selected(&wrong, TLS_1_2));
            assert_ne!(first, second);
            // The probability of a match by chance is 2^-368.
            assert_ne!(first[2..], [7; LEN - 2]);
        }
        assert_ne!(selected(&secret([3, 3]), &[])[2..], [7; LEN - 2], "no version is right");
    }

    #[test]
    fn a_block_has_valid_padding_around_the_content() {
        for len in [0, 1, 48, 245] {
            let block = block(256, &vec![9; len]).unwrap();
            assert_eq!((block.len(), block[0], block[1]), (256, 0, 2));
            let end = 2 + block[2..].iter().position(|byte| *byte == 0).unwrap();
            assert!(end >= 10, "at least eight bytes of padding");
            assert_eq!(&block[end + 1..], vec![9; len]);
        }
        assert!(block(256, &[0; 246]).is_err());
    }

    #[test]
    fn results_are_delayed_to_the_grid() {
        let ms = Duration::from_millis;
        for (known, returned) in
            [(0, 100), (1, 100), (99, 100), (100, 100), (101, 200), (9_950, 10_000)]
        {
            assert_eq!(release_time(ms(known)), ms(returned), "{known}");
        }
        assert_eq!(release_time(ms(100) + Duration::from_nanos(1)), ms(200));
    }

    #[test]
    fn errors_unrelated_to_the_ciphertext_are_reported() {
        let about = |status| {
            let error = Error::new(ErrorKind::Service, "no").answer(status, None, None);
            is_about_the_ciphertext(&error)
        };
        for status in [400, 405, 406, 409, 410, 412, 413, 415, 422, 424, 499] {
            assert!(about(status), "{status}");
        }
        for status in [301, 401, 403, 404, 408, 429, 500, 502, 503] {
            assert!(!about(status), "{status}");
        }
        assert!(!is_about_the_ciphertext(&Error::new(ErrorKind::Network, "gone")));
    }
}
