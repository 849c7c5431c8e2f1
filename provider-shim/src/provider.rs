//! The provider context: the state of one load of the provider.

use std::ffi::{CStr, CString};
use std::sync::OnceLock;

use akv_core::blocking::Client;
use akv_core::{Settings, settings};
use legacy_abi::job;
use ossl_abi::constants::OBJECT_PKEY;
use ossl_abi::entry::CoreCallback;
use ossl_abi::guard::Object;
use ossl_abi::host::HostKeys;
use ossl_abi::params::Values;
use ossl_abi::{Dispatch, Host, names};

use crate::children::Children;
use crate::error::Result;
use crate::importers::Importers;
use crate::precedence;

/// Number of the provider's functions.
pub(crate) const FUNCTIONS: usize = 8;

/// One load of the provider into one library context. It owns all state; nothing about a host is
/// kept in statics.
pub(crate) struct Provider {
    host: Host,
    /// The client, or the error in the settings.
    client: Result<Client>,
    /// The host supports signature algorithms with a digest in their name.
    has_composites: bool,
    /// The host supports opaque symmetric keys.
    has_opaque_keys: bool,
    /// libssl requires the groups of other providers from us.
    reports_groups: bool,
    /// Keys of other providers, if the host exports the functions for them.
    host_keys: OnceLock<Option<HostKeys>>,
    importers: Importers,
    children: Children<FUNCTIONS>,
}

impl Object for Provider {
    fn host(&self) -> &Host {
        &self.host
    }
}

impl Provider {
    /// Reads the settings. Starts no thread and sends no request.
    ///
    /// An error in the settings is reported when a key is requested. libcrypto drops errors that
    /// occur while it reads its configuration, and would then report only a missing store loader.
    pub(crate) fn new(host: Host, functions: [Dispatch; FUNCTIONS]) -> Self {
        let client = read_settings(&host).and_then(|settings| {
            akv_core::logging::init(&settings)?;
            Ok(job::client(host.jobs(), settings))
        });
        // 3.4 added the functions for such algorithms.
        let version = version(&host);
        let has_composites = version.is_some_and(|version| version >= (3, 4));
        let has_opaque_keys = version.is_some_and(|version| version >= (3, 5));
        let children = Children::new(functions);
        Self {
            host,
            client,
            has_composites,
            has_opaque_keys,
            reports_groups: version.is_none_or(|version| version < (3, 5)),
            host_keys: OnceLock::new(),
            importers: Importers::default(),
            children,
        }
    }

    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    pub(crate) fn children(&self) -> &Children<FUNCTIONS> {
        &self.children
    }

    /// Whether the host supports signature algorithms with a digest in their name.
    pub(crate) fn has_composites(&self) -> bool {
        self.has_composites
    }

    /// Whether the host supports opaque symmetric keys.
    pub(crate) fn has_opaque_keys(&self) -> bool {
        self.has_opaque_keys
    }

    /// Whether we report TLS groups of other providers.
    pub(crate) fn reports_groups(&self) -> bool {
        self.reports_groups
    }

    /// Keys of other providers, if the host exports the functions for them.
    pub(crate) fn host_keys(&self) -> Option<&HostKeys> {
        let keys = || HostKeys::new(&self.host, precedence::OTHERS);
        self.host_keys.get_or_init(keys).as_ref()
    }

    /// libcrypto's importers for legacy structures.
    pub(crate) fn importers(&self) -> &Importers {
        &self.importers
    }

    /// The client, or the error in the settings.
    pub(crate) fn client(&self) -> Result<&Client> {
        self.client.as_ref().map_err(Clone::clone)
    }

    /// Makes the context that loads an object register other key managements before ours, by
    /// passing it an object that cannot be decoded. A child context offers no other way.
    pub(crate) fn register_others(&self, callback: CoreCallback<'_>) {
        if !self.children.exist() {
            return;
        }
        let nothing = Values::new()
            .int(names::OBJECT_TYPE, OBJECT_PKEY)
            .utf8(names::OBJECT_DATA_TYPE, "EC")
            .utf8(names::OBJECT_DATA_STRUCTURE, "nothing")
            .octets(names::OBJECT_DATA, &[0])
            .build();
        self.host.quietly(|| callback.call(nothing.params()));
    }

    /// Whether the administrator has declared that keys are in a validated HSM.
    pub(crate) fn fips(&self) -> bool {
        self.client.as_ref().is_ok_and(|client| client.settings().fips())
    }
}

/// The host's major and minor version.
fn version(host: &Host) -> Option<(u32, u32)> {
    let answers = host.settings(&[names::CORE_VERSION]);
    let mut numbers = answers.first()?.as_deref()?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// The settings in the provider's `openssl.cnf` section, overridden by the environment.
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
