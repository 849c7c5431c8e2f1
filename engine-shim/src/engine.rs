//! The ENGINE: settings, initialisation, key loading.

use std::ffi::{CStr, CString, c_int, c_long, c_uint, c_void};
use std::ptr;
use std::sync::Arc;

use akv_core::blocking::{Client, Key, Pending};
use legacy_abi::libcrypto::Owned;
use legacy_abi::libcrypto::constants::nid;
use legacy_abi::libcrypto::types::{
    Engine, EngineControlFn, EngineFn, LoadKeyFn, Pkey, PkeyAsn1Method, PkeyAsn1MethodsFn,
    PkeyMethod, PkeyMethodsFn, UiMethod,
};
use legacy_abi::{Error, Result, job};
use ossl_abi::entry;
use ossl_abi::guard::{self, deep};
use ossl_abi::job::Jobs;

use crate::configuration::Configuration;
use crate::controls::Control;
use crate::host::{Host, SLOTS, per_slot};
use crate::{key, key_file};

/// The id of the engine, unless it is bound with another one.
pub(crate) const ID: &CStr = c"e_akv";

const NAME: &CStr = c"Azure Key Vault and Managed HSM engine";

/// Prefix of key strings for programs that accept no others, such as Apache. They also request an
/// engine with this id.
const PKCS11: &str = "pkcs11:";

/// One ENGINE object.
pub(crate) struct State {
    /// libcrypto keeps a pointer to it.
    id: CString,
    /// The method that reads key files. The ENGINE frees it before the state is dropped.
    key_files: *mut PkeyAsn1Method,
    configuration: Configuration,
}

// SAFETY: the method is only passed to libcrypto, which does not change it.
unsafe impl Send for State {}
// SAFETY: as above.
unsafe impl Sync for State {}

impl State {
    fn new(id: &CStr, key_files: *mut PkeyAsn1Method, jobs: Option<Jobs>) -> Self {
        Self { id: id.to_owned(), key_files, configuration: Configuration::new(jobs) }
    }

    /// The state of an ENGINE.
    ///
    /// # Safety
    /// `engine` is null or an ENGINE of this libcrypto, and stays alive during the call.
    pub(crate) unsafe fn of(host: &Host, engine: *mut Engine) -> Result<Arc<Self>> {
        if engine.is_null() {
            return Err(Error::null("engine"));
        }
        // SAFETY: guaranteed by the caller; the data under this index is ours.
        unsafe { guard::clone_arc((host.ENGINE_get_ex_data)(engine, host.indices.engine)) }
            .ok_or_else(|| Error::internal("the ENGINE has no state"))
    }

    /// The client for the current settings.
    pub(crate) fn client(&self) -> Result<Client> {
        self.configuration.client()
    }

    /// Starts loading the key for a reference.
    fn start_load(&self, text: Option<&str>) -> Result<Pending<Key>> {
        let text = text.ok_or_else(|| Error::argument("the key reference is null or not UTF-8"))?;
        let client = self.client()?;
        let reference = client.reference(text.strip_prefix(PKCS11).unwrap_or(text))?;
        Ok(client.start_key(&reference)?)
    }
}

/// Sets up an ENGINE object that libcrypto has just created.
///
/// # Safety
/// `engine` is that object, and nothing else uses it yet.
pub(crate) unsafe fn bind(host: &'static Host, engine: *mut Engine, id: &CStr) -> Result<()> {
    const INIT: [EngineFn; SLOTS] = per_slot!(init);
    const DESTROY: [EngineFn; SLOTS] = per_slot!(destroy);
    const CONTROL: [EngineControlFn; SLOTS] = per_slot!(control);
    const PRIVATE: [LoadKeyFn; SLOTS] = per_slot!(load_private);
    const PUBLIC: [LoadKeyFn; SLOTS] = per_slot!(load_public);
    const OPERATIONS: [PkeyMethodsFn; SLOTS] = per_slot!(operations);
    const KEY_FILES: [PkeyAsn1MethodsFn; SLOTS] = per_slot!(key_files);
    let key_file_method = key_file::method(host)?;
    let state = Arc::new(State::new(id, key_file_method.as_ptr(), host.jobs));
    let slot = host.slot;
    // SAFETY: libcrypto's functions with valid arguments. If the last of them returns 1, the ENGINE
    // owns the state, and `destroy` drops it. On failure libcrypto resets what was set before.
    unsafe {
        let set = (host.ENGINE_set_id)(engine, state.id.as_ptr()) == 1
            && (host.ENGINE_set_name)(engine, NAME.as_ptr()) == 1
            && (host.ENGINE_set_cmd_defns)(engine, host.commands.of(id).as_ptr()) == 1
            && (host.ENGINE_set_ctrl_function)(engine, CONTROL[slot]) == 1
            && (host.ENGINE_set_init_function)(engine, INIT[slot]) == 1
            && (host.ENGINE_set_load_privkey_function)(engine, PRIVATE[slot]) == 1
            && (host.ENGINE_set_load_pubkey_function)(engine, PUBLIC[slot]) == 1
            && (host.ENGINE_set_pkey_meths)(engine, OPERATIONS[slot]) == 1
            && (host.ENGINE_set_pkey_asn1_meths)(engine, KEY_FILES[slot]) == 1
            && (host.ENGINE_set_destroy_function)(engine, DESTROY[slot]) == 1;
        let state = Arc::into_raw(state).cast_mut().cast();
        if !set || (host.ENGINE_set_ex_data)(engine, host.indices.engine, state) != 1 {
            guard::free_arc::<State>(state);
            return Err(Error::libcrypto("ENGINE_set_id"));
        }
    }
    let _of_the_engine = key_file_method.into_raw();
    Ok(())
}

