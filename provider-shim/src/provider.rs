//! The provider context: what one loading of the provider has.

use crate::children::Children;
use crate::error::Result;
use crate::importers::Importers;
use crate::precedence;
use akv_core::blocking::Client;
use akv_core::{Settings, settings};
use ossl_abi::constants::OBJECT_PKEY;
use ossl_abi::entry::CoreCallback;
use ossl_abi::guard::Object;
use ossl_abi::host::HostKeys;
use ossl_abi::params::Values;
use ossl_abi::{Dispatch, Host, names};
use std::ffi::{CStr, CString};
use std::sync::OnceLock;

/// Functions of the provider as a whole.
pub(crate) const FUNCTIONS: usize = 8;

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
    children: Children<FUNCTIONS>,
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
    pub(crate) fn new(host: Host, functions: [Dispatch; FUNCTIONS]) -> Self {
        let client = read_settings(&host).and_then(|settings| {
            akv_core::logging::init(&settings)?;
            Ok(Client::new(settings))
        });
        // OpenSSL 3.4 brought the functions that take such an algorithm.
        let version = version(&host);
        let has_composites = version.is_some_and(|version| version >= (3, 4));
        let has_opaque_keys = version.is_some_and(|version| version >= (3, 5));
        let children = Children::new(functions);
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

    pub(crate) fn children(&self) -> &Children<FUNCTIONS> {
        &self.children
    }

    /// Whether the host can be asked for signature algorithms whose names say the digest.
    pub(crate) fn has_composites(&self) -> bool {
        self.has_composites
    }

    /// Whether the host knows opaque symmetric keys.
    pub(crate) fn has_opaque_keys(&self) -> bool {
        self.has_opaque_keys
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
    pub(crate) fn introduce_others(&self, callback: CoreCallback<'_>) {
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
