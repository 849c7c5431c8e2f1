//! Key generation, in a vault if one is named.
//!
//! libcrypto only gets here if a property query names this provider. With a query for all
//! algorithms, such as `?provider=akv_provider`, programs also generate keys of the host, for
//! example for the TLS key exchange. Without a vault option, another provider therefore generates
//! the key (see [`crate::foreign`]).

use std::ffi::{c_int, c_void};
use std::sync::Arc;

use ossl_abi::guard::Object;
use ossl_abi::host::{Generate, KeyGenerator};
use ossl_abi::names;
use ossl_abi::params::{Params, Values};
use ossl_abi::types::Param;
use ossl_abi::{Host, entry};

use super::Kind;
use crate::curve::group_name;
use crate::error::{Error, Result};
use crate::foreign::ForeignKey;
use crate::key::{KeyObject, Material};
use crate::key_type::KeyType;
use crate::new_key::{Description, is_for_vaults, refuse_existing};
use crate::provider::Provider;
use crate::selection::Selection;

/// A key generation in progress.
pub(super) struct Generator {
    provider: Arc<Provider>,
    kind: KeyType,
    target: Generate,
    /// A parameter was set that applies only to vault keys.
    of_vault: bool,
    description: Description,
    /// Why the parameters are invalid for a vault key. Not reported before a vault is named.
    refusal: Option<Error>,
    /// The generator of another provider, as long as it accepts all parameters.
    foreign: Option<KeyGenerator>,
}

impl Object for Generator {
    fn host(&self) -> &Host {
        self.provider.host()
    }
}

impl Generator {
    fn new(provider: Arc<Provider>, kind: KeyType, target: Generate) -> Self {
        let foreign = provider.host().quietly(|| {
            let keys = provider.host_keys()?;
            keys.generator(kind.c_name(), target)
        });
        let description = Description::default();
        Self { provider, kind, target, of_vault: false, description, refusal: None, foreign }
    }

    /// Accepts parameters, which may be meant for a vault or for another provider.
    fn set(&mut self, params: Params<'_>) -> Result<()> {
        self.of_vault |= params.iter().any(|value| is_for_vaults(value.name()));
        let client = self.provider.client();
        let set = client.and_then(|client| self.description.set(client, params));
        if let Some(generator) = &mut self.foreign
            && !self.provider.host().quietly(|| generator.set(params))
        {
            self.foreign = None;
        }
        // Reports an earlier error now if it applies. After it is reported, the user may correct
        // the parameter.
        let refusal = self.refusal.take().or(set.err());
        match refusal {
            Some(error) if self.of_vault || self.foreign.is_none() => Err(error),
            refusal => {
                self.refusal = refusal;
                Ok(())
            }
        }
    }

    fn copy_template(&mut self, template: &KeyObject) {
        self.description.copy_template(template);
        // A template from a vault must not result in a key outside a vault.
        self.of_vault |= template.vault_key().is_some();
        let group = match (template.curve(), template.foreign()) {
            (Some(curve), _) => group_name(curve).to_str().ok().map(str::to_owned),
            (None, Some(foreign)) => foreign.group(),
            (None, None) => None,
        };
        if let (Some(generator), Some(group)) = (&mut self.foreign, group) {
            let group = Values::new().utf8(names::GROUP_NAME, &group).build();
            // An unsupported group is reported when the key is generated.
            self.provider.host().quietly(|| generator.set(group.params()));
        }
    }

    fn generate(&mut self) -> Result<Arc<KeyObject>> {
        match &mut self.foreign {
            Some(generator) if !self.of_vault => {
                let key = generator.generate().ok_or(Error::Silent)?;
                let key = ForeignKey::new(key, self.kind, self.target == Generate::Pair);
                let provider = Arc::clone(&self.provider);
                Ok(Arc::new(KeyObject::new(provider, self.kind, Material::Foreign(key))))
            }
            _ if self.target == Generate::Parameters => Err(Error::unsupported(
                "akv_provider generates keys in vaults, but no parameters without a key",
            )),
            _ => self.generate_in_vault(),
        }
    }

    fn generate_in_vault(&self) -> Result<Arc<KeyObject>> {
        let reference = self.description.reference()?;
        let key = self.description.key(self.kind)?;
        key.check(reference.kind())?;
        let vault = self.provider.client()?.vault(&reference.vault())?;
        if !self.description.new_version() {
            refuse_existing(&self.provider, reference)?;
        }
        let name = reference.key_name().unwrap_or_default();
        let key = vault.create(name, key)?;
        Ok(Arc::new(KeyObject::vault(Arc::clone(&self.provider), self.kind, key)))
    }
}

entry! {
    pub(super) fn init<K: Kind>(
        "keymgmt gen_init",
        provider: &Arc<Provider>,
        selection: Selection as c_int,
        params: Params,
    ) -> Result<Box<Generator>> {
        let target = if selection.key_pair() { Generate::Pair } else { Generate::Parameters };
        let mut generator = Generator::new(Arc::clone(provider), K::TYPE, target);
        generator.set(params)?;
        Ok(Box::new(generator))
    }
}

entry! {
    /// For a vault key, parameters take precedence over the template, whatever the order. For other
    /// keys the template does, as with the default provider.
    pub(super) fn set_template(
        "keymgmt gen_set_template",
        generator: &mut Generator,
        template: Option<Arc<KeyObject>>,
    ) -> Result<()> {
        if let Some(template) = template {
            generator.copy_template(&template);
        }
        Ok(())
    }
}

entry! {
    pub(super) fn set_params(
        "keymgmt gen_set_params",
        generator: &mut Generator,
        params: Params,
    ) -> Result<()> {
        generator.set(params)
    }
}

pub(super) extern "C" fn settable_params<K: Kind>(
    _genctx: *mut c_void,
    _provctx: *mut c_void,
) -> *const Param {
    K::NEW_KEY.as_ptr()
}

entry! {
    /// No progress is reported: there is only one request.
    pub(super) fn generate(
        "keymgmt gen",
        generator: &mut Generator,
        _callback: Option<Callback>,
    ) -> Result<Arc<KeyObject>> {
        generator.generate()
    }
}

entry! {
    pub(super) fn cleanup(generator: Box<Generator>);
}
