//! The state of a signature operation, and the common parts of RSA and ECDSA.

use std::sync::Arc;

use akv_core::blocking::Pending;
use akv_core::ecdsa;
use legacy_abi::job;
use ossl_abi::guard::{Object, Output, deep};
use ossl_abi::params::{Answers, Params};
use ossl_abi::types::Param;
use ossl_abi::{Host, names};

use super::Operation;
use crate::digest::{Digest, Hasher};
use crate::error::{Error, Result};
use crate::fips;
use crate::key::KeyObject;
use crate::key_type::KeyType;
use crate::provider::Provider;

/// The differences between RSA and ECDSA.
pub(super) trait Scheme: Clone + Default {
    const KEY_TYPE: KeyType;
    const GETTABLE: &'static [Param];
    const SETTABLE: &'static [Param];
    /// The settable parameters while the digest is fixed.
    const SETTABLE_BUT_DIGEST: &'static [Param];
    /// The settable parameters if the algorithm's name contains the digest. The first is the
    /// signature to verify, which only verification accepts.
    const SETTABLE_IN_COMPOSITE: &'static [Param];

    /// Sets the scheme's parameters, after the digest.
    fn set(
        &mut self,
        operation: Operation,
        digest: &mut Option<Digest>,
        params: Params<'_>,
    ) -> Result<()>;

    /// Checks the scheme's parameters if the algorithm's name contains the digest.
    fn set_in_composite(&self, _operation: Operation, _params: Params<'_>) -> Result<()> {
        Ok(())
    }

    /// Returns the scheme's parameters.
    fn answer(
        &self,
        operation: Operation,
        digest: Option<Digest>,
        answers: &mut Answers<'_>,
    ) -> Result<()>;

    /// The required length of a precomputed digest, if any.
    fn tbs_len(&self, digest: Option<Digest>) -> Option<usize> {
        digest.map(Digest::len)
    }

    /// The signature's AlgorithmIdentifier in DER.
    fn algorithm_id(&self, operation: Operation, digest: Digest) -> Result<Vec<u8>>;

    /// Checks as early as possible whether the vault can sign.
    fn check_sign(&self, key: &KeyObject, digest: Option<Digest>) -> Result<()>;

    /// The maximum signature length.
    fn max_len(&self, key: &KeyObject) -> Result<usize>;

    /// Starts to sign a digest, or arbitrary data if no digest is set.
    fn start_sign(&self, key: &KeyObject, digest: Option<Digest>, tbs: &[u8]) -> Result<Signing>;

    /// Verifies a signature. [`Error::Silent`] means that it is invalid.
    fn verify(
        &self,
        key: &KeyObject,
        digest: Option<Digest>,
        tbs: &[u8],
        signature: &[u8],
    ) -> Result<()>;

    /// Recovers the signed data.
    fn recover(&self, key: &KeyObject, digest: Option<Digest>, signature: &[u8])
    -> Result<Vec<u8>>;
}

/// A signature that is being made.
pub(super) enum Signing {
    /// By another provider: it is complete.
    Elsewhere(Vec<u8>),
    /// With an RSA key in a vault.
    Rsa(Pending<Vec<u8>>),
    /// With an EC key in a vault, which returns r and s.
    Ecdsa(Pending<Vec<u8>>),
}

impl Signing {
    /// Waits for the signature as OpenSSL encodes it, on the caller's stack.
    fn wait(self) -> Result<Vec<u8>> {
        match self {
            Self::Elsewhere(signature) => Ok(signature),
            Self::Rsa(pending) => job::wait(pending),
            Self::Ecdsa(pending) => {
                let raw = job::wait::<_, Error>(pending)?;
                deep(|| Ok(ecdsa::raw_to_der(&raw)?))
            }
        }
    }
}

/// The context of an operation.
#[derive(Clone)]
pub(super) struct Context<S> {
    provider: Arc<Provider>,
    key: Option<Arc<KeyObject>>,
    operation: Operation,
    digest: Option<Digest>,
    /// The digest belongs to a message in progress or to the algorithm, and cannot be changed.
    digest_fixed: bool,
    /// The algorithm's name determines everything; nothing can be set.
    composite: bool,
    /// The message so far, for operations on messages.
    hasher: Option<Hasher>,
    /// The signature to verify a message with.
    signature: Option<Vec<u8>>,
    scheme: S,
}

impl<S> Object for Context<S> {
    fn host(&self) -> &Host {
        self.provider.host()
    }
}

impl<S: Scheme> Context<S> {
    pub(super) fn new(provider: Arc<Provider>) -> Self {
        Self {
            provider,
            key: None,
            operation: Operation::Sign,
            digest: None,
            digest_fixed: false,
            composite: false,
            hasher: None,
            signature: None,
            scheme: S::default(),
        }
    }

