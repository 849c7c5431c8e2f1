//! Permissions of identities: access policies or roles.

mod refusals;

use std::{str::FromStr, sync::RwLock};

use serde::{Deserialize, Serialize};

use crate::{
    auth::Caller,
    call::Call,
    error::ApiError,
    operation::Operation,
    persona::Target,
    sync::{read, write},
};

/// Stands for every identity without permissions of its own.
const ANY_IDENTITY: &str = "*";

/// The permissions of an identity; see [`Emulator::permit`](crate::Emulator::permit).
///
/// In JSON: `{"identity": "CLIENT_ID", "operations": ["get", "sign"], "key": "web", "vault":
/// "myvault.vault.azure.net"}`; as text `identity=CLIENT_ID,operations=get+sign,key=web`.
/// Operations have the names of access policies, with the prefix `certificates/` for those on
/// certificates; `all` is every operation. Without `key` it applies to every key, without `vault`
/// to every vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
#[must_use]
pub struct Permission(Written);

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    identity: String,
    operations: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vault: Option<String>,
}

impl Permission {
    /// An empty permission for a client id; `*` stands for every identity without permissions of
    /// its own.
    pub fn of(identity: impl Into<String>) -> Self {
        Self(Written { identity: identity.into(), ..Written::default() })
    }

    /// Permits these operations. Operations that share a permission are permitted together: `get`
    /// is needed for [`Operation::GetKey`] and [`Operation::GetDeletedKey`].
    pub fn allow(mut self, operations: impl IntoIterator<Item = Operation>) -> Self {
        self.0.operations.extend(operations.into_iter().map(word));
        self
    }

    /// Restricts it to this key.
    pub fn key(mut self, name: impl Into<String>) -> Self {
        self.0.key = Some(name.into());
        self
    }

    /// Restricts it to the vault with this host name.
    pub fn vault_host(mut self, host: impl Into<String>) -> Self {
        self.0.vault = Some(host.into());
        self
    }

    fn is_for(&self, identity: &str, target: &Target) -> bool {
        let vault = self.0.vault.as_deref();
        self.0.identity.eq_ignore_ascii_case(identity)
            && vault.is_none_or(|vault| vault.eq_ignore_ascii_case(&target.vault))
    }

    fn permits(&self, call: &Call) -> bool {
        let word = word(call.operation);
        let key = self.0.key.as_deref();
        key.is_none_or(|key| key.eq_ignore_ascii_case(&call.name))
            && self.0.operations.iter().any(|known| known == "all" || *known == word)
    }
}

/// The name in access policies, prefixed with the collection unless that is keys.
fn word(operation: Operation) -> String {
    match operation.collection() {
        "keys" => operation.permission().to_owned(),
        collection => format!("{collection}/{}", operation.permission()),
    }
}

impl TryFrom<Written> for Permission {
    type Error = String;

    fn try_from(mut written: Written) -> Result<Self, String> {
        if written.identity.is_empty() {
            return Err("`identity` is missing; expected a client id or `*`".to_owned());
        }
        let known: Vec<String> = Operation::ALL.iter().copied().map(word).collect();
        for requested in &mut written.operations {
            if requested == "all" {
                continue;
            }
            let same = known.iter().find(|known| known.eq_ignore_ascii_case(requested));
            let same = same.ok_or_else(|| format!("`{requested}` is not a permission"))?;
            requested.clone_from(same);
        }
        Ok(Self(written))
    }
}

impl From<Permission> for Written {
    fn from(permission: Permission) -> Self {
        permission.0
    }
}

impl FromStr for Permission {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut written = Written::default();
        for field in text.split(',') {
            let (name, value) =
                field.split_once('=').ok_or_else(|| format!("`{field}` has no `=`"))?;
            match name {
                "identity" => value.clone_into(&mut written.identity),
                "operations" => {
                    let words = value.split('+').filter(|word| !word.is_empty());
                    written.operations.extend(words.map(str::to_owned));
                }
                "key" => written.key = Some(value.to_owned()),
                "vault" => written.vault = Some(value.to_owned()),
                other => return Err(format!("`{other}` is not part of a permission")),
            }
        }
        written.try_into()
    }
}

