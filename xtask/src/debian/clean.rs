//! Systems in which nothing but packages of ours is installed.

use super::suite::{DEBIAN_13, Suite};

/// As Debian's image for containers, which the packages do not change.
pub(crate) const DEBIAN_13_MINIMAL: Suite = Suite {
    name: "Debian 13, minimal",
    folder: "debian13-minimal",
    variable: "AKV_DEBIAN13_MINIMAL_CACHE",
    packages: &["libc6"],
    ..DEBIAN_13
};

/// With rpm, which installs into a folder.
pub(crate) const DEBIAN_13_RPM: Suite = Suite {
    name: "Debian 13 with rpm",
    folder: "debian13-rpm",
    variable: "AKV_DEBIAN13_RPM_CACHE",
    packages: &["libc6", "rpm"],
    ..DEBIAN_13
};

/// The release in development.
pub(crate) const DEBIAN_SID: Suite = Suite {
    name: "Debian sid",
    codename: "sid",
    folder: "debian-sid",
    variable: "AKV_DEBIAN_SID_CACHE",
    updates: false,
    packages: &["libc6", "openssl"],
};
