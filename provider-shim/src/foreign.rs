//! Keys of the host's other providers in our key objects.
//!
//! If a property query prefers our provider, libcrypto generates every RSA and EC key with it and
//! with no other, including the ephemeral keys of TLS. Keys outside a vault are therefore generated
//! by another provider, and we forward the operations on them.
//!
//! A user who expects a key in a vault must not end up with one in a file. Our encoders do not
//! write these keys, and so neither do `genpkey` and `req`. This does not protect the key: programs
//! can read all of its parts, as TLS requires.

use std::sync::OnceLock;

use akv_core::{Curve, EcPublicKey, PublicKey, RsaPublicKey};
use ossl_abi::entry::CoreCallback;
use ossl_abi::host::{Check, HostKey, HostKeys};
use ossl_abi::names;
use ossl_abi::params::{Answers, Params, Values};
use ossl_abi::types::DataType;
use zeroize::Zeroizing;

use crate::curve::curve_of;
use crate::error::{Error, Result};
use crate::key_type::KeyType;
use crate::selection::Selection;

/// How to generate the key instead.
pub(crate) const ADVICE: &str = "set -pkeyopt akv-name:vault:NAME:KEY. For a key outside a vault, \
    remove 'provider=akv_provider' from the property query and from default_properties, or \
    use the query '?provider=default' for this key";

/// A key of another provider. If an operation fails, that provider's errors are in the queue.
pub(crate) struct ForeignKey {
    key: HostKey,
    kind: KeyType,
    has_private: bool,
    /// The key was imported from a file or from numbers, so it may be written like any other.
    imported: bool,
    /// The public half, once it is available in a supported format.
    public: OnceLock<PublicKey>,
}

impl ForeignKey {
    pub(crate) fn new(key: HostKey, kind: KeyType, has_private: bool) -> Self {
        Self { key, kind, has_private, imported: false, public: OnceLock::new() }
    }

    /// Imports a private key of the host into another provider.
    pub(crate) fn import(
        keys: &HostKeys,
        kind: KeyType,
        selection: Selection,
        params: Params<'_>,
    ) -> Option<Self> {
        let key = keys.import(kind.c_name(), selection.with_needed().bits(), params)?;
        Some(Self { imported: true, ..Self::new(key, kind, true) })
    }

    pub(crate) fn imported(&self) -> bool {
        self.imported
    }

    pub(crate) fn has_private(&self) -> bool {
        self.has_private
    }

    pub(crate) fn has_public(&self) -> bool {
        match self.kind {
            KeyType::Rsa => self.key.bignum(names::RSA_N).is_some(),
            KeyType::Ec => self.key.get(names::PUB_KEY, DataType::OctetString).is_some(),
        }
    }

    /// The public half, if vaults support its type and curve.
    pub(crate) fn public(&self) -> Option<&PublicKey> {
        // libcrypto 3.0.2 crashes if the point of a key without a public half is requested.
        if self.public.get().is_none() && self.has_public() {
            let key = match self.kind {
                KeyType::Rsa => {
                    let n = self.key.bignum(names::RSA_N)?;
                    let e = self.key.bignum(names::RSA_E)?;
                    PublicKey::Rsa(RsaPublicKey::new(&n, &e).ok()?)
                }
                KeyType::Ec => {
                    let point = self.key.get(names::ENCODED_PUBLIC_KEY, DataType::OctetString)?;
                    PublicKey::Ec(EcPublicKey::from_point(self.curve()?, &point).ok()?)
                }
            };
            // Another thread may have been faster, with the same value.
            _ = self.public.set(key);
        }
        self.public.get()
    }

    /// The curve, if vaults support it.
    pub(crate) fn curve(&self) -> Option<Curve> {
        curve_of(&self.group()?)
    }

    /// The name of the group.
    pub(crate) fn group(&self) -> Option<String> {
        String::from_utf8(self.key.get(names::GROUP_NAME, DataType::Utf8String)?).ok()
    }

    pub(crate) fn max_size(&self) -> Result<usize> {
        self.key.max_size().ok_or_else(|| Error::argument("the key object is empty"))
    }

    pub(crate) fn answer(&self, answers: &mut Answers<'_>) -> Result<()> {
        done(self.key.answer(answers))
    }

    /// Sets parameters. An existing public half cannot be changed.
    pub(crate) fn set(&self, params: Params<'_>) -> Result<()> {
        let half =
            [names::ENCODED_PUBLIC_KEY, names::PUB_KEY].iter().any(|n| params.get(n).is_some());
        if half && self.has_public() {
            return Err(Error::argument("this key already has a public half"));
        }
        done(self.key.set(params))
    }

    pub(crate) fn export(&self, selection: Selection, callback: CoreCallback<'_>) -> bool {
        self.key.export(selection.with_needed().bits(), callback)
    }

    /// A key with the selected parts that exist. `None` if nothing is selected.
    pub(crate) fn part(&self, selection: Selection) -> Result<Option<Self>> {
        let selection = selection.within(self.has_public(), self.has_private);
        let key = if selection.private() && selection.public() {
            self.key.duplicate()
        } else if self.kind == KeyType::Rsa && !selection.key_pair() {
            return Ok(None);
        } else {
            self.key.part(self.kind.c_name(), selection.bits())
        };
        let part = Self::new(key.ok_or(Error::Silent)?, self.kind, selection.private());
        Ok(Some(Self { imported: self.imported, ..part }))
    }

    pub(crate) fn matches(&self, other: &Self, selection: Selection) -> bool {
        (!selection.key_pair() || self.key.equals(&other.key))
            && (!selection.domain() || self.key.parameters_equal(&other.key))
    }

    pub(crate) fn check(&self, selection: Selection) -> bool {
        let checks = [
            (selection.private() && selection.public(), Check::Pair),
            (selection.private(), Check::Private),
            (selection.public(), Check::Public),
            (selection.domain() && self.kind == KeyType::Ec, Check::Parameters),
        ];
        checks.iter().filter(|(wanted, _)| *wanted).all(|(_, check)| self.key.check(*check))
    }

    pub(crate) fn sign(&self, settings: Values, tbs: &[u8]) -> Result<Vec<u8>> {
        self.key.sign(&settings.build(), tbs).ok_or(Error::Silent)
    }

    pub(crate) fn encrypt(&self, settings: Values, plaintext: &[u8]) -> Result<Vec<u8>> {
        self.key.encrypt(&settings.build(), plaintext).ok_or(Error::Silent)
    }

    /// An invalid signature is not an error and pushes nothing.
    pub(crate) fn verify(&self, settings: Values, tbs: &[u8], signature: &[u8]) -> Result<()> {
        done(self.key.verify(&settings.build(), tbs, signature))
    }

    pub(crate) fn decrypt(
        &self,
        settings: Values,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>> {
        let plaintext = self.key.decrypt(&settings.build(), ciphertext);
        plaintext.map(Zeroizing::new).ok_or(Error::Silent)
    }
}

fn done(done: bool) -> Result<()> {
    if done { Ok(()) } else { Err(Error::Silent) }
}
