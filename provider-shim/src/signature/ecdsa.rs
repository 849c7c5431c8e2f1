//! ECDSA. The curve determines the service's algorithm, and every digest can be used with every
//! curve.

use akv_core::{Curve, SignatureAlgorithm, ecdsa};
use ossl_abi::names;
use ossl_abi::params::{Answers, Params, Values};
use ossl_abi::types::{DataType, Param};

use super::Operation;
use super::context::{Scheme, Signing};
use crate::algorithm_id;
use crate::curve::ecdsa_max_len;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::key::{KeyObject, Private};
use crate::key_type::KeyType;

/// The ECDSA parameters.
#[derive(Clone, Default)]
pub(super) struct Ecdsa {
    /// The length set for precomputed digests; 0 accepts any length.
    size: Option<usize>,
}

fn curve(key: &KeyObject) -> Result<Curve> {
    key.curve().ok_or_else(|| Error::argument("the key object is empty"))
}

fn check_nonce(operation: Operation, params: Params<'_>) -> Result<()> {
    let kind: u32 = params.get(names::NONCE_TYPE).map_or(Ok(0), |value| value.integer())?;
    if kind == 0 || operation != Operation::Sign {
        return Ok(());
    }
    Err(Error::unsupported(format!(
        "the vault generates random nonces for ECDSA: nonce-type must be 0, not {kind}"
    )))
}

impl Scheme for Ecdsa {
    const KEY_TYPE: KeyType = KeyType::Ec;

    const GETTABLE: &'static [Param] = &[
        Param::describe(names::ALGORITHM_ID, DataType::OctetString),
        Param::describe(names::DIGEST_SIZE, DataType::UnsignedInteger),
        Param::describe(names::DIGEST, DataType::Utf8String),
        Param::describe(names::NONCE_TYPE, DataType::UnsignedInteger),
        Param::END,
    ];

    const SETTABLE: &'static [Param] = &[
        Param::describe(names::DIGEST, DataType::Utf8String),
        Param::describe(names::DIGEST_SIZE, DataType::UnsignedInteger),
        Param::describe(names::PROPERTIES, DataType::Utf8String),
        Param::describe(names::NONCE_TYPE, DataType::UnsignedInteger),
        Param::END,
    ];

    // libcrypto's own provider makes no distinction either.
    const SETTABLE_BUT_DIGEST: &'static [Param] = Self::SETTABLE;

    const SETTABLE_IN_COMPOSITE: &'static [Param] = &[
        Param::describe(names::SIGNATURE, DataType::OctetString),
        Param::describe(names::NONCE_TYPE, DataType::UnsignedInteger),
        Param::END,
    ];

    fn set_in_composite(&self, operation: Operation, params: Params<'_>) -> Result<()> {
        check_nonce(operation, params)
    }

    fn set(
        &mut self,
        operation: Operation,
        digest: &mut Option<Digest>,
        params: Params<'_>,
    ) -> Result<()> {
        check_nonce(operation, params)?;
        if params.get(names::DIGEST).is_some() {
            self.size = None;
        }
        if let Some(value) = params.get(names::DIGEST_SIZE) {
            let size: usize = value.integer()?;
            if digest.is_some_and(|digest| size != digest.len()) {
                return Err(Error::argument(format!(
                    "{size} is not the length of the digest that is set"
                )));
            }
            self.size = Some(size);
        }
        Ok(())
    }

    fn answer(
        &self,
        _operation: Operation,
        _digest: Option<Digest>,
        answers: &mut Answers<'_>,
    ) -> Result<()> {
        answers.integer(names::NONCE_TYPE, 0_u32)?;
        Ok(())
    }

    fn tbs_len(&self, digest: Option<Digest>) -> Option<usize> {
        digest.map(Digest::len).or(self.size).filter(|size| *size != 0)
    }

    fn algorithm_id(&self, _operation: Operation, digest: Digest) -> Result<Vec<u8>> {
        algorithm_id::ecdsa(digest)
    }

    fn check_sign(&self, _key: &KeyObject, _digest: Option<Digest>) -> Result<()> {
        Ok(())
    }

    fn max_len(&self, key: &KeyObject) -> Result<usize> {
        match (key.curve(), key.foreign()) {
            (None, Some(foreign)) => foreign.max_size(),
            _ => curve(key).map(ecdsa_max_len),
        }
    }

    fn start_sign(&self, key: &KeyObject, _digest: Option<Digest>, tbs: &[u8]) -> Result<Signing> {
        match key.private()? {
            Private::Vault(key) => Ok(Signing::Ecdsa(key.start_sign_ecdsa(tbs)?)),
            Private::Foreign(key) => key.sign(Values::new(), tbs).map(Signing::Elsewhere),
        }
    }

    fn verify(
        &self,
        key: &KeyObject,
        _digest: Option<Digest>,
        tbs: &[u8],
        signature: &[u8],
    ) -> Result<()> {
        if let Some(delegate) = key.public_delegate() {
            return delegate.verify(Values::new(), tbs, signature);
        }
        let (curve, public) = (curve(key)?, key.require_public()?);
        ecdsa::check_digest(curve, tbs)?;
        let digest = ecdsa::fit_digest(curve, tbs);
        ecdsa::der_to_raw(signature, curve)
            .and_then(|raw| {
                let algorithm = SignatureAlgorithm::ecdsa(curve);
                public.verify_digest(algorithm, &digest, &raw)
            })
            .map_err(|_| Error::Silent)
    }

    fn recover(&self, _: &KeyObject, _: Option<Digest>, _: &[u8]) -> Result<Vec<u8>> {
        Err(Error::unsupported("verify-recover with ECDSA"))
    }
}
