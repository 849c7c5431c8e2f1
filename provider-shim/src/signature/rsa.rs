//! RSA: PKCS#1 v1.5 and PSS.

use akv_core::{PssParameters, PssSalt, RsaPublicKey, SignatureAlgorithm};
use ossl_abi::names;
use ossl_abi::params::{Answers, Params, Value, Values};
use ossl_abi::types::{DataType, Param};

use super::Operation;
use super::context::{Scheme, Signing};
use super::pss_verify::Parameters;
use super::verify;
use crate::algorithm_id;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::key::{KeyObject, Private};
use crate::key_type::KeyType;
use crate::rsa_public::{self, Padding};

/// libcrypto's constants for salt lengths (`RSA_PSS_SALTLEN_…`).
const NUMBERS: [(PssSalt, i32); 4] =
    [(PssSalt::Digest, -1), (PssSalt::Auto, -2), (PssSalt::Max, -3), (PssSalt::AutoDigestMax, -4)];

fn salt_from_number(number: i32) -> Result<PssSalt> {
    match NUMBERS.iter().find(|(_, known)| *known == number) {
        Some((salt, _)) => Ok(*salt),
        None => usize::try_from(number)
            .map(PssSalt::Len)
            .map_err(|_| Error::argument(format!("{number} is not a PSS salt length"))),
    }
}

fn salt_number(salt: PssSalt) -> i32 {
    match (salt, NUMBERS.iter().find(|(known, _)| *known == salt)) {
        (_, Some((_, number))) => *number,
        (PssSalt::Len(len), None) => i32::try_from(len).unwrap_or(i32::MAX),
        (_, None) => i32::MAX,
    }
}

/// Parses a salt length: libcrypto passes numbers, programs pass names or numbers as text.
fn salt_from_value(value: Value<'_>) -> Result<PssSalt> {
    if value.data_type() != Some(DataType::Utf8String) {
        return salt_from_number(value.integer()?);
    }
    let text = value.utf8()?;
    if let Some((salt, _)) = NUMBERS.iter().find(|(salt, _)| salt.to_string() == text) {
        return Ok(*salt);
    }
    match text.parse() {
        Ok(number) => salt_from_number(number),
        Err(_) => Err(Error::argument(format!("'{text}' is not a PSS salt length"))),
    }
}

/// The RSA parameters.
#[derive(Clone)]
pub(super) struct Rsa {
    padding: Padding,
    salt: PssSalt,
    mgf1: Option<Digest>,
}

impl Default for Rsa {
    fn default() -> Self {
        Self { padding: Padding::Pkcs1, salt: PssSalt::Auto, mgf1: None }
    }
}

fn public(key: &KeyObject) -> Result<&RsaPublicKey> {
    let key = key.require_public()?.as_rsa();
    key.ok_or_else(|| Error::internal("not an RSA key in an RSA operation"))
}

impl Rsa {
    fn set_padding(&mut self, padding: Padding, operation: Operation) -> Result<()> {
        match (padding, operation) {
            (Padding::Pkcs1, _)
            | (Padding::Pss, Operation::Sign | Operation::Verify)
            | (Padding::None, Operation::Verify | Operation::VerifyRecover) => {
                self.padding = padding;
                Ok(())
            }
            _ => Err(Error::unsupported(format!(
                "RSA padding {} cannot be used for {}; use pkcs1 or pss",
                padding.name(),
                match operation {
                    Operation::Sign => "signing with a vault key",
                    Operation::Verify => "verification",
                    Operation::VerifyRecover => "verify-recover",
                }
            ))),
        }
    }

    /// The salt length for an AlgorithmIdentifier.
    fn salt_len(&self, digest: Digest) -> usize {
        match self.salt {
            PssSalt::Len(len) => len,
            _ => digest.len(),
        }
    }

    /// The parameters for another provider.
    fn foreign(&self, digest: Option<Digest>, salt: PssSalt) -> Values {
        let mut values = Values::new().int(names::PAD_MODE, self.padding.number());
        if let Some(digest) = digest {
            values = values.utf8(names::DIGEST, digest.display());
        }
        if self.padding == Padding::Pss {
            values = values.int(names::PSS_SALTLEN, salt_number(salt));
            if let Some(mgf1) = self.mgf1 {
                values = values.utf8(names::MGF1_DIGEST, mgf1.display());
            }
        }
        values
    }

