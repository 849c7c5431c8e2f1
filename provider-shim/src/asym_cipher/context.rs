//! The state of an operation, and its parameters.

use std::sync::Arc;

use akv_core::RsaPublicKey;
use ossl_abi::guard::Object;
use ossl_abi::params::{Answers, Params, Values};
use ossl_abi::{Host, names};

use super::oaep::Oaep;
use super::premaster::Versions;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::key::KeyObject;
use crate::key_type::KeyType;
use crate::provider::Provider;
use crate::rsa_public::Padding;

/// The state of an operation.
#[derive(Clone)]
pub(super) struct Context {
    provider: Arc<Provider>,
    key: Option<Arc<KeyObject>>,
    padding: Padding,
    oaep: Oaep,
    versions: Versions,
    /// Used only for foreign keys.
    implicit_rejection: Option<u32>,
}

impl Object for Context {
    fn host(&self) -> &Host {
        self.provider.host()
    }
}

impl Context {
    pub(super) fn new(provider: Arc<Provider>) -> Self {
        Self {
            provider,
            key: None,
            padding: Padding::Pkcs1,
            oaep: Oaep::default(),
            versions: Versions::default(),
            implicit_rejection: None,
        }
    }

    /// Starts an operation with this key, or restarts with the current one.
    pub(super) fn init(&mut self, key: Option<Arc<KeyObject>>, params: Params<'_>) -> Result<()> {
        if let Some(key) = key {
            if key.kind() != KeyType::Rsa {
                return Err(Error::argument("RSA encryption needs an RSA key"));
            }
            self.key = Some(key);
        }
        *self = Self { key: self.key.take(), ..Self::new(Arc::clone(&self.provider)) };
        self.public()?;
        self.set(params)
    }

    pub(super) fn key(&self) -> Result<&KeyObject> {
        self.key.as_deref().ok_or_else(|| Error::argument("no key set"))
    }

    pub(super) fn public(&self) -> Result<&RsaPublicKey> {
        let key = self.key()?.require_public()?.as_rsa();
        key.ok_or_else(|| Error::internal("not an RSA key in an RSA operation"))
    }

    /// The parameters for another provider.
    pub(super) fn foreign(&self) -> Values {
        let mut values = Values::new().int(names::PAD_MODE, self.padding.number());
        if let Some(digest) = self.oaep.digest {
            values = values.utf8(names::DIGEST, digest.display());
        }
        if let Some(mgf1) = self.oaep.mgf1 {
            values = values.utf8(names::MGF1_DIGEST, mgf1.display());
        }
        if !self.oaep.label.is_empty() {
            values = values.octets(names::OAEP_LABEL, &self.oaep.label);
        }
        for (name, value) in [
            (names::TLS_CLIENT_VERSION, Some(self.versions.client).filter(|version| *version != 0)),
            (
                names::TLS_NEGOTIATED_VERSION,
                Some(self.versions.negotiated).filter(|version| *version != 0),
            ),
            (names::IMPLICIT_REJECTION, self.implicit_rejection),
        ] {
            if let Some(value) = value {
                values = values.bignum(name, &value.to_be_bytes());
            }
        }
        values
    }

    pub(super) fn padding(&self) -> Padding {
        self.padding
    }

    pub(super) fn oaep(&self) -> &Oaep {
        &self.oaep
    }

    pub(super) fn versions(&self) -> Versions {
        self.versions
    }

    pub(super) fn set(&mut self, params: Params<'_>) -> Result<()> {
        if let Some(value) = params.get(names::PAD_MODE) {
            self.padding = match Padding::from_value(value)? {
                padding @ (Padding::Pkcs1 | Padding::Oaep | Padding::None | Padding::Tls) => {
                    padding
                }
                other => {
                    return Err(Error::argument(format!(
                        "RSA padding {} cannot be used for encryption; use pkcs1 or oaep",
                        other.name()
                    )));
                }
            };
            if self.padding == Padding::Oaep && self.oaep.digest.is_none() {
                self.oaep.digest = Some(Digest::Sha1);
            }
        }
        if let Some(value) = params.get(names::DIGEST) {
            self.oaep.digest = Some(Digest::from_name(value.utf8()?)?);
        }
        if let Some(value) = params.get(names::MGF1_DIGEST) {
            self.oaep.mgf1 = Some(Digest::from_name(value.utf8()?)?);
        }
        if let Some(value) = params.get(names::OAEP_LABEL) {
            self.oaep.label = value.octets()?.into();
        }
        if let Some(value) = params.get(names::TLS_CLIENT_VERSION) {
            self.versions.client = value.integer()?;
        }
        if let Some(value) = params.get(names::TLS_NEGOTIATED_VERSION) {
            self.versions.negotiated = value.integer()?;
        }
        // Callers that want errors for invalid padding switch it off, which matches the vault's
        // behaviour.
        if let Some(value) = params.get(names::IMPLICIT_REJECTION) {
            self.implicit_rejection = Some(value.integer()?);
        }
        let is_foreign = self.key.as_ref().is_some_and(|key| key.foreign().is_some());
        if self.implicit_rejection.is_some_and(|value| value != 0) && !is_foreign {
            self.implicit_rejection = None;
            return Err(Error::unsupported(
                "implicit rejection of PKCS#1 padding: it requires the private key itself, and the \
                 vault returns an error for invalid padding",
            ));
        }
        Ok(())
    }

    pub(super) fn answer(&self, answers: &mut Answers<'_>) -> Result<()> {
        self.padding.answer(answers)?;
        let name = |digest: Option<Digest>| digest.map_or(c"", Digest::name);
        answers.utf8_static(names::DIGEST, name(self.oaep.digest))?;
        answers.utf8_static(names::MGF1_DIGEST, name(self.oaep.mgf1.or(self.oaep.digest)))?;
        // SAFETY: libcrypto returns the pointer as belonging to the context, which keeps the label
        // until another one is set.
        unsafe { answers.octets_in_place(names::OAEP_LABEL, &self.oaep.label)? };
        answers.integer(names::TLS_CLIENT_VERSION, self.versions.client)?;
        answers.integer(names::TLS_NEGOTIATED_VERSION, self.versions.negotiated)?;
        answers.integer(names::IMPLICIT_REJECTION, self.implicit_rejection.unwrap_or(0))?;
        Ok(())
    }
}