entry! {
    /// Reads the settings. Starts no thread and sends no request.
    fn init<const SLOT: usize>(
        "ENGINE_init",
        host in Host::at(SLOT),
        engine: *mut Engine,
    ) -> Result<()> {
        // SAFETY: libcrypto passes its ENGINE.
        unsafe { State::of(host, engine) }?.client().map(drop)
    }
}

/// Called for the last reference. Keys that are still in use hold their own reference to the
/// client.
unsafe extern "C" fn destroy<const SLOT: usize>(engine: *mut Engine) -> c_int {
    let Some(host) = Host::at(SLOT) else { return 0 };
    // SAFETY: libcrypto passes its ENGINE, whose reference to the state is dropped once.
    guard::uncancelled(|| unsafe {
        let state = (host.ENGINE_get_ex_data)(engine, host.indices.engine);
        (host.ENGINE_set_ex_data)(engine, host.indices.engine, ptr::null_mut());
        guard::free_arc::<State>(state);
    });
    1
}

entry! {
    fn control<const SLOT: usize>(
        "ENGINE_ctrl",
        host in Host::at(SLOT),
        engine: *mut Engine,
        command: c_int,
        number: c_long,
        pointer: *mut c_void,
        _function: Option<unsafe extern "C" fn()>,
    ) -> Result<()> {
        // SAFETY: libcrypto passes its ENGINE.
        let state = unsafe { State::of(host, engine) }?;
        match c_uint::try_from(command).ok().and_then(Control::from_number) {
            Some(Control::Setting(name)) => {
                // SAFETY: a command that takes a string comes with a C string.
                let value = unsafe { guard::text(pointer.cast_const().cast()) };
                let value = value.ok_or_else(|| {
                    Error::argument(format!("the value of the setting {name} is not UTF-8"))
                })?;
                state.configuration.set(name, value)
            }
            Some(Control::Debug) => {
                state.configuration.set("log-level", if number == 0 { "" } else { "2" })
            }
            Some(Control::Ignored) => Ok(()),
            None => Err(Error::unsupported(format!("control command {command}"))),
        }
    }
}

entry! {
    fn load_private<const SLOT: usize>(
        "ENGINE_load_private_key",
        host in Host::at(SLOT),
        engine: *mut Engine,
        text: Option<Text>,
        _ui: *mut UiMethod,
        _data: *mut c_void,
    ) -> Result<Owned<Pkey>>, waits {
        // SAFETY: libcrypto passes its ENGINE.
        let loading = deep(|| unsafe { State::of(host, engine) }?.start_load(text))?;
        let key = job::wait::<_, Error>(loading)?;
        // SAFETY: the key is loaded from this ENGINE, which is initialised.
        deep(|| unsafe { key::private(host, engine, Arc::new(key)) })
    }
}

entry! {
    fn load_public<const SLOT: usize>(
        "ENGINE_load_public_key",
        host in Host::at(SLOT),
        engine: *mut Engine,
        text: Option<Text>,
        _ui: *mut UiMethod,
        _data: *mut c_void,
    ) -> Result<Owned<Pkey>>, waits {
        // SAFETY: libcrypto passes its ENGINE.
        let loading = deep(|| unsafe { State::of(host, engine) }?.start_load(text))?;
        let key = job::wait::<_, Error>(loading)?;
        deep(|| key::public(host, key.public_key()))
    }
}

entry! {
    /// Returns the methods for operations with our keys. The list of key types is empty: otherwise
    /// an ENGINE set as default would also handle keys of others. For a key that belongs to the
    /// engine, libcrypto requests the method of its type without checking the list.
    fn operations<const SLOT: usize>(
        "ENGINE_get_pkey_meth",
        host in Host::at(SLOT),
        _engine: *mut Engine,
        method: Option<Place<*const PkeyMethod>>,
        types: Option<Place<*const c_int>>,
        wanted: c_int,
    ) -> c_int, or 0 {
        static NONE: [c_int; 1] = [nid::UNDEFINED];
        let Some(mut method) = method else {
            // libcrypto requests the list.
            if let Some(mut types) = types {
                types.set(NONE.as_ptr());
            }
            return 0;
        };
        let found = match wanted {
            nid::RSA => host.rsa_operation.ours,
            nid::EC => host.ec_operation,
            _ => ptr::null(),
        };
        method.set(found);
        (!found.is_null()).into()
    }
}

entry! {
    /// Returns the method that reads key files, for a single type: our own object identifier.
    fn key_files<const SLOT: usize>(
        "ENGINE_get_pkey_asn1_meth",
        host in Host::at(SLOT),
        engine: *mut Engine,
        method: Option<Place<*mut PkeyAsn1Method>>,
        types: Option<Place<*const c_int>>,
        wanted: c_int,
    ) -> c_int, or 0 {
        let Some(mut method) = method else {
            // libcrypto requests the list.
            if let Some(mut types) = types {
                types.set(&raw const host.key_file);
            }
            return 1;
        };
        // SAFETY: libcrypto passes its ENGINE.
        let state = unsafe { State::of(host, engine) }.ok().filter(|_| wanted == host.key_file);
        let found = state.map_or(ptr::null_mut(), |state| state.key_files);
        method.set(found);
        (!found.is_null()).into()
    }
}
