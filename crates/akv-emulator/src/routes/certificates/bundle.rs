//! A key version's certificate in the service's JSON.

use serde_json::{Map, Value, json};

use crate::{certificate::MONTHS, persona::Target, store::KeyVersion};

impl KeyVersion {
    /// The service's certificate bundle; `None` for a key without one.
    pub(crate) fn certificate_bundle(&self, target: &Target, name: &str) -> Option<Value> {
        let certificate = self.certificate.as_deref()?;
        let id = |folder| format!("{}/{folder}/{name}/{}", target.base, self.version);
        let mut bundle = json!({
            "id": id("certificates"),
            "kid": id("keys"),
            "sid": id("secrets"),
            "x5t": certificate.thumbprint(),
            "cer": certificate.cer,
            "attributes": self.certificate_attributes(target),
            "policy": self.policy(target, name)?,
        });
        if !self.tags.is_empty() {
            bundle["tags"] = Value::Object(self.tags.clone());
        }
        if certificate.pending.is_some() {
            bundle["pending"] =
                json!({ "id": format!("{}/certificates/{name}/pending", target.base) });
        }
        Some(bundle)
    }

    /// An entry of a list; `id` is the path below `/certificates/`.
    pub(crate) fn certificate_item(&self, target: &Target, id: &str) -> Option<Value> {
        let certificate = self.certificate.as_deref()?;
        let mut attributes = self.certificate_attributes(target);
        attributes.remove("recoveryLevel");
        attributes.remove("recoverableDays");
        let mut item = json!({
            "id": format!("{}/certificates/{id}", target.base),
            "x5t": certificate.thumbprint(),
            "attributes": attributes,
            "subject": "",
        });
        if !self.tags.is_empty() {
            item["tags"] = Value::Object(self.tags.clone());
        }
        Some(item)
    }

    /// The policy by which the certificate was created, or the default one of an imported
    /// certificate.
    pub(crate) fn policy(&self, target: &Target, name: &str) -> Option<Value> {
        let certificate = self.certificate.as_deref()?;
        let made = certificate.pending.is_some();
        let mut policy = json!({
            "id": format!("{}/certificates/{name}/policy", target.base),
            "key_props": self.material.certificate_key(),
            "secret_props": { "contentType": "application/x-pkcs12" },
            "x509_props": {
                "subject": certificate.subject,
                "ekus": ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"],
                "key_usage": ["digitalSignature", "keyEncipherment"],
                "validity_months": MONTHS,
                "basic_constraints": { "ca": false },
            },
            "lifetime_actions": [{
                "trigger": { "lifetime_percentage": 80 },
                "action": { "action_type": if made { "AutoRenew" } else { "EmailContacts" } },
            }],
            "issuer": { "name": if made { "Self" } else { "Unknown" } },
            "attributes": {
                "enabled": true,
                "created": self.attributes.created,
                "updated": self.attributes.updated,
            },
        });
        for (member, requested) in &certificate.policy {
            match (requested, policy[member].as_object_mut()) {
                (Value::Object(requested), Some(known)) => {
                    let given = requested.iter().filter(|(_, value)| !value.is_null());
                    known.extend(given.map(|(name, value)| (name.clone(), value.clone())));
                }
                (Value::Array(actions), _) if !actions.is_empty() => {
                    policy[member] = requested.clone();
                }
                _ => {}
            }
        }
        Some(policy)
    }

    fn certificate_attributes(&self, target: &Target) -> Map<String, Value> {
        let Value::Object(mut attributes) = self.attributes.to_json(&target.recovery) else {
            return Map::new();
        };
        attributes.remove("exportable");
        attributes
    }
}