    fn key(&self) -> Result<&Arc<KeyObject>> {
        self.key.as_ref().ok_or_else(|| Error::argument("no key set"))
    }

    fn start(&mut self, operation: Operation, key: Option<Arc<KeyObject>>) -> Result<()> {
        if let Some(key) = key {
            if key.kind() != S::KEY_TYPE {
                return Err(Error::argument(format!(
                    "the operation requires an {} key, and this key is {}",
                    S::KEY_TYPE.name(),
                    key.kind().name()
                )));
            }
            self.key = Some(key);
        }
        let key = self.key()?;
        if operation == Operation::Sign {
            key.private()?;
        } else if key.foreign().is_none() {
            key.require_public()?;
        }
        self.operation = operation;
        self.digest_fixed = false;
        self.composite = false;
        self.hasher = None;
        self.signature = None;
        self.scheme = S::default();
        Ok(())
    }

    /// Starts an operation on precomputed digests.
    pub(super) fn init(
        &mut self,
        operation: Operation,
        key: Option<Arc<KeyObject>>,
        params: Params<'_>,
    ) -> Result<()> {
        self.start(operation, key)?;
        self.set(params)
    }

    /// Starts an operation on messages. Without a digest, uses the previous one or the key's
    /// default.
    pub(super) fn digest_init(
        &mut self,
        operation: Operation,
        digest: Option<&str>,
        key: Option<Arc<KeyObject>>,
        params: Params<'_>,
    ) -> Result<()> {
        self.start(operation, key)?;
        let digest = match digest.filter(|name| !name.is_empty()) {
            Some(name) => Digest::from_name(name)?,
            None => self.digest.unwrap_or(Digest::Sha256),
        };
        self.digest = Some(digest);
        self.digest_fixed = true;
        self.set(params)?;
        self.hasher = Some(self.new_hasher(digest)?);
        Ok(())
    }

    /// Starts an operation of an algorithm with a digest in its name, on messages or on precomputed
    /// digests.
    pub(super) fn composite_init(
        &mut self,
        operation: Operation,
        digest: Digest,
        message: bool,
        key: Option<Arc<KeyObject>>,
        params: Params<'_>,
    ) -> Result<()> {
        self.start(operation, key)?;
        self.digest = Some(digest);
        self.digest_fixed = true;
        self.composite = true;
        self.hasher = message.then(|| self.new_hasher(digest)).transpose()?;
        self.set(params)
    }

    fn new_hasher(&self, digest: Digest) -> Result<Hasher> {
        // Under `fips=yes`, messages are hashed only in the host's validated module.
        if self.provider.fips() {
            return fips::hasher(self.provider.host(), digest);
        }
        Ok(digest.hasher())
    }

    /// Whether a signature can be set to verify the current message with.
    fn takes_signature(&self) -> bool {
        self.composite && self.operation == Operation::Verify && self.hasher.is_some()
    }

