//! The files for name resolution, as they were at load.

use std::{
    fs::{self, File},
    io::Read as _,
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use process_abi::descriptor::StandardStreams;

/// Maximum size of a file in bytes; a longer one is truncated.
const MAX_FILE: u64 = 1024 * 1024;

/// The root directory and the resolver's files as they were at load. After a server has changed its
/// root directory, the new one may not contain them.
#[derive(Default)]
pub(crate) struct ResolverFiles {
    root: Option<Identity>,
    resolv_conf: Vec<u8>,
    hosts: Vec<u8>,
}

/// Device and inode of a directory.
type Identity = (u64, u64);

impl ResolverFiles {
    pub(super) fn capture() -> Self {
        Self {
            root: root(),
            resolv_conf: read(RESOLV_CONF).unwrap_or_default(),
            hosts: read(HOSTS).unwrap_or_default(),
        }
    }

    /// Whether the process has changed its root directory since the load.
    pub(crate) fn root_has_changed(&self) -> bool {
        self.root != root()
    }

    /// The content of `/etc/resolv.conf`: that of the current root, otherwise that from load.
    pub(crate) fn resolv_conf(&self) -> Vec<u8> {
        read(RESOLV_CONF).unwrap_or_else(|| self.resolv_conf.clone())
    }

    /// The content of `/etc/hosts`: that of the current root, otherwise that from load.
    pub(crate) fn hosts(&self) -> Vec<u8> {
        read(HOSTS).unwrap_or_else(|| self.hosts.clone())
    }
}

const RESOLV_CONF: &str = "/etc/resolv.conf";
const HOSTS: &str = "/etc/hosts";

fn root() -> Option<Identity> {
    let root = fs::metadata(Path::new("/")).ok()?;
    Some((root.dev(), root.ino()))
}

fn read(path: &str) -> Option<Vec<u8>> {
    let _streams = StandardStreams::hold();
    let mut content = Vec::new();
    File::open(path).ok()?.take(MAX_FILE).read_to_end(&mut content).ok()?;
    Some(content)
}
