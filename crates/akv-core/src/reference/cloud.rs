//! The Azure clouds, with their host names, token audiences and authorities.

use std::{fmt, str::FromStr};

use strum::{IntoStaticStr, VariantArray};

use crate::{Error, ErrorKind};

/// The two services that hold keys.
///
/// ```
/// use akv_core::{KeyReference, VaultKind};
///
/// let reference: KeyReference = "managedhsm:myHsm:myKey".parse()?;
/// assert_eq!(reference.kind(), VaultKind::ManagedHsm);
/// assert_eq!(reference.kind().as_str(), "managedHsm");
/// assert_eq!("VAULT".parse::<VaultKind>()?, VaultKind::Vault);
/// # Ok::<(), akv_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VaultKind {
    /// Azure Key Vault.
    Vault,
    /// Azure Key Vault Managed HSM.
    ManagedHsm,
}

impl VaultKind {
    /// The word used in key references: `vault` or `managedHsm`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vault => "vault",
            Self::ManagedHsm => "managedHsm",
        }
    }
}

impl fmt::Display for VaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for VaultKind {
    type Err = Error;

    /// Parses `vault` or `managedHsm`, ignoring case.
    fn from_str(text: &str) -> Result<Self, Error> {
        [Self::Vault, Self::ManagedHsm]
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| Error::new(ErrorKind::Reference, "expected vault or managedHsm"))
    }
}

/// A national cloud of Azure.
///
/// ```
/// use akv_core::{Cloud, VaultKind};
///
/// let cloud: Cloud = "usgov".parse()?;
/// assert_eq!(cloud.dns_suffix(VaultKind::Vault), "vault.usgovcloudapi.net");
/// assert_eq!(cloud.authority(), "https://login.microsoftonline.us");
/// assert_eq!(Cloud::default(), Cloud::Public);
/// # Ok::<(), akv_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
#[non_exhaustive]
pub enum Cloud {
    /// The public cloud.
    #[default]
    Public,
    /// Azure US Government.
    UsGov,
    /// Azure operated by 21Vianet in China.
    China,
}

impl Cloud {
    /// The name of this value in the setting.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The DNS suffix of this cloud's vaults of `kind`. After `https://` it is also the audience of
    /// their tokens.
    pub fn dns_suffix(self, kind: VaultKind) -> &'static str {
        match (self, kind) {
            (Self::Public, VaultKind::Vault) => "vault.azure.net",
            (Self::Public, VaultKind::ManagedHsm) => "managedhsm.azure.net",
            (Self::UsGov, VaultKind::Vault) => "vault.usgovcloudapi.net",
            (Self::UsGov, VaultKind::ManagedHsm) => "managedhsm.usgovcloudapi.net",
            (Self::China, VaultKind::Vault) => "vault.azure.cn",
            (Self::China, VaultKind::ManagedHsm) => "managedhsm.azure.cn",
        }
    }

    /// The URL of the Microsoft Entra authority that issues this cloud's tokens.
    pub fn authority(self) -> &'static str {
        match self {
            Self::Public => "https://login.microsoftonline.com",
            Self::UsGov => "https://login.microsoftonline.us",
            Self::China => "https://login.chinacloudapi.cn",
        }
    }
}

impl FromStr for Cloud {
    type Err = Error;

    /// Parses `public`, `usgov` or `china`, ignoring case. The error lists them.
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::VARIANTS
            .iter()
            .copied()
            .find(|cloud| cloud.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| Error::new(ErrorKind::Settings, "expected public, usgov or china"))
    }
}
