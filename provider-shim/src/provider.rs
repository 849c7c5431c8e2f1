//! The provider as a whole: loading, parameters, the list of operations.

use crate::children::{self, Children};
use crate::error::{Error, REASON_STRINGS, Result};
use crate::key::OBJECT_PKEY;
use crate::legacy::Importers;
use crate::precedence;
use crate::{
    asym_cipher, capabilities, decoder, encoder, fips, keymgmt, signature, store, symmetric,
};
use akv_core::blocking::Client;
use akv_core::{ErrorKind, Settings, settings};
use ossl_abi::functions::{operation, provider as id};
use ossl_abi::guard::{self, Object};
use ossl_abi::host::HostKeys;
use ossl_abi::params::{Answers, Values};
use ossl_abi::types::{Callback, DataType};
use ossl_abi::{Algorithm, CoreHandle, Dispatch, Host, Item, Param, names};
use std::ffi::{CStr, CString, c_int, c_void};
use std::ptr;
use std::sync::{Arc, OnceLock};

const NAME: &CStr = c"Azure Key Vault and Managed HSM provider";
const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => panic!("a version has no NUL"),
    };

/// One loading of the provider into one library context. Everything hangs on it; nothing of a
/// host is kept in statics.
pub(crate) struct Provider {
    host: Host,
    /// Or what is wrong with the settings.
    client: Result<Client>,
    /// The host can be asked for signature algorithms whose names say the digest.
    has_composites: bool,
    /// The host knows opaque symmetric keys.
    has_opaque_keys: bool,
    /// libssl asks whose key management is behind a TLS group.
    passes_groups_on: bool,
    /// Keys of other providers, when the host has functions for them.
    host_keys: OnceLock<Option<HostKeys>>,
    importers: Importers,
    children: Children<8>,
}

impl Object for Provider {
    fn host(&self) -> &Host {
        &self.host
    }
}

impl Provider {
    /// Reads the settings. Starts nothing: no thread, no request.
    ///
    /// A wrong setting is said when a key is wanted: libcrypto drops what goes wrong while it reads
    /// its configuration, and whoever then asks for a key hears of missing store loaders only.
    fn new(host: Host) -> Self {
        let client = read_settings(&host).and_then(|settings| {
            akv_core::logging::init(&settings)?;
            Ok(Client::new(settings))
        });
        // OpenSSL 3.4 brought the functions that take such an algorithm.
        let version = version(&host);
        let has_composites = version.is_some_and(|version| version >= (3, 4));
        let has_opaque_keys = version.is_some_and(|version| version >= (3, 5));
        let children = Children::new(FUNCTIONS);
        Self {
            host,
            client,
            has_composites,
            has_opaque_keys,
            passes_groups_on: version.is_none_or(|version| version < (3, 5)),
            host_keys: OnceLock::new(),
            importers: Importers::default(),
            children,
        }
    }

    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    /// Whether TLS groups of other providers' are ours to tell.
    pub(crate) fn passes_groups_on(&self) -> bool {
        self.passes_groups_on
    }

    /// Keys of other providers, when the host has functions for them.
    pub(crate) fn host_keys(&self) -> Option<&HostKeys> {
        let keys = || HostKeys::new(&self.host, precedence::OTHERS);
        self.host_keys.get_or_init(keys).as_ref()
    }

    /// What libcrypto makes old structures of keys with.
    pub(crate) fn importers(&self) -> &Importers {
        &self.importers
    }

    /// The client, unless a setting is wrong.
    pub(crate) fn client(&self) -> Result<&Client> {
        self.client.as_ref().map_err(Clone::clone)
    }

    /// Has the context that is loading an object get to know others' key managements before ours,
    /// by an object that nobody can decode: a child context could not be told otherwise.
    ///
    /// # Safety
    /// `callback` and `arg` are those that the core passed to the call that is going on.
    pub(crate) unsafe fn introduce_others(&self, callback: Callback, arg: *mut c_void) {
        if !self.children.exist() {
            return;
        }
        let nothing = Values::new()
            .int(names::OBJECT_TYPE, OBJECT_PKEY)
            .utf8(names::OBJECT_DATA_TYPE, "EC")
            .utf8(names::OBJECT_DATA_STRUCTURE, "nothing")
            .octets(names::OBJECT_DATA, &[0])
            .build();
        // SAFETY: vouched for by the caller; the array lives until the callback returns.
        self.host.quietly(|| unsafe { callback(nothing.as_ptr(), arg) });
    }

