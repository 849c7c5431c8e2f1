//! ECDSA. The curve decides the service's algorithm, and every digest fits every curve.

use super::Operation;
use super::context::Scheme;
use crate::algorithm_id;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::key::{KeyObject, KeyType};
use crate::keymgmt::ecdsa_max_len;
use akv_core::{Curve, SignatureAlgorithm, ecdsa};
use ossl_abi::names;
use ossl_abi::params::{Answers, Params};
use ossl_abi::types::{DataType, Param};

/// ECDSA has no settings of its own.
#[derive(Clone, Default)]
pub(super) struct Ecdsa;

fn curve(key: &KeyObject) -> Result<Curve> {
    key.curve().ok_or_else(|| Error::argument("the key object holds no key"))
}

impl Scheme for Ecdsa {
    const KEY_TYPE: KeyType = KeyType::Ec;

    const GETTABLE: &'static [Param] = &[
        Param::describe(names::ALGORITHM_ID, DataType::OctetString),
        Param::describe(names::DIGEST_SIZE, DataType::UnsignedInteger),
        Param::describe(names::DIGEST, DataType::Utf8String),
        Param::END,
    ];

    const SETTABLE: &'static [Param] = &[
        Param::describe(names::DIGEST, DataType::Utf8String),
        Param::describe(names::PROPERTIES, DataType::Utf8String),
        Param::END,
    ];

    fn set(&mut self, _operation: Operation, _params: Params<'_>) -> Result<()> {
        Ok(())
    }

    fn answer(&self, _operation: Operation, _answers: &mut Answers<'_>) -> Result<()> {
        Ok(())
    }

    fn algorithm_id(&self, _operation: Operation, digest: Digest) -> Result<Vec<u8>> {
        algorithm_id::ecdsa(digest)
    }

    fn check_sign(&self, _key: &KeyObject, _digest: Option<Digest>) -> Result<()> {
        Ok(())
    }

    fn max_len(&self, key: &KeyObject) -> Result<usize> {
        curve(key).map(ecdsa_max_len)
    }

    fn sign(&self, key: &KeyObject, _digest: Option<Digest>, tbs: &[u8]) -> Result<Vec<u8>> {
        let curve = curve(key)?;
        let digest = ecdsa::fit_digest(curve, tbs);
        let raw = key.require_vault()?.sign(SignatureAlgorithm::ecdsa(curve), &digest)?;
        Ok(ecdsa::raw_to_der(&raw)?)
    }

    fn verify(
        &self,
        key: &KeyObject,
        _digest: Option<Digest>,
        tbs: &[u8],
        signature: &[u8],
    ) -> Result<()> {
        let (curve, public) = (curve(key)?, key.require_public()?);
        let digest = ecdsa::fit_digest(curve, tbs);
        ecdsa::der_to_raw(signature, curve)
            .and_then(|raw| {
                let algorithm = SignatureAlgorithm::ecdsa(curve);
                public.verify_digest(algorithm, &digest, &raw)
            })
            .map_err(|_| Error::Silent)
    }

    fn recover(&self, _: &KeyObject, _: Option<Digest>, _: &[u8]) -> Result<Vec<u8>> {
        Err(Error::unsupported("nothing can be recovered from an ECDSA signature"))
    }
}