/// The access model of the vaults, which determines the errors of refused requests. A Managed HSM
/// always has its own roles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccessModel {
    /// Access policies: 403 `ForbiddenByPolicy`.
    #[default]
    Policies,
    /// Roles of Azure's access control: 403 `ForbiddenByRbac`.
    Roles,
}

/// All permissions of one emulator.
#[derive(Default)]
pub(crate) struct Permissions {
    given: RwLock<Vec<Permission>>,
    model: RwLock<AccessModel>,
}

impl Permissions {
    pub(crate) fn add(&self, permission: Permission) {
        write(&self.given).push(permission);
    }

    pub(crate) fn clear(&self) {
        write(&self.given).clear();
    }

    pub(crate) fn list(&self) -> Vec<Permission> {
        read(&self.given).clone()
    }

    pub(crate) fn model(&self) -> AccessModel {
        *read(&self.model)
    }

    pub(crate) fn set_model(&self, model: AccessModel) {
        *write(&self.model) = model;
    }

    /// Refuses operations that the caller may not perform. An identity without permissions,
    /// including those of `*`, may do everything.
    pub(crate) fn check(
        &self,
        call: &Call,
        target: &Target,
        caller: &Caller,
    ) -> Result<(), ApiError> {
        let given = read(&self.given);
        let of = |identity: &str| -> Vec<&Permission> {
            given.iter().filter(|permission| permission.is_for(identity, target)).collect()
        };
        let mut own = of(&caller.client_id);
        if own.is_empty() {
            own = of(ANY_IDENTITY);
        }
        if own.is_empty() || own.iter().any(|permission| permission.permits(call)) {
            return Ok(());
        }
        Err(match self.model() {
            AccessModel::Policies => ApiError::forbidden_by_policy(call, target, caller),
            AccessModel::Roles => ApiError::forbidden_by_role(call, target, caller),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persona::Persona;

    fn call(operation: Operation, name: &str) -> Call {
        Call { operation, name: name.to_owned(), version: None }
    }

    #[test]
    fn only_identities_with_permissions_are_restricted() {
        let permissions = Permissions::default();
        let target = Target::new("a.vault.azure.net", Persona::Vault);
        let may = |identity: &str, operation, name| {
            let caller = Caller { tenant: "t".into(), client_id: identity.into() };
            permissions.check(&call(operation, name), &target, &caller).is_ok()
        };
        assert!(may("app", Operation::Sign, "web"));
        permissions.add(Permission::of("app").allow([Operation::GetKey]));
        permissions.add(Permission::of("app").allow([Operation::Sign]).key("web"));
        assert!(may("APP", Operation::Sign, "WEB") && may("app", Operation::GetKey, "other"));
        assert!(!may("app", Operation::Sign, "other") && !may("app", Operation::ListKeys, ""));
        assert!(may("other", Operation::Sign, "other"));
        permissions.add(Permission::of("*"));
        assert!(!may("other", Operation::Sign, "other") && may("app", Operation::Sign, "web"));
        permissions.clear();
        permissions.add(Permission::of("app").vault_host("b.vault.azure.net"));
        assert!(may("app", Operation::Sign, "web"), "no permission is set for this vault");
    }

    #[test]
    fn permissions_are_written_as_text_and_json() {
        let text = "identity=app,operations=get+UNWRAPKEY+certificates/get,key=web";
        let permission: Permission = text.parse().unwrap();
        let json = serde_json::to_string(&permission).unwrap();
        let words = r#"["get","unwrapKey","certificates/get"]"#;
        assert_eq!(json, format!(r#"{{"identity":"app","operations":{words},"key":"web"}}"#));
        assert_eq!(serde_json::from_str::<Permission>(&json).unwrap(), permission);
        for bad in ["", "identity=a,operations=fly", "operations=get", "identity=a,colour=red"] {
            assert!(bad.parse::<Permission>().is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<Permission>(r#"{"identity":"a"}"#).is_err());
    }
}