    /// Whether the administrator has declared that keys are in a validated HSM.
    pub(crate) fn fips(&self) -> bool {
        self.client.as_ref().is_ok_and(|client| client.settings().fips())
    }

    /// What there is for an operation.
    fn algorithms(&self, operation: c_int) -> &'static [Algorithm] {
        let algorithms = self.usual_algorithms(operation);
        if self.fips() && !algorithms.is_empty() { fips::declared(algorithms) } else { algorithms }
    }

    fn usual_algorithms(&self, operation: c_int) -> &'static [Algorithm] {
        match operation {
            operation::KEYMGMT => keymgmt::ALGORITHMS,
            operation::SIGNATURE => signature::algorithms(self.has_composites),
            operation::ASYM_CIPHER => asym_cipher::ALGORITHMS,
            operation::ENCODER => encoder::ALGORITHMS,
            operation::DECODER => decoder::ALGORITHMS,
            operation::STORE => store::ALGORITHMS,
            operation::SKEYMGMT if self.has_opaque_keys => symmetric::skeymgmt::ALGORITHMS,
            operation::CIPHER if self.has_opaque_keys => symmetric::cipher::ALGORITHMS,
            _ => &[],
        }
    }
}

/// The first two numbers of the host's version.
fn version(host: &Host) -> Option<(u32, u32)> {
    let answers = host.settings(&[names::CORE_VERSION]);
    let mut numbers = answers.first()?.as_deref()?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// The settings of the provider's `openssl.cnf` section, overridden by the environment.
fn read_settings(host: &Host) -> Result<Settings> {
    let names: Vec<CString> =
        settings::OPTIONS.iter().filter_map(|option| CString::new(option.name).ok()).collect();
    let names: Vec<&CStr> = names.iter().map(CString::as_c_str).collect();
    let mut builder = Settings::builder();
    for (option, value) in settings::OPTIONS.iter().zip(host.settings(&names)) {
        if let Some(value) = value {
            builder = builder.option(option.name, &value)?;
        }
    }
    Ok(builder.environment().build()?)
}

/// The entry point that libcrypto calls.
///
/// # Safety
/// Called by libcrypto's core, with its handle, its table of upcalls and room for the answers.
#[unsafe(no_mangle)]
unsafe extern "C" fn OSSL_provider_init(
    handle: *const CoreHandle,
    upcalls: *const Dispatch,
    out: *mut *const Dispatch,
    provctx: *mut *mut c_void,
) -> c_int {
    if out.is_null() || provctx.is_null() {
        return 0;
    }
    guard::quiet_panics();
    // SAFETY: handle and table are the core's and valid until the teardown.
    let host = unsafe { Host::new(handle, upcalls) };
    let provider = guard::run("OSSL_provider_init", &host, || -> Result<_> {
        Ok(Arc::new(Provider::new(host)))
    });
    if provider.is_null() {
        return 0;
    }
    // SAFETY: none is null, and the core gives room for one pointer each.
    unsafe {
        *provctx = provider;
        *out = (*provider.cast::<Provider>()).children.table();
    }
    1
}

const FUNCTIONS: [Dispatch; 8] = [
    id::TEARDOWN.entry(teardown),
    id::GETTABLE_PARAMS.entry(gettable_params),
    id::GET_PARAMS.entry(get_params),
    id::QUERY_OPERATION.entry(query_operation),
    id::GET_REASON_STRINGS.entry(reason_strings),
    id::GET_CAPABILITIES.entry(capabilities::get),
    id::SELF_TEST.entry(self_test),
    Dispatch::END,
];

unsafe extern "C" fn teardown(provctx: *mut c_void) {
    // SAFETY: the core gives back what `OSSL_provider_init` gave it, once. Keys and contexts that
    // are still alive have counts of their own.
    unsafe { guard::free_arc::<Provider>(provctx) };
}

unsafe extern "C" fn gettable_params(_provctx: *mut c_void) -> *const Param {
    static PARAMS: &[Param] = &[
        Param::describe(names::PROVIDER_NAME, DataType::Utf8Ptr),
        Param::describe(names::PROVIDER_VERSION, DataType::Utf8Ptr),
        Param::describe(names::PROVIDER_BUILDINFO, DataType::Utf8Ptr),
        Param::describe(names::PROVIDER_STATUS, DataType::Integer),
        Param::END,
    ];
    PARAMS.as_ptr()
}

unsafe extern "C" fn get_params(provctx: *mut c_void, params: *mut Param) -> c_int {
    let body = |provider: &Provider| -> Result<()> {
        // SAFETY: the core passes a parameter array to be answered.
        let mut answers = unsafe { Answers::from_ptr(params) };
        answers.utf8_static(names::PROVIDER_NAME, NAME)?;
        answers.utf8_static(names::PROVIDER_VERSION, VERSION)?;
        answers.utf8_static(names::PROVIDER_BUILDINFO, VERSION)?;
        answers.integer(names::PROVIDER_STATUS, i32::from(provider.client.is_ok()))?;
        Ok(())
    };
    // SAFETY: the core passes the provider context.
    unsafe { guard::shared("provider parameters", provctx, body) }
}

unsafe extern "C" fn query_operation(
    provctx: *mut c_void,
    operation: c_int,
    no_cache: *mut c_int,
) -> *const Algorithm {
    let body = |provider: &Provider| -> Option<&'static [Algorithm]> {
        let ready = precedence::yield_to_others(&provider.host, operation);
        ready.then(|| provider.algorithms(operation))
    };
    // SAFETY: the core passes the provider context, and null or room for an int.
    unsafe { answer("query operation", provctx, no_cache, body) }
}

