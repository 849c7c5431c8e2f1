//! Wrapping keys with a symmetric key.

use std::sync::atomic::{AtomicUsize, Ordering};

use zeroize::Zeroizing;

use super::{
    SymmetricKey,
    request::{Action, Parameters},
};
use crate::{KeyWrapAlgorithm, Result};

/// The algorithms in order of trial: 256 bits is the usual size.
const ORDER: [KeyWrapAlgorithm; 3] =
    [KeyWrapAlgorithm::A256Kw, KeyWrapAlgorithm::A128Kw, KeyWrapAlgorithm::A192Kw];

/// The algorithm for a key's size, once the HSM has accepted one. It is a number, so that no lock
/// is held across a fork.
#[derive(Default)]
pub(super) struct KnownSize(AtomicUsize);

impl KnownSize {
    /// The algorithms to try.
    fn candidates(&self) -> &'static [KeyWrapAlgorithm] {
        match self.0.load(Ordering::Relaxed).checked_sub(1) {
            Some(known) => ORDER.get(known..=known).unwrap_or(&ORDER),
            None => &ORDER,
        }
    }

    fn remember(&self, algorithm: KeyWrapAlgorithm) {
        if let Some(known) = ORDER.iter().position(|other| *other == algorithm) {
            self.0.store(known + 1, Ordering::Relaxed);
        }
    }
}

impl SymmetricKey {
    /// Wraps a key (RFC 3394): 16 to 16 384 bytes, a multiple of 8. The result is 8 bytes longer.
    ///
    /// ```no_run
    /// use akv_core::KeyWrapAlgorithm::A256Kw;
    ///
    /// # async fn example(
    /// #     key: akv_core::SymmetricKey, data_key: &[u8; 32],
    /// # ) -> akv_core::Result<()> {
    /// let wrapped = key.wrap_key(A256Kw, data_key).await?;
    /// assert_eq!(wrapped.len(), 32 + 8);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The length is invalid (no request is sent then), or the service fails or refuses within the
    /// deadline.
    pub async fn wrap_key(&self, algorithm: KeyWrapAlgorithm, key: &[u8]) -> Result<Vec<u8>> {
        Ok(self.wrapping(Action::WrapKey, &[algorithm], key).await?.to_vec())
    }

    /// Unwraps a key (RFC 3394); the result is 8 bytes shorter than `wrapped`.
    ///
    /// ```no_run
    /// use akv_core::KeyWrapAlgorithm::A256Kw;
    ///
    /// # async fn example(key: akv_core::SymmetricKey, wrapped: &[u8]) -> akv_core::Result<()> {
    /// let data_key = key.unwrap_key(A256Kw, wrapped).await?; // wiped when it is dropped
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`wrap_key`](Self::wrap_key); or the key was not wrapped with this key.
    pub async fn unwrap_key(
        &self,
        algorithm: KeyWrapAlgorithm,
        wrapped: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>> {
        self.wrapping(Action::UnwrapKey, &[algorithm], wrapped).await
    }

    /// As [`wrap_key`](Self::wrap_key), with the algorithm for the key's size. The service does not
    /// return the size, so the algorithms are tried in turn, the one for 256 bits first. The
    /// algorithm that the HSM accepts is remembered.
    ///
    /// ```no_run
    /// # async fn example(
    /// #     key: akv_core::SymmetricKey, data_key: &[u8; 32],
    /// # ) -> akv_core::Result<()> {
    /// let wrapped = key.wrap_key_auto(data_key).await?;
    /// assert_eq!(*key.unwrap_key_auto(&wrapped).await?, data_key);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`wrap_key`](Self::wrap_key). All requests share one deadline.
    pub async fn wrap_key_auto(&self, key: &[u8]) -> Result<Vec<u8>> {
        let candidates = self.0.size.candidates();
        Ok(self.wrapping(Action::WrapKey, candidates, key).await?.to_vec())
    }

    /// As [`unwrap_key`](Self::unwrap_key), with the algorithm for the key's size, which is found
    /// as in [`wrap_key_auto`](Self::wrap_key_auto). Until the size is known, input that is not a
    /// wrapped key costs one request per size.
    ///
    /// ```no_run
    /// # async fn example(key: akv_core::SymmetricKey, wrapped: &[u8]) -> akv_core::Result<()> {
    /// let data_key = key.unwrap_key_auto(wrapped).await?; // wiped when it is dropped
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`unwrap_key`](Self::unwrap_key).
    pub async fn unwrap_key_auto(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let candidates = self.0.size.candidates();
        self.wrapping(Action::UnwrapKey, candidates, wrapped).await
    }

    async fn wrapping(
        &self,
        action: Action,
        candidates: &[KeyWrapAlgorithm],
        input: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>> {
        let names: Vec<_> = candidates.iter().map(|algorithm| algorithm.name()).collect();
        let (verb, len) = match action {
            Action::WrapKey => ("wrap a key", KeyWrapAlgorithm::wrapped_len(input.len())),
            _ => ("unwrap a key", KeyWrapAlgorithm::unwrapped_len(input.len())),
        };
        let during = || self.doing(verb, &names.join(" or "));
        let len = len.map_err(|error| error.during(during()))?;
        let parameters: Vec<_> =
            names.iter().map(|name| Parameters::new(name, input, len..=len)).collect();
        let answer = self.0.handle.operate_first(action, &parameters).await;
        let (taken, answer) = answer.map_err(|error| error.during(during()))?;
        self.0.size.remember(candidates[taken]);
        Ok(answer.value)
    }
}
