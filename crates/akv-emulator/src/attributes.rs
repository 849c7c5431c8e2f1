//! A key version's attributes, and the operations that they permit.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{error::ApiError, operation::Operation, recovery::Recovery};

/// Times are seconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attributes {
    pub(crate) enabled: bool,
    pub(crate) nbf: Option<i64>,
    pub(crate) exp: Option<i64>,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) exportable: bool,
}

impl Attributes {
    pub(crate) const fn new(now: i64) -> Self {
        Self { enabled: true, nbf: None, exp: None, created: now, updated: now, exportable: false }
    }

    /// Applies the members of a request's `attributes`; absent or null members stay unchanged.
    pub(crate) fn merge(&mut self, requested: &Value) -> Result<(), ApiError> {
        let time = |name: &str| match requested.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_i64().map(Some).ok_or_else(|| ApiError::invalid_value(name)),
        };
        let flag = |name: &str| match requested.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_bool().map(Some).ok_or_else(|| ApiError::invalid_value(name)),
        };
        self.enabled = flag("enabled")?.unwrap_or(self.enabled);
        self.exportable = flag("exportable")?.unwrap_or(self.exportable);
        self.nbf = time("nbf")?.or(self.nbf);
        self.exp = time("exp")?.or(self.exp);
        Ok(())
    }

    /// Whether a key may be used for cryptography. A disabled key can only be read. Outside `nbf`
    /// to `exp` a key can still decrypt, unwrapKey and verify.
    ///
    /// Source: <https://learn.microsoft.com/azure/key-vault/keys/about-keys-details>, “Date-time
    /// controlled operations”.
    pub(crate) fn permit(&self, operation: Operation, now: i64) -> Result<(), ApiError> {
        let word = operation.permission();
        if !self.enabled {
            return Err(ApiError::key_disabled(word));
        }
        if matches!(operation, Operation::Sign | Operation::Encrypt | Operation::WrapKey) {
            if self.nbf.is_some_and(|nbf| now < nbf) {
                return Err(ApiError::key_not_yet_valid(word));
            }
            if self.exp.is_some_and(|exp| now >= exp) {
                return Err(ApiError::key_expired(word));
            }
        }
        Ok(())
    }

    pub(crate) fn to_json(&self, recovery: &Recovery) -> Value {
        let mut object = Map::new();
        object.insert("enabled".into(), self.enabled.into());
        if let Some(nbf) = self.nbf {
            object.insert("nbf".into(), nbf.into());
        }
        if let Some(exp) = self.exp {
            object.insert("exp".into(), exp.into());
        }
        object.insert("created".into(), self.created.into());
        object.insert("updated".into(), self.updated.into());
        object.insert("recoveryLevel".into(), json!(recovery.level()));
        object.insert("recoverableDays".into(), recovery.days.into());
        object.insert("exportable".into(), self.exportable.into());
        Value::Object(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_the_validity_period_only_inverse_operations_work() {
        let mut attributes = Attributes::new(100);
        attributes.merge(&json!({ "nbf": 200, "exp": 300 })).unwrap();
        for (now, signs) in [(199, false), (200, true), (299, true), (300, false)] {
            assert_eq!(attributes.permit(Operation::Sign, now).is_ok(), signs, "{now}");
            for operation in [Operation::Decrypt, Operation::UnwrapKey, Operation::Verify] {
                assert!(attributes.permit(operation, now).is_ok());
            }
        }
        attributes.merge(&json!({ "enabled": false })).unwrap();
        assert_eq!(
            attributes.permit(Operation::Verify, 250),
            Err(ApiError::key_disabled("verify"))
        );
        assert!(attributes.merge(&json!({ "exp": "soon" })).is_err());
    }
}
