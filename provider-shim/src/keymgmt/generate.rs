//! Making keys in a vault.
//!
//! Nobody gets here without asking for this provider by name, and nothing is made without the name
//! of a key: hosts make keys of their own with other providers.

use super::{Kind, Selection, new_key::Description};
use crate::error::{Error, Result};
use crate::key::{KeyObject, KeyType};
use crate::provider::Provider;
use akv_core::{ErrorKind, KeyReference};
use ossl_abi::Host;
use ossl_abi::guard::{self, Object};
use ossl_abi::params::Params;
use ossl_abi::types::{Callback, Param};
use std::ffi::{c_int, c_void};
use std::sync::Arc;

/// The making of a key.
struct Generator {
    provider: Arc<Provider>,
    kind: KeyType,
    description: Description,
}

impl Object for Generator {
    fn host(&self) -> &Host {
        self.provider.host()
    }
}

impl Generator {
    fn generate(&self) -> Result<Arc<KeyObject>> {
        let reference = self.description.reference()?;
        let key = self.description.key(self.kind)?;
        key.check(reference.kind())?;
        let vault = self.provider.client()?.vault(&reference.vault())?;
        if !self.description.new_version() {
            refuse_existing(&self.provider, reference)?;
        }
        let name = reference.key_name().unwrap_or_default();
        let key = vault.create(name, key)?;
        Ok(Arc::new(KeyObject::vault(Arc::clone(&self.provider), key)))
    }
}

/// A name that is taken would get a new version: what uses the key without naming a version would
/// change over to it.
pub(crate) fn refuse_existing(provider: &Provider, reference: &KeyReference) -> Result<()> {
    match provider.client()?.any_key(reference) {
        Ok(_) => {}
        Err(error) if error.status() == Some(404) => return Ok(()),
        Err(error) if error.code() == Some("KeyDisabled") => {}
        Err(error) => {
            let blind = error.status() == Some(403);
            let mut error = Error::from(error);
            if blind {
                error.add("with akv-new-version:yes nobody looks whether there is such a key");
            }
            return Err(error);
        }
    }
    Err(Error::Raised(
        ErrorKind::Argument,
        format!(
            "{reference} exists already; choose another name, or give it a new version with \
             akv-new-version:yes"
        ),
    ))
}

pub(super) unsafe extern "C" fn init<K: Kind>(
    provctx: *mut c_void,
    selection: c_int,
    params: *const Param,
) -> *mut c_void {
    let body = |_: &Provider| -> Result<Box<Generator>> {
        if !Selection::from_raw(selection).key_pair() {
            return Err(Error::unsupported(
                "akv_provider makes keys in vaults, but no parameters without a key",
            ));
        }
        // SAFETY: the guard has seen that it is not null; the core passes the provider context.
        let provider: Arc<Provider> = unsafe { guard::clone_arc(provctx) }.ok_or(Error::Silent)?;
        let mut description = Description::default();
        // SAFETY: the core passes null or a parameter array.
        description.set(provider.client()?, unsafe { Params::from_ptr(params) })?;
        Ok(Box::new(Generator { provider, kind: K::TYPE, description }))
    };
    // SAFETY: the core passes the provider context.
    unsafe { guard::shared("keymgmt gen_init", provctx, body) }
}

/// What is set later wins over the template, and what was set before does too.
pub(super) unsafe extern "C" fn set_template(genctx: *mut c_void, template: *mut c_void) -> c_int {
    let body = |generator: &mut Generator| -> Result<()> {
        // SAFETY: the core passes null or a key object of ours.
        if let Some(template) = unsafe { template.cast::<KeyObject>().as_ref() } {
            generator.description.like(template);
        }
        Ok(())
    };
    // SAFETY: the core passes our generator, which one thread uses at a time.
    unsafe { guard::exclusive("keymgmt gen_set_template", genctx, body) }
}

pub(super) unsafe extern "C" fn set_params(genctx: *mut c_void, params: *const Param) -> c_int {
    let body = |generator: &mut Generator| -> Result<()> {
        // SAFETY: the core passes null or a parameter array.
        let params = unsafe { Params::from_ptr(params) };
        generator.description.set(generator.provider.client()?, params)
    };
    // SAFETY: the core passes our generator, which one thread uses at a time.
    unsafe { guard::exclusive("keymgmt gen_set_params", genctx, body) }
}

pub(super) unsafe extern "C" fn settable_params<K: Kind>(
    _genctx: *mut c_void,
    _provctx: *mut c_void,
) -> *const Param {
    K::NEW_KEY.as_ptr()
}

/// Progress is not told: there is nothing between the request and its answer.
pub(super) unsafe extern "C" fn generate(
    genctx: *mut c_void,
    _callback: Option<Callback>,
    _arg: *mut c_void,
) -> *mut c_void {
    let body = |generator: &mut Generator| generator.generate();
    // SAFETY: the core passes our generator, which one thread uses at a time.
    unsafe { guard::exclusive("keymgmt gen", genctx, body) }
}

pub(super) unsafe extern "C" fn cleanup(genctx: *mut c_void) {
    // SAFETY: the core gives back what `init` gave it.
    unsafe { guard::free_box::<Generator>(genctx) };
}
