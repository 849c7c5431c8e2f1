//! Certificates: each belongs to a key version of the same name and version.

mod import;
mod self_signed;

pub(crate) use self::{
    import::Imported,
    self_signed::{MONTHS, Template},
};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{base64url, persona::Target};

/// The certificate of a key version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Certificate {
    /// DER, in base64.
    pub(crate) cer: String,
    /// The subject as requested.
    pub(crate) subject: String,
    /// The creation request; `None` for an imported certificate.
    pub(crate) pending: Option<Pending>,
    /// The requested members of the policy, which are returned again.
    #[serde(default)]
    pub(crate) policy: Map<String, Value>,
}

/// The request for a certificate that the vault created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pending {
    /// DER, in base64.
    csr: String,
    request_id: String,
}

/// The members of `policy` with these names, if present.
fn select_members(policy: &Value, names: &[&str]) -> Map<String, Value> {
    let given = names.iter().filter_map(|name| Some(((*name).to_owned(), policy.get(name)?)));
    given.map(|(name, value)| (name, value.clone())).collect()
}

impl Certificate {
    pub(crate) fn thumbprint(&self) -> String {
        let der = STANDARD.decode(&self.cer).unwrap_or_default();
        base64url::encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &der))
    }

    /// The certificate operation of `name`; `None` for an imported certificate.
    pub(crate) fn operation(&self, target: &Target, name: &str, done: bool) -> Option<Value> {
        let pending = self.pending.as_ref()?;
        let base = format!("{}/certificates/{name}", target.base);
        let mut operation = json!({
            "id": format!("{base}/pending"),
            "issuer": { "name": "Self" },
            "csr": pending.csr,
            "cancellation_requested": false,
            "status": if done { "completed" } else { "inProgress" },
            "request_id": pending.request_id,
        });
        if done {
            operation["target"] = base.into();
        } else {
            operation["status_details"] = "Pending certificate created. Certificate request is in \
                 progress. This may take some time based on the issuer provider. Please check \
                 again later."
                .into();
        }
        Some(operation)
    }
}
