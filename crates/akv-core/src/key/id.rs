//! The identity of an opened key.

use super::KeyAttributes;
use crate::KeyReference;

/// The identity of an opened key: reference, version and attributes. Every kind of key dereferences
/// to it, so `key.version()` works for all of them.
///
/// ```no_run
/// use akv_core::KeyId;
///
/// fn print(key: &KeyId) {
///     println!("{} is now {}, {}", key.reference(), key.version(), key.pinned_reference());
/// }
/// # fn example(pair: akv_core::Key, any: akv_core::blocking::AnyKey) {
/// print(&pair);
/// print(&any);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct KeyId {
    reference: KeyReference,
    pinned: KeyReference,
    version: String,
    attributes: Option<KeyAttributes>,
}

impl KeyId {
    pub(super) fn new(
        reference: &KeyReference,
        version: String,
        attributes: Option<KeyAttributes>,
    ) -> Self {
        let pinned = reference.pinned(&version);
        Self { reference: reference.clone(), pinned, version, attributes }
    }

    /// The reference that the key was opened with.
    pub fn reference(&self) -> &KeyReference {
        &self.reference
    }

    /// The reference with the pinned version.
    pub fn pinned_reference(&self) -> &KeyReference {
        &self.pinned
    }

    /// The pinned version: 32 hexadecimal digits.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The attributes, as of the time when the key was opened. `None` if the key was opened from a
    /// complete key file, without a request.
    pub fn attributes(&self) -> Option<&KeyAttributes> {
        self.attributes.as_ref()
    }
}
