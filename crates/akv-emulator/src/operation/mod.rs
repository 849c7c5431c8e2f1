//! The operations of the data plane.

mod call;

use serde::{Deserialize, Serialize};

pub(crate) use self::call::{Call, is_valid_name};

/// One operation of the data plane, or a request for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the names are those of the REST reference")]
pub enum Operation {
    CreateKey,
    ImportKey,
    GetKey,
    ListKeys,
    ListKeyVersions,
    UpdateKey,
    RotateKey,
    DeleteKey,
    GetDeletedKey,
    ListDeletedKeys,
    RecoverDeletedKey,
    PurgeDeletedKey,
    BackupKey,
    RestoreKey,
    GetRotationPolicy,
    UpdateRotationPolicy,
    Sign,
    Verify,
    Encrypt,
    Decrypt,
    WrapKey,
    UnwrapKey,
    RandomBytes,
    CreateCertificate,
    ImportCertificate,
    GetCertificate,
    ListCertificates,
    ListCertificateVersions,
    GetCertificatePolicy,
    GetCertificateOperation,
    /// A token request to one of the identity endpoints or to the authority.
    Token,
}

impl Operation {
    /// Every operation, in the order of their discriminants.
    pub const ALL: [Self; 31] = [
        Self::CreateKey,
        Self::ImportKey,
        Self::GetKey,
        Self::ListKeys,
        Self::ListKeyVersions,
        Self::UpdateKey,
        Self::RotateKey,
        Self::DeleteKey,
        Self::GetDeletedKey,
        Self::ListDeletedKeys,
        Self::RecoverDeletedKey,
        Self::PurgeDeletedKey,
        Self::BackupKey,
        Self::RestoreKey,
        Self::GetRotationPolicy,
        Self::UpdateRotationPolicy,
        Self::Sign,
        Self::Verify,
        Self::Encrypt,
        Self::Decrypt,
        Self::WrapKey,
        Self::UnwrapKey,
        Self::RandomBytes,
        Self::CreateCertificate,
        Self::ImportCertificate,
        Self::GetCertificate,
        Self::ListCertificates,
        Self::ListCertificateVersions,
        Self::GetCertificatePolicy,
        Self::GetCertificateOperation,
        Self::Token,
    ];

    /// Whether the answer is a page of a list.
    pub(crate) const fn lists(self) -> bool {
        matches!(
            self,
            Self::ListKeys
                | Self::ListKeyVersions
                | Self::ListDeletedKeys
                | Self::ListCertificates
                | Self::ListCertificateVersions
        )
    }

    /// The name used in statistics and in the control interface's JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CreateKey => "createKey",
            Self::ImportKey => "importKey",
            Self::GetKey => "getKey",
            Self::ListKeys => "listKeys",
            Self::ListKeyVersions => "listKeyVersions",
            Self::UpdateKey => "updateKey",
            Self::RotateKey => "rotateKey",
            Self::DeleteKey => "deleteKey",
            Self::GetDeletedKey => "getDeletedKey",
            Self::ListDeletedKeys => "listDeletedKeys",
            Self::RecoverDeletedKey => "recoverDeletedKey",
            Self::PurgeDeletedKey => "purgeDeletedKey",
            Self::BackupKey => "backupKey",
            Self::RestoreKey => "restoreKey",
            Self::GetRotationPolicy => "getRotationPolicy",
            Self::UpdateRotationPolicy => "updateRotationPolicy",
            Self::Sign => "sign",
            Self::Verify => "verify",
            Self::Encrypt => "encrypt",
            Self::Decrypt => "decrypt",
            Self::WrapKey => "wrapKey",
            Self::UnwrapKey => "unwrapKey",
            Self::RandomBytes => "randomBytes",
            Self::CreateCertificate => "createCertificate",
            Self::ImportCertificate => "importCertificate",
            Self::GetCertificate => "getCertificate",
            Self::ListCertificates => "listCertificates",
            Self::ListCertificateVersions => "listCertificateVersions",
            Self::GetCertificatePolicy => "getCertificatePolicy",
            Self::GetCertificateOperation => "getCertificateOperation",
            Self::Token => "token",
        }
    }

    /// The service's word for it in permissions, `key_ops` and messages.
    pub(crate) const fn permission(self) -> &'static str {
        match self {
            Self::CreateKey | Self::CreateCertificate => "create",
            Self::ImportKey | Self::ImportCertificate => "import",
            Self::GetKey
            | Self::GetDeletedKey
            | Self::GetCertificate
            | Self::GetCertificatePolicy
            | Self::GetCertificateOperation => "get",
            Self::ListKeys
            | Self::ListKeyVersions
            | Self::ListDeletedKeys
            | Self::ListCertificates
            | Self::ListCertificateVersions => "list",
            Self::UpdateKey => "update",
            Self::RotateKey => "rotate",
            Self::DeleteKey => "delete",
            Self::RecoverDeletedKey => "recover",
            Self::PurgeDeletedKey => "purge",
            Self::BackupKey => "backup",
            Self::RestoreKey => "restore",
            Self::GetRotationPolicy => "getrotationpolicy",
            Self::UpdateRotationPolicy => "setrotationpolicy",
            other => other.name(),
        }
    }

    /// What it is about, as permissions are grouped.
    pub(crate) const fn collection(self) -> &'static str {
        match self {
            Self::CreateCertificate
            | Self::ImportCertificate
            | Self::GetCertificate
            | Self::ListCertificates
            | Self::ListCertificateVersions
            | Self::GetCertificatePolicy
            | Self::GetCertificateOperation => "certificates",
            _ => "keys",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn discriminants_follow_all() {
        for (index, operation) in Operation::ALL.into_iter().enumerate() {
            assert_eq!(operation as usize, index);
        }
    }
}