/// # Safety
/// `provctx` is the provider context, `no_cache` null or room for an int.
unsafe fn answer(
    name: &'static str,
    provctx: *mut c_void,
    no_cache: *mut c_int,
    body: impl FnOnce(&Provider) -> Option<&'static [Algorithm]>,
) -> *const Algorithm {
    // SAFETY: vouched for by the caller.
    let algorithms = unsafe { guard::query(name, provctx, None, body) };
    // SAFETY: as above.
    if let Some(no_cache) = unsafe { no_cache.as_mut() } {
        // What is not there yet has to be asked for again.
        *no_cache = algorithms.is_none().into();
    }
    algorithms.filter(|list| !list.is_empty()).map_or(ptr::null(), <[Algorithm]>::as_ptr)
}

/// What a child context calls. Nobody can be asked to go first there: the upcalls are the parent's.
unsafe extern "C" fn query_in_child<const CHILD: usize>(
    provctx: *mut c_void,
    operation: c_int,
    no_cache: *mut c_int,
) -> *const Algorithm {
    let body = |provider: &Provider| -> Option<&'static [Algorithm]> {
        let early = provider.children.comes_too_early(CHILD, operation);
        (!early).then(|| provider.algorithms(operation))
    };
    // SAFETY: the core passes the provider context, and null or room for an int.
    unsafe { answer("query operation in a child context", provctx, no_cache, body) }
}

/// Asked for after each initialisation, also in a child context.
unsafe extern "C" fn reason_strings(provctx: *mut c_void) -> *const Item {
    const QUERIES: children::Queries =
        children::queries!(query_in_child: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    let body = |provider: &Provider| provider.children.initialised(&QUERIES);
    // SAFETY: the core passes the provider context.
    unsafe { guard::query("reason strings", provctx, (), body) };
    REASON_STRINGS.as_ptr()
}

/// Looks whether the settings are right and hashes a known message: what can be tested without a
/// vault.
unsafe extern "C" fn self_test(provctx: *mut c_void) -> c_int {
    let body = |provider: &Provider| -> Result<()> {
        provider.client()?;
        let mut hasher = crate::digest::Digest::Sha256.hasher();
        hasher.update(b"abc");
        if !hasher.finish().starts_with(&[0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea]) {
            return Err(Error::Raised(ErrorKind::Internal, "SHA-256 does not work".into()));
        }
        Ok(())
    };
    // SAFETY: the core passes the provider context.
    unsafe { guard::shared("self test", provctx, body) }
}
