//! Removes from a record: tokens, tenants and identities, addresses, the vault's name, and other
//! users' keys.
//!
//! Data of the run itself stays: its keys' names and public halves, signatures, its constant
//! plaintexts. So do request ids, with which the service's operators find a request.

use std::sync::LazyLock;

use akv_core::VaultKind;
use hyper::{HeaderMap, header::AUTHORIZATION};
use regex::{NoExpand, Regex};
use serde_json::{Map, Value};

use crate::keys::PREFIX;

/// Headers that are kept; all others are removed. Those of the second list are kept unchanged.
const KEPT: [&str; 16] = [
    "accept",
    "allow",
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "expires",
    "location",
    "pragma",
    "retry-after",
    "strict-transport-security",
    "user-agent",
    "www-authenticate",
    "x-content-type-options",
    "x-frame-options",
    "x-powered-by",
];
const VERBATIM: [&str; 11] = [
    "date",
    "retry-after-ms",
    "x-ms-build-version",
    "x-ms-client-request-id",
    "x-ms-keyvault-rbac-cache",
    "x-ms-keyvault-region",
    "x-ms-keyvault-service-version",
    "x-ms-request-id",
    "x-ms-return-client-request-id",
    "x-ms-server-latency",
    "x-ms-version",
];
const NETWORK_INFO: &str = "x-ms-keyvault-network-info";

/// Matches of each pattern are replaced by the text beside it.
static PATTERNS: LazyLock<[(Regex, &str); 7]> = LazyLock::new(|| {
    let pattern = |text: &str| Regex::new(text).expect("a valid expression");
    [
        // JSON Web Tokens, and everything after the name of the scheme.
        (pattern(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), "REDACTED"),
        (pattern(r"(?i)\bBearer [\w.~+/-]{20,}=*"), "Bearer REDACTED"),
        (
            pattern(r"\b[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\b"),
            "00000000-0000-0000-0000-000000000000",
        ),
        (pattern(r"[\w.+-]+@[\w-]+\.[\w.-]+"), "user@example.com"),
        (pattern(r"(?i)\bresourceGroups/[^/'\s]+"), "resourcegroups/REDACTED"),
        (pattern(r"(?i)\bclient address: \S+"), "Client address: 0.0.0.0"),
        (pattern(r"\b\d{1,3}(?:\.\d{1,3}){3}\b"), "0.0.0.0"),
    ]
});

/// A page marker, which contains the name of the next key, possibly another user's.
static MARKER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)((?:\$|%24)skiptoken=)[^&]*").expect("a valid expression"));

/// Removes private data from exchanges with one vault.
pub(super) struct Sanitizer {
    authority: Regex,
    host: &'static str,
    name: Regex,
    alias: &'static str,
}

impl Sanitizer {
    /// A sanitizer for a vault of this name at `authority`.
    pub(super) fn new(kind: VaultKind, name: &str, authority: &str) -> Self {
        let (alias, host) = match kind {
            VaultKind::Vault => ("vaultname", "vaultname.vault.azure.net"),
            VaultKind::ManagedHsm => ("hsmname", "hsmname.managedhsm.azure.net"),
        };
        let whole = |text: &str| {
            let text = regex::escape(text);
            Regex::new(&format!(r"(?i)\b{text}\b")).expect("an escaped text is valid")
        };
        Self { authority: whole(authority), host, name: whole(name), alias }
    }

    /// The URL of a request from its path, with the vault's host instead of the recorder's.
    pub(super) fn uri(&self, path_and_query: &str) -> String {
        self.text(&format!("https://{}{path_and_query}", self.host))
    }

    /// Any text. A text with neither blank nor scheme is data, in which a name of three letters
    /// would match by chance.
    pub(super) fn text(&self, text: &str) -> String {
        let text = self.authority.replace_all(text, NoExpand(self.host));
        let text = MARKER.replace_all(&text, "${1}REDACTED").into_owned();
        let text = PATTERNS.iter().fold(text, |text, (pattern, instead)| {
            pattern.replace_all(&text, NoExpand(instead)).into_owned()
        });
        match text.contains([' ', '/']) && !self.alias_is_name() {
            true => self.name.replace_all(&text, NoExpand(self.alias)).into_owned(),
            false => text,
        }
    }

    fn alias_is_name(&self) -> bool {
        self.name.is_match(self.alias)
    }

    /// The headers that are kept, sorted by name.
    pub(super) fn headers(&self, headers: &HeaderMap) -> Map<String, Value> {
        let mut kept = Map::new();
        for (name, value) in headers {
            let (name, value) = (name.as_str(), String::from_utf8_lossy(value.as_bytes()));
            let value = match name {
                _ if name == AUTHORIZATION => "Bearer REDACTED".to_owned(),
                NETWORK_INFO => "conn_type=REDACTED;addr=REDACTED".to_owned(),
                _ if VERBATIM.contains(&name) => value.into_owned(),
                _ if KEPT.contains(&name) => self.text(&value),
                _ => continue,
            };
            kept.insert(name.to_owned(), value.into());
        }
        kept
    }

    /// A body, without other users' keys in lists.
    pub(super) fn body(&self, body: Value) -> Value {
        match body {
            Value::String(text) => self.text(&text).into(),
            Value::Array(items) => items
                .into_iter()
                .filter(|item| item.get("kid").is_none_or(is_own))
                .map(|item| self.body(item))
                .collect(),
            Value::Object(members) => {
                members.into_iter().map(|(name, value)| (name, self.body(value))).collect()
            }
            other => other,
        }
    }
}