    /// The parameters that can be set now.
    pub(super) fn settable(&self) -> &'static [Param] {
        match (self.composite, self.digest_fixed) {
            (true, _) if self.takes_signature() => S::SETTABLE_IN_COMPOSITE,
            (true, _) => &S::SETTABLE_IN_COMPOSITE[1..],
            (false, true) => S::SETTABLE_BUT_DIGEST,
            (false, false) => S::SETTABLE,
        }
    }

    /// Sets parameters.
    pub(super) fn set(&mut self, params: Params<'_>) -> Result<()> {
        if self.composite {
            if let Some(signature) = params.get(names::SIGNATURE)
                && self.takes_signature()
            {
                self.signature = Some(signature.octets()?.to_vec());
            }
            self.scheme.set_in_composite(self.operation, params)?;
            return self.check();
        }
        if let Some(name) = params.get(names::DIGEST) {
            let digest = Digest::from_name(name.utf8()?)?;
            if self.digest_fixed && self.digest != Some(digest) {
                return Err(Error::argument(format!(
                    "the digest is {} and cannot become {} while a message is being hashed",
                    self.digest.map_or("none", Digest::display),
                    digest.display()
                )));
            }
            self.digest = Some(digest);
        }
        let mut digest = self.digest;
        self.scheme.set(self.operation, &mut digest, params)?;
        self.digest = digest;
        self.check()
    }

    fn check(&self) -> Result<()> {
        match &self.key {
            Some(key) if self.operation == Operation::Sign => {
                self.scheme.check_sign(key, self.digest)
            }
            _ => Ok(()),
        }
    }

    /// Returns parameters.
    pub(super) fn answer(&self, answers: &mut Answers<'_>) -> Result<()> {
        if answers.wants(names::ALGORITHM_ID) {
            let digest = self.digest.ok_or_else(|| Error::argument("no digest set"))?;
            let der = self.scheme.algorithm_id(self.operation, digest)?;
            answers.octets(names::ALGORITHM_ID, &der)?;
        }
        let len = self.scheme.tbs_len(self.digest).unwrap_or(0);
        answers.integer(names::DIGEST_SIZE, u64::try_from(len).unwrap_or(0))?;
        answers.utf8_static(names::DIGEST, self.digest.map_or(c"", Digest::name))?;
        self.scheme.answer(self.operation, self.digest, answers)
    }

    /// Adds data to the message.
    pub(super) fn update(&mut self, data: &[u8]) -> Result<()> {
        let hasher = self.hasher.as_mut();
        hasher.ok_or_else(|| Error::argument("no message was started"))?.update(data);
        Ok(())
    }

    /// Signs a precomputed digest, or a whole message.
    pub(super) fn sign(&mut self, out: Output<'_>, tbs: &[u8]) -> Result<()> {
        if self.hasher.is_some() {
            return self.sign_message(out, Some(tbs));
        }
        if out.room().is_some()
            && let Some(len) = self.scheme.tbs_len(self.digest)
            && tbs.len() != len
        {
            return Err(Error::argument(format!(
                "a {} digest has {len} bytes, not {}",
                self.digest.map_or("raw", Digest::display),
                tbs.len()
            )));
        }
        self.sign_into(out, || Ok(tbs.to_vec()))
    }

    /// Signs the message; `rest` is its last part. A failed call can be repeated.
    pub(super) fn sign_message(&mut self, out: Output<'_>, rest: Option<&[u8]>) -> Result<()> {
        let asked_for_size = out.room().is_none();
        self.sign_into(out, || self.message(rest))?;
        if !asked_for_size {
            self.hasher = None;
        }
        Ok(())
    }

    /// The digest of the message.
    fn message(&self, rest: Option<&[u8]>) -> Result<Vec<u8>> {
        let hasher = self.hasher.clone();
        let mut hasher = hasher.ok_or_else(|| Error::argument("no message was started"))?;
        hasher.update(rest.unwrap_or_default());
        Ok(hasher.finish())
    }

    fn sign_into(&self, out: Output<'_>, tbs: impl FnOnce() -> Result<Vec<u8>>) -> Result<()> {
        let key = self.key()?;
        if self.operation != Operation::Sign {
            return Err(Error::argument("the context was not initialised for signing"));
        }
        let max_len = self.scheme.max_len(key)?;
        out.produce(max_len, || {
            let signing = deep(|| self.scheme.start_sign(key, self.digest, &tbs()?))?;
            signing.wait()
        })
    }

    /// Verifies a signature of a precomputed digest, or of a whole message.
    pub(super) fn verify(&mut self, signature: &[u8], tbs: &[u8]) -> Result<()> {
        if self.hasher.is_some() {
            return self.verify_message(signature, Some(tbs));
        }
        self.verify_digest(signature, tbs)
    }

    fn verify_digest(&self, signature: &[u8], tbs: &[u8]) -> Result<()> {
        if self.operation != Operation::Verify {
            return Err(Error::argument("the context was not initialised for verification"));
        }
        if self.scheme.tbs_len(self.digest).is_some_and(|len| len != tbs.len()) {
            return Err(Error::Silent);
        }
        self.scheme.verify(self.key()?, self.digest, tbs, signature)
    }

    /// Verifies a signature of the message; `rest` is its last part.
    pub(super) fn verify_message(&mut self, signature: &[u8], rest: Option<&[u8]>) -> Result<()> {
        let tbs = self.message(rest)?;
        self.hasher = None;
        self.verify_digest(signature, &tbs)
    }

    /// Verifies the signature that was set for the message.
    pub(super) fn verify_message_final(&mut self) -> Result<()> {
        let signature = self.signature.take().ok_or_else(|| {
            Error::argument("no signature to verify; EVP_PKEY_CTX_set_signature() sets it")
        })?;
        self.verify_message(&signature, None)
    }

    /// Returns the signed data.
    pub(super) fn verify_recover(&self, out: Output<'_>, signature: &[u8]) -> Result<()> {
        let key = self.key()?;
        if out.room().is_none() {
            out.answer_len(self.scheme.max_len(key)?);
            return Ok(());
        }
        let recovered = self.scheme.recover(key, self.digest, signature)?;
        if out.write(&recovered) {
            Ok(())
        } else {
            Err(Error::argument(format!("the buffer is too small for {} bytes", recovered.len())))
        }
    }
}
