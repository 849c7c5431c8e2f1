//! The operations of the data plane.

mod permission;

use serde::{Deserialize, Serialize};
use strum::VariantArray;

/// One operation of the data plane, or a request for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, VariantArray)]
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
    ReleaseKey,
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
    DeleteCertificate,
    GetDeletedCertificate,
    ListDeletedCertificates,
    RecoverDeletedCertificate,
    PurgeDeletedCertificate,
    /// A token request to one of the identity endpoints or to the authority.
    Token,
}

impl Operation {
    /// Every operation, in the order of their discriminants.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// Whether the response is a page of a list.
    pub(crate) const fn lists(self) -> bool {
        matches!(
            self,
            Self::ListKeys
                | Self::ListKeyVersions
                | Self::ListDeletedKeys
                | Self::ListCertificates
                | Self::ListCertificateVersions
                | Self::ListDeletedCertificates
        )
    }

    /// Whether it concerns deleted keys, or a name that a deleted key may have.
    pub(crate) const fn meets_deleted(self) -> bool {
        matches!(
            self,
            Self::CreateKey
                | Self::ImportKey
                | Self::RestoreKey
                | Self::GetDeletedKey
                | Self::ListDeletedKeys
                | Self::RecoverDeletedKey
                | Self::PurgeDeletedKey
                | Self::CreateCertificate
                | Self::ImportCertificate
                | Self::GetDeletedCertificate
                | Self::ListDeletedCertificates
                | Self::RecoverDeletedCertificate
                | Self::PurgeDeletedCertificate
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
            Self::ReleaseKey => "releaseKey",
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
            Self::DeleteCertificate => "deleteCertificate",
            Self::GetDeletedCertificate => "getDeletedCertificate",
            Self::ListDeletedCertificates => "listDeletedCertificates",
            Self::RecoverDeletedCertificate => "recoverDeletedCertificate",
            Self::PurgeDeletedCertificate => "purgeDeletedCertificate",
            Self::Token => "token",
        }
    }
}