/// Whether an item of a list is a key that this program created.
fn is_own(identifier: &Value) -> bool {
    let path = identifier.as_str().and_then(|text| text.split_once("/keys/"));
    path.is_some_and(|(_, name)| name.starts_with(PREFIX))
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;
    use serde_json::json;

    use super::*;

    fn sanitizer() -> Sanitizer {
        Sanitizer::new(VaultKind::Vault, "Contoso-Pay", "contoso-pay.vault.azure.net")
    }

    #[test]
    fn refusals_are_recorded_without_caller_and_vault() {
        // Messages of the service, with other names.
        for message in [
            "The user, group or application 'appid=3525c2f5-9605-4d01-b30b-59272b48be7f;\
             oid=11111111-2222-3333-4444-555555555555;iss=https://sts.windows.net/\
             aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee/' does not have keys get permission on key vault \
             'contoso-pay;location=westus'.",
            "Caller is not authorized to perform action on resource.\r\nCaller: appid=\
             3525c2f5-9605-4d01-b30b-59272b48be7f;name=jane.doe@contoso.com\r\nResource: '\
             /subscriptions/aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee/resourcegroups/payments/providers/\
             microsoft.keyvault/vaults/Contoso-Pay/keys/akv-e2e-1'\r\nVault: CONTOSO-PAY;\
             location=westus",
            "Client address is not authorized. Client address: 2001:db8::17 vault: contoso-pay",
            "Client address: 203.0.113.9;caller=appid=3525c2f5-9605-4d01-b30b-59272b48be7f",
        ] {
            let text = sanitizer().text(message);
            let lower = text.to_lowercase();
            for secret in [
                "contoso",
                "3525c2f5",
                "1111-2222",
                "aaaaaaaa",
                "jane",
                "payments",
                "2001:db8",
                "203.0.113",
            ] {
                assert!(!lower.contains(secret), "{secret} is in {text}");
            }
        }
    }

    #[test]
    fn listed_headers_are_kept_and_tokens_are_removed() {
        let token = "eyJ0eXAiOiJKV1QifQ.eyJhdWQiOiJodHRwcyJ9.c2lnbmF0dXJl";
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("authorization", format!("Bearer {token}")),
            ("set-cookie", "session=4711".to_owned()),
            ("x-unheard-of", token.to_owned()),
            ("x-ms-keyvault-network-info", "conn_type=Ipv4;addr=203.0.113.9;".to_owned()),
            ("x-ms-request-id", "b6b03b5e-7c6a-4bd1-9a4c-8e9c1c1d2f3a".to_owned()),
            (
                "www-authenticate",
                "Bearer authorization=\"https://login.microsoftonline.com/\
                 aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee\", resource=\"https://vault.azure.net\""
                    .to_owned(),
            ),
        ] {
            let name: hyper::header::HeaderName = name.parse().unwrap();
            headers.insert(name, HeaderValue::try_from(value).unwrap());
        }
        let kept = sanitizer().headers(&headers);
        let text = serde_json::to_string(&kept).unwrap();
        for secret in ["eyJ", "4711", "203.0.113", "aaaaaaaa"] {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
        assert_eq!(kept["authorization"], "Bearer REDACTED");
        assert_eq!(kept["x-ms-request-id"], "b6b03b5e-7c6a-4bd1-9a4c-8e9c1c1d2f3a");
        assert!(kept["www-authenticate"].as_str().unwrap().contains("resource="), "{text}");
        assert_eq!(kept.len(), 4, "{text}");
    }

    #[test]
    fn lists_contain_only_the_keys_of_runs() {
        let base = "https://contoso-pay.vault.azure.net/keys";
        let body = sanitizer().body(json!({
            "value": [
                { "kid": format!("{base}/akv-e2e-1-web"), "tags": { "made-by": "akv-e2e" } },
                { "kid": format!("{base}/payroll"), "tags": { "owner": "jane" } },
            ],
            "nextLink": format!("{base}?api-version=7.6&$skiptoken=eyJOZXh0TWFya2VyIjoicGF5cm9sbCJ9"),
        }));
        assert_eq!(body["value"].as_array().unwrap().len(), 1);
        let text = body.to_string();
        for secret in ["payroll", "jane", "contoso", "eyJO"] {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
        assert!(text.contains("vaultname.vault.azure.net/keys/akv-e2e-1-web"), "{text}");
        let uri = sanitizer().uri("/keys?api-version=7.6&$skiptoken=cGF5cm9sbA");
        assert!(uri.ends_with("skiptoken=REDACTED"), "{uri}");
    }

    #[test]
    fn data_is_left_unchanged() {
        // A vault's name may occur in a signature.
        let sanitizer = Sanitizer::new(VaultKind::Vault, "abc", "abc.vault.azure.net");
        let value = "q2-abc-Zx81_EyJ";
        assert_eq!(sanitizer.text(value), value);
        let version = "0123456789abcdef0123456789abcdef";
        let uri = sanitizer.uri(&format!("/keys/akv-e2e-1/{version}/sign?api-version=7.6"));
        assert!(uri.contains(version) && uri.ends_with("/sign?api-version=7.6"), "{uri}");
    }
}
