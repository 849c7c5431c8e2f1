//! The application or managed identity of the setting `client-id`.

/// An application or a user-assigned managed identity. Only the latter has other ids besides its
/// client id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum IdentityId {
    /// The client id, also called application id.
    Client(String),
    /// `/subscriptions/…/userAssignedIdentities/name`, the id in Azure Resource Manager.
    Resource(String),
    /// The object id, also called principal id.
    Object(String),
}

/// The prefix of an object id.
const OBJECT: &str = "object-id:";

/// The segments of a resource id that are the same for every managed identity.
const RESOURCE: [(usize, &str); 5] = [
    (0, "subscriptions"),
    (2, "resourceGroups"),
    (4, "providers"),
    (5, "Microsoft.ManagedIdentity"),
    (6, "userAssignedIdentities"),
];

impl IdentityId {
    /// Reads a value of the setting.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(path) = text.strip_prefix('/') {
            return resource(path).map(|()| Self::Resource(text.to_owned()));
        }
        let object = text.get(..OBJECT.len()).filter(|start| start.eq_ignore_ascii_case(OBJECT));
        if object.is_some() {
            let id = &text[OBJECT.len()..];
            return match is_guid(id) {
                true => Ok(Self::Object(id.to_owned())),
                false => Err("expected a GUID after object-id:".to_owned()),
            };
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        match !text.is_empty() && text.bytes().all(plain) {
            true => Ok(Self::Client(text.to_owned())),
            false => Err("expected a client id, object-id: and a GUID, or the resource id of a \
                          managed identity, /subscriptions/…"
                .to_owned()),
        }
    }
}

fn resource(path: &str) -> Result<(), String> {
    let segments: Vec<&str> = path.split('/').collect();
    for (at, expected) in RESOURCE {
        let found = segments.get(at).copied().unwrap_or_default();
        if !found.eq_ignore_ascii_case(expected) {
            return Err(format!("expected {expected:?} as part {} of the resource id", at + 1));
        }
    }
    let allowed = |c: char| c.is_alphanumeric() || "-_.()".contains(c);
    match segments.len() == 8 && segments.iter().all(|s| !s.is_empty() && s.chars().all(allowed)) {
        true if is_guid(segments[1]) => Ok(()),
        true => Err("the subscription in the resource id is not a GUID".to_owned()),
        false => {
            Err("the resource id has an empty part, too many parts or invalid characters"
                .to_owned())
        }
    }
}

fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GUID: &str = "5E29463D-71da-4fe0-8e69-999b57db23b0";

    fn resource_id() -> String {
        format!(
            "/subscriptions/{GUID}/resourceGroups/my.group_(1)/providers/Microsoft.ManagedIdentity\
             /userAssignedIdentities/my-identity"
        )
    }

    #[test]
    fn every_form_is_parsed() {
        let read = IdentityId::read;
        assert_eq!(read(GUID), Ok(IdentityId::Client(GUID.to_owned())));
        assert_eq!(read("  my-app "), Ok(IdentityId::Client("my-app".to_owned())));
        for prefix in ["object-id:", "Object-Id:"] {
            assert_eq!(read(&format!("{prefix}{GUID}")), Ok(IdentityId::Object(GUID.to_owned())));
        }
        let id = resource_id();
        assert_eq!(read(&id), Ok(IdentityId::Resource(id.clone())));
        // The portal and the command line differ in case.
        let lower = id.to_ascii_lowercase();
        assert_eq!(read(&lower), Ok(IdentityId::Resource(lower.clone())));
    }

    #[test]
    fn invalid_forms_are_refused_with_the_reason() {
        let id = resource_id();
        for (text, reason) in [
            ("", "expected a client id"),
            ("my app", "expected a client id"),
            ("client_id=x&resource=y", "expected a client id"),
            ("object-id:", "GUID after object-id:"),
            ("object-id:my-identity", "GUID after object-id:"),
            ("/", "\"subscriptions\" as part 1"),
            ("/subscriptions/x", "\"resourceGroups\" as part 3"),
            (&id.replace("ManagedIdentity", "Compute"), "\"Microsoft.ManagedIdentity\" as part 6"),
            (&id.replace(GUID, "mine"), "not a GUID"),
            (&id.replace("my-identity", ""), "an empty part"),
            (&format!("{id}/more"), "too many parts"),
            (&format!("{id}?a=b"), "invalid characters"),
        ] {
            let error = IdentityId::read(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn other_characters_are_refused(text in ".{0,80}") {
            if IdentityId::read(&text).is_ok() {
                prop_assert!(!text.trim().contains([' ', '&', '?', '#', '%', '\n', '"']));
            }
        }
    }
}
