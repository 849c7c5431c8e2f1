//! The names of operations in access policies, in roles and in the service's logs.

use super::Operation;
use crate::persona::Persona;

impl Operation {
    /// Its name in access policies, `key_ops` and messages.
    pub(crate) const fn permission(self) -> &'static str {
        match self {
            Self::CreateKey | Self::CreateCertificate => "create",
            Self::ImportKey | Self::ImportCertificate => "import",
            Self::GetKey
            | Self::GetDeletedKey
            | Self::GetCertificate
            | Self::GetCertificatePolicy
            | Self::GetCertificateOperation
            | Self::GetDeletedCertificate => "get",
            Self::ListKeys
            | Self::ListKeyVersions
            | Self::ListDeletedKeys
            | Self::ListCertificates
            | Self::ListCertificateVersions
            | Self::ListDeletedCertificates => "list",
            Self::UpdateKey => "update",
            Self::RotateKey => "rotate",
            Self::DeleteKey | Self::DeleteCertificate => "delete",
            Self::RecoverDeletedKey | Self::RecoverDeletedCertificate => "recover",
            Self::PurgeDeletedKey | Self::PurgeDeletedCertificate => "purge",
            Self::BackupKey => "backup",
            Self::RestoreKey => "restore",
            Self::GetRotationPolicy => "getrotationpolicy",
            Self::UpdateRotationPolicy => "setrotationpolicy",
            Self::ReleaseKey => "release",
            other => other.name(),
        }
    }

    /// The collection by which permissions are grouped.
    pub(crate) const fn collection(self) -> &'static str {
        match self {
            Self::CreateCertificate
            | Self::ImportCertificate
            | Self::GetCertificate
            | Self::ListCertificates
            | Self::ListCertificateVersions
            | Self::GetCertificatePolicy
            | Self::GetCertificateOperation
            | Self::DeleteCertificate
            | Self::GetDeletedCertificate
            | Self::ListDeletedCertificates
            | Self::RecoverDeletedCertificate
            | Self::PurgeDeletedCertificate => "certificates",
            _ => "keys",
        }
    }

    /// The data action of a role that permits it, below `Microsoft.KeyVault/`.
    ///
    /// Sources: <https://learn.microsoft.com/azure/key-vault/general/rbac-guide> and
    /// <https://learn.microsoft.com/azure/key-vault/managed-hsm/built-in-roles>.
    pub(crate) fn action(self, persona: Persona) -> String {
        let word = match self {
            Self::WrapKey => "wrap",
            Self::UnwrapKey => "unwrap",
            other => other.permission(),
        };
        match persona {
            Persona::Vault => match self {
                Self::GetRotationPolicy => "vaults/keyrotationpolicies/read".to_owned(),
                Self::UpdateRotationPolicy => "vaults/keyrotationpolicies/write".to_owned(),
                _ if word == "delete" => format!("vaults/{}/delete", self.collection()),
                _ if matches!(word, "get" | "list") => {
                    format!("vaults/{}/read", self.collection())
                }
                _ => format!("vaults/{}/{word}/action", self.collection()),
            },
            Persona::ManagedHsm => match self {
                Self::GetDeletedKey | Self::ListDeletedKeys => {
                    "managedHsm/keys/deletedKeys/read/action".to_owned()
                }
                Self::RecoverDeletedKey => "managedHsm/keys/deletedKeys/recover/action".to_owned(),
                Self::PurgeDeletedKey => "managedHsm/keys/deletedKeys/delete".to_owned(),
                Self::CreateKey => "managedHsm/keys/create".to_owned(),
                Self::DeleteKey => "managedHsm/keys/delete".to_owned(),
                Self::UpdateKey | Self::UpdateRotationPolicy => {
                    "managedHsm/keys/write/action".to_owned()
                }
                Self::GetRotationPolicy => "managedHsm/keys/read/action".to_owned(),
                Self::RandomBytes => "managedHsm/rng/action".to_owned(),
                _ if matches!(word, "get" | "list") => "managedHsm/keys/read/action".to_owned(),
                _ => format!("managedHsm/keys/{word}/action"),
            },
        }
    }

    /// Its name in the service's logs and in the message of an internal error: `KeySign`.
    pub(crate) fn activity(self) -> String {
        let word = match self {
            Self::GetDeletedKey | Self::GetDeletedCertificate => "getDeleted",
            Self::ListDeletedKeys | Self::ListDeletedCertificates => "listDeleted",
            Self::ListKeyVersions | Self::ListCertificateVersions => "listVersions",
            Self::WrapKey => "wrap",
            Self::UnwrapKey => "unwrap",
            other => other.permission(),
        };
        let object = if self.collection() == "keys" { "Key" } else { "Certificate" };
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        format!("{object}{}{}", first.unwrap_or_default(), letters.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_have_the_services_names() {
        let sign = Operation::Sign;
        assert_eq!(sign.action(Persona::Vault), "vaults/keys/sign/action");
        assert_eq!(sign.action(Persona::ManagedHsm), "managedHsm/keys/sign/action");
        assert_eq!(Operation::GetCertificate.action(Persona::Vault), "vaults/certificates/read");
        assert_eq!(Operation::UnwrapKey.action(Persona::Vault), "vaults/keys/unwrap/action");
        assert_eq!(
            (sign.activity(), Operation::GetKey.activity()),
            ("KeySign".into(), "KeyGet".into())
        );
        assert_eq!(Operation::ListDeletedKeys.activity(), "KeyListDeleted");
    }
}
