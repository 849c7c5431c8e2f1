//! What is compared. The names are those of the reports' columns.

/// A key in a file.
pub(crate) const LOCAL: &str = "local key";
/// A key in the vault, whose signatures block the thread.
pub(crate) const BLOCKING: &str = "vault, blocking";
/// A key in the vault, whose signatures are made in ASYNC jobs.
pub(crate) const ASYNC: &str = "vault, async";

/// A key in the vault, without sessions to resume.
pub(crate) const FULL: &str = "vault, full handshakes";
/// The same server, whose clients resume sessions.
pub(crate) const RESUMED: &str = "vault, resumed";

/// nginx serves TLS itself.
pub(crate) const ALONE: &str = "nginx alone";
/// HAProxy serves TLS in ASYNC jobs, in front of nginx.
pub(crate) const IN_FRONT: &str = "HAProxy async in front";

/// The vault responds to every request.
pub(crate) const NOT_HANGING: &str = "none hangs";
/// One request in ten gets no response.
pub(crate) const HANGING: &str = "one in ten hangs";

/// Handshakes whose own answer hung.
pub(crate) const HIT: &str = "hit";
/// The others.
pub(crate) const NOT_HIT: &str = "not hit";

/// The minimum: the same request by hyper and rustls alone.
pub(crate) const BARE: &str = "bare client";
/// The async API of akv-core, without the local check of each signature.
pub(crate) const CORE: &str = "akv-core, async, check off";
/// As [`CORE`], with the check.
pub(crate) const CORE_CHECKED: &str = "akv-core, async, check on";
/// The blocking API of akv-core, without the check.
pub(crate) const CORE_BLOCKING: &str = "akv-core, blocking, check off";
/// `EVP_DigestSign` with the provider, without the check.
pub(crate) const UNCHECKED: &str = "EVP_DigestSign, check off";
/// As [`UNCHECKED`], with the check.
pub(crate) const CHECKED: &str = "EVP_DigestSign, check on";
