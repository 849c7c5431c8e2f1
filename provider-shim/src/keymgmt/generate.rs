//! Making keys: in a vault, when it is said where.
//!
//! Nobody gets here without asking for this provider by name. Who does so for everything, by
//! `?provider=akv_provider`, wants keys of the host's own too, of TLS's key exchange for instance:
//! without a word of a vault another provider makes the key (see [`crate::foreign`]).

use super::Kind;
use crate::curve::group_name;
use crate::error::{Error, Result};
use crate::foreign::ForeignKey;
use crate::key::{KeyObject, Material};
use crate::key_type::KeyType;
use crate::new_key::{Description, is_for_vaults, refuse_existing};
use crate::provider::Provider;
use crate::selection::Selection;
use ossl_abi::guard::Object;
use ossl_abi::host::{Maker, Making};
use ossl_abi::names;
use ossl_abi::params::{Params, Values};
use ossl_abi::types::Param;
use ossl_abi::{Host, entry};
use std::ffi::{c_int, c_void};
use std::sync::Arc;

/// The making of a key.
pub(super) struct Generator {
    provider: Arc<Provider>,
    kind: KeyType,
    making: Making,
    /// Something was said that is for keys in vaults only.
    of_vault: bool,
    description: Description,
    /// Why the description is none of a key in a vault, which is not told before a vault is named.
    refusal: Option<Error>,
    /// Another provider's maker, as long as what was said is to its liking.
    foreign: Option<Maker>,
}

impl Object for Generator {
    fn host(&self) -> &Host {
        self.provider.host()
    }
}

impl Generator {
    fn new(provider: Arc<Provider>, kind: KeyType, making: Making) -> Self {
        let foreign = provider.host().quietly(|| {
            let keys = provider.host_keys()?;
            keys.maker(kind.c_name(), making)
        });
        let description = Description::default();
        Self { provider, kind, making, of_vault: false, description, refusal: None, foreign }
    }

    /// Takes parameters over, which may be meant for a vault or for another provider.
    fn set(&mut self, params: Params<'_>) -> Result<()> {
        self.of_vault |= params.iter().any(|value| is_for_vaults(value.name()));
        let client = self.provider.client();
        let set = client.and_then(|client| self.description.set(client, params));
        if let Some(maker) = &mut self.foreign
            && !self.provider.host().quietly(|| maker.set(params))
        {
            self.foreign = None;
        }
        // What was not told before is told now; what is told can be mended.
        let refusal = self.refusal.take().or(set.err());
        match refusal {
            Some(error) if self.of_vault || self.foreign.is_none() => Err(error),
            refusal => {
                self.refusal = refusal;
                Ok(())
            }
        }
    }

    fn like(&mut self, template: &KeyObject) {
        self.description.like(template);
        // Whoever wants a key like one in a vault is not to get another.
        self.of_vault |= template.vault_key().is_some();
        let group = match (template.curve(), template.foreign()) {
            (Some(curve), _) => group_name(curve).to_str().ok().map(str::to_owned),
            (None, Some(foreign)) => foreign.group(),
            (None, None) => None,
        };
        if let (Some(maker), Some(group)) = (&mut self.foreign, group) {
            let group = Values::new().utf8(names::GROUP_NAME, &group).build();
            // One that it does not know shows when the key is made.
            self.provider.host().quietly(|| maker.set(group.params()));
        }
    }

    fn generate(&mut self) -> Result<Arc<KeyObject>> {
        match &mut self.foreign {
            Some(maker) if !self.of_vault => {
                let key = maker.make().ok_or(Error::Silent)?;
                let key = ForeignKey::new(key, self.kind, self.making == Making::Pair);
                let provider = Arc::clone(&self.provider);
                Ok(Arc::new(KeyObject::new(provider, self.kind, Material::Foreign(key))))
            }
            _ if self.making == Making::Parameters => Err(Error::unsupported(
                "akv_provider makes keys in vaults, but no parameters without a key",
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
        let making = if selection.key_pair() { Making::Pair } else { Making::Parameters };
        let mut generator = Generator::new(Arc::clone(provider), K::TYPE, making);
        generator.set(params)?;
        Ok(Box::new(generator))
    }
}

entry! {
    /// For a key in a vault, what is set wins over the template, before it or after. For others the
    /// template does, as with the default provider.
    pub(super) fn set_template(
        "keymgmt gen_set_template",
        generator: &mut Generator,
        template: Option<Arc<KeyObject>>,
    ) -> Result<()> {
        if let Some(template) = template {
            generator.like(&template);
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
    /// Progress is not told: there is nothing between the request and its answer.
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