    /// The service's algorithm for PSS.
    fn pss(&self, digest: Digest) -> Result<SignatureAlgorithm> {
        let mgf1 = self.mgf1.unwrap_or(digest).algorithm();
        let digest = digest.algorithm();
        Ok(PssParameters { digest, mgf1, salt: self.salt }.algorithm()?)
    }
}

impl Scheme for Rsa {
    const KEY_TYPE: KeyType = KeyType::Rsa;

    const GETTABLE: &'static [Param] = &[
        Param::describe(names::ALGORITHM_ID, DataType::OctetString),
        Param::describe(names::PAD_MODE, DataType::Utf8String),
        Param::describe(names::DIGEST, DataType::Utf8String),
        Param::describe(names::DIGEST_SIZE, DataType::UnsignedInteger),
        Param::describe(names::MGF1_DIGEST, DataType::Utf8String),
        Param::describe(names::PSS_SALTLEN, DataType::Utf8String),
        Param::END,
    ];

    const SETTABLE: &'static [Param] = &[
        Param::describe(names::DIGEST, DataType::Utf8String),
        Param::describe(names::PROPERTIES, DataType::Utf8String),
        Param::describe(names::PAD_MODE, DataType::Utf8String),
        Param::describe(names::MGF1_DIGEST, DataType::Utf8String),
        Param::describe(names::MGF1_PROPERTIES, DataType::Utf8String),
        Param::describe(names::PSS_SALTLEN, DataType::Utf8String),
        Param::END,
    ];

    const SETTABLE_BUT_DIGEST: &'static [Param] = Self::SETTABLE.split_at(2).1;

    const SETTABLE_IN_COMPOSITE: &'static [Param] =
        &[Param::describe(names::SIGNATURE, DataType::OctetString), Param::END];

    fn set(
        &mut self,
        operation: Operation,
        digest: &mut Option<Digest>,
        params: Params<'_>,
    ) -> Result<()> {
        if let Some(value) = params.get(names::PAD_MODE) {
            self.set_padding(Padding::from_value(value)?, operation)?;
        }
        if self.padding == Padding::None && digest.is_some() {
            return Err(Error::argument(
                "padding none cannot be combined with a digest; set only one of them",
            ));
        }
        let (salt, mgf1) = (params.get(names::PSS_SALTLEN), params.get(names::MGF1_DIGEST));
        if (salt.is_some() || mgf1.is_some()) && self.padding != Padding::Pss {
            return Err(Error::argument(
                "salt length and MGF1 digest require PSS; set rsa_padding_mode:pss first",
            ));
        }
        if let Some(value) = salt {
            self.salt = salt_from_value(value)?;
        }
        if let Some(value) = mgf1 {
            self.mgf1 = Some(Digest::from_name(value.utf8()?)?);
        }
        if self.padding == Padding::Pss && operation == Operation::Verify {
            // PSS's own default (RFC 8017 appendix A.2.3). For signing the vault does not support
            // it, and the caller must set one.
            digest.get_or_insert(Digest::Sha1);
        }
        Ok(())
    }

    fn answer(
        &self,
        operation: Operation,
        digest: Option<Digest>,
        answers: &mut Answers<'_>,
    ) -> Result<()> {
        self.padding.answer(answers)?;
        let mgf1 = self.mgf1.or(digest).map_or(c"", Digest::name);
        answers.utf8_static(names::MGF1_DIGEST, mgf1)?;
        // For signing, callers interpret "auto" as the maximum length, but ours is the digest
        // length.
        let salt = match (operation, self.salt) {
            (Operation::Sign, PssSalt::Auto | PssSalt::AutoDigestMax) => PssSalt::Digest,
            (_, salt) => salt,
        };
        match answers.wanted(names::PSS_SALTLEN) {
            Some(DataType::Utf8String) => answers.utf8(names::PSS_SALTLEN, &salt.to_string())?,
            _ => answers.integer(names::PSS_SALTLEN, salt_number(salt))?,
        }
        Ok(())
    }

    fn algorithm_id(&self, _operation: Operation, digest: Digest) -> Result<Vec<u8>> {
        match self.padding {
            Padding::Pss => {
                let mgf1 = self.mgf1.unwrap_or(digest);
                algorithm_id::rsa_pss(digest, mgf1, self.salt_len(digest))
            }
            _ => algorithm_id::rsa_pkcs1(digest),
        }
    }

    fn check_sign(&self, key: &KeyObject, digest: Option<Digest>) -> Result<()> {
        let Private::Vault(key) = key.private()? else {
            return Ok(());
        };
        match (digest, self.padding) {
            // It may still be set.
            (None, _) => Ok(()),
            (Some(digest), Padding::Pss) => self.pss(digest).map(drop),
            (Some(digest), _) => Ok(key.check_pkcs1_digest(digest.algorithm())?),
        }
    }

    fn max_len(&self, key: &KeyObject) -> Result<usize> {
        public(key).map(RsaPublicKey::size)
    }

    fn start_sign(&self, key: &KeyObject, digest: Option<Digest>, tbs: &[u8]) -> Result<Signing> {
        let key = match key.private()? {
            Private::Vault(key) => key,
            Private::Foreign(key) => {
                // Use the salt length that we report.
                let salt = match self.salt {
                    PssSalt::Auto | PssSalt::AutoDigestMax => PssSalt::Digest,
                    salt => salt,
                };
                return key.sign(self.foreign(digest, salt), tbs).map(Signing::Elsewhere);
            }
        };
        let pending = match (self.padding, digest) {
            (Padding::Pss, Some(digest)) => key.start_sign(self.pss(digest)?, tbs),
            (Padding::Pss, None) => {
                return Err(Error::argument(
                    "PSS requires a digest; set digest:sha256 before signing",
                ));
            }
            // If no digest is set, the caller passes the DigestInfo.
            (_, None) => key.start_sign_pkcs1(tbs),
            (_, Some(digest)) => key.start_sign_pkcs1_digest(digest.algorithm(), tbs),
        };
        Ok(Signing::Rsa(pending?))
    }

    fn verify(
        &self,
        key: &KeyObject,
        digest: Option<Digest>,
        tbs: &[u8],
        signature: &[u8],
    ) -> Result<()> {
        if let Some(delegate) = key.public_delegate() {
            return delegate.verify(self.foreign(digest, self.salt), tbs, signature);
        }
        let public = public(key)?;
        match (self.padding, digest) {
            (Padding::Pss, Some(digest)) => {
                let salt_len = match self.salt {
                    PssSalt::Digest => Some(digest.len()),
                    PssSalt::Len(len) => Some(len),
                    PssSalt::Max => Some(verify::max_salt_len(public, digest)?),
                    PssSalt::Auto | PssSalt::AutoDigestMax => None,
                };
                let mgf1 = self.mgf1.unwrap_or(digest);
                let parameters = Parameters { digest, mgf1, salt_len };
                verify::pss(public, parameters, tbs, signature)
            }
            (Padding::Pss, None) => Err(Error::argument("PSS requires a digest")),
            (Padding::None, _) => verify::unpadded(public, tbs, signature),
            (_, digest) => verify::pkcs1(public, digest, tbs, signature),
        }
    }

    fn recover(
        &self,
        key: &KeyObject,
        digest: Option<Digest>,
        signature: &[u8],
    ) -> Result<Vec<u8>> {
        if self.padding == Padding::None {
            return rsa_public::apply(public(key)?, signature);
        }
        let padded = verify::recover_pkcs1(public(key)?, signature)?;
        match digest {
            None => Ok(padded),
            Some(Digest::Md5Sha1) if padded.len() == Digest::Md5Sha1.len() => Ok(padded),
            Some(digest) => match Digest::from_digest_info(&padded) {
                Some((found, value)) if found == digest => Ok(value.to_vec()),
                _ => Err(Error::Silent),
            },
        }
    }
}
