//! The releases of Debian, with the packages that are installed.

/// A release.
#[derive(Debug)]
pub(crate) struct Suite {
    /// As people call it.
    pub(crate) name: &'static str,
    /// As the archive calls it.
    pub(super) codename: &'static str,
    /// Its folder in cargo's target folder.
    pub(super) folder: &'static str,
    /// The variable that names another folder.
    pub(super) variable: &'static str,
    /// Whether the archive has updates for it in a separate suite.
    pub(super) updates: bool,
    /// The hosts, after the libraries with which they are linked.
    pub(super) packages: &'static [&'static str],
}

/// With OpenSSL 1.1.1.
pub(crate) const DEBIAN_11: Suite = Suite {
    name: "Debian 11",
    codename: "bullseye",
    folder: "debian11",
    variable: "AKV_DEBIAN11_CACHE",
    updates: true,
    packages: &[
        "libc6",
        "libssl1.1",
        "openssl",
        "nginx",
        "apache2",
        "haproxy",
        "curl",
        "stunnel4",
        "nodejs",
    ],
};

/// With OpenSSL 3.0.
pub(crate) const DEBIAN_12: Suite = Suite {
    name: "Debian 12",
    codename: "bookworm",
    folder: "debian12",
    variable: "AKV_DEBIAN12_CACHE",
    updates: true,
    packages: &["libc6", "libssl3", "openssl"],
};

/// With OpenSSL 3.5.
pub(crate) const DEBIAN_13: Suite = Suite {
    name: "Debian 13",
    codename: "trixie",
    folder: "debian13",
    variable: "AKV_DEBIAN13_CACHE",
    updates: true,
    packages: &["libc6", "libssl3t64", "openssl", "haproxy"],
};

/// What is in each system of `hosts --debian12` and so on before the packages of hosts.
const BASE: &[&str] = &["libc6", "openssl", "ca-certificates", "procps"];

/// Debian 12 for host programs.
pub(crate) const HOSTS_12: Suite = Suite {
    folder: "hosts-debian12",
    variable: "AKV_HOSTS_DEBIAN12_CACHE",
    packages: BASE,
    ..DEBIAN_12
};

/// Debian 13 for host programs.
pub(crate) const HOSTS_13: Suite = Suite {
    folder: "hosts-debian13",
    variable: "AKV_HOSTS_DEBIAN13_CACHE",
    packages: BASE,
    ..DEBIAN_13
};

/// The release in development for host programs, with OpenSSL 3.6 in November 2026.
pub(crate) const HOSTS_SID: Suite = Suite {
    name: "Debian sid",
    codename: "sid",
    folder: "hosts-sid",
    variable: "AKV_HOSTS_SID_CACHE",
    updates: false,
    packages: BASE,
};
