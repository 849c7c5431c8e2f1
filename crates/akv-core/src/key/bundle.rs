//! The service's response about a key: identifier, key and attributes.

use azure_security_keyvault_keys::models::{
    CurveName, JsonWebKey, Key as SdkKey, KeyType as SdkKeyType,
};

use super::{KeyAttributes, KeyType};
use crate::{
    Curve, EcPublicKey, Error, ErrorKind, KeyReference, PublicKey, Result, RsaPublicKey, outside,
};

/// The part of a key that leaves the vault.
#[derive(Clone, Debug)]
pub(crate) enum Material {
    /// A key pair: its public half.
    Asymmetric(PublicKey),
    /// A symmetric key, no part of which leaves the vault.
    Symmetric,
}

/// One version of a key, as returned by the service.
#[derive(Clone, Debug)]
pub(crate) struct Bundle {
    /// 32 lower-case hexadecimal digits.
    pub(crate) version: String,
    pub(crate) material: Material,
    pub(crate) attributes: KeyAttributes,
}

impl Bundle {
    /// Reads a response, which must be about the key that `reference` names.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] for a key of an unusable type, [`ErrorKind::Response`] for an
    /// invalid response.
    pub(crate) fn read(answer: SdkKey, reference: &KeyReference) -> Result<Self> {
        let jwk = answer.key.ok_or_else(|| wrong("it contains no key"))?;
        let version = version(&jwk, reference)?;
        let key_type = jwk.kty.as_ref().ok_or_else(|| wrong("no kty in the key"))?.into();
        let attributes = KeyAttributes::new(answer.attributes, answer.managed, answer.tags)
            .of_key(key_type, jwk.key_ops.as_deref());
        Ok(Self { version, material: material(jwk)?, attributes })
    }
}

/// The version in the key's identifier, `https://HOST/keys/NAME/VERSION`. The host is ignored:
/// proxies and emulators have others.
fn version(jwk: &JsonWebKey, reference: &KeyReference) -> Result<String> {
    let kid = jwk.kid.as_deref().ok_or_else(|| wrong("it contains no key identifier"))?;
    let (name, version) =
        name_and_version(kid).ok_or_else(|| wrong("its key identifier has no name and version"))?;
    let version = version.ok_or_else(|| wrong("no version in the key identifier"))?;
    if !reference.key_name().is_some_and(|requested| requested.eq_ignore_ascii_case(name)) {
        return Err(wrong("it is for another key"));
    }
    match reference.version() {
        Some(requested) if requested != version => {
            Err(wrong("it is for another version of the key"))
        }
        _ => Ok(version),
    }
}

/// Splits `https://HOST/keys/NAME[/VERSION]`.
pub(crate) fn name_and_version(kid: &str) -> Option<(&str, Option<String>)> {
    let (_, path) = kid.split_once("/keys/")?;
    match path.split_once('/') {
        None => Some((path, None)),
        Some((name, version)) => {
            is_version(version).then(|| (name, Some(version.to_ascii_lowercase())))
        }
    }
}

pub(crate) fn is_version(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The content of a JWK (RFC 7517, with the service's names of key types and curves).
fn material(jwk: JsonWebKey) -> Result<Material> {
    let member = |value: Option<Vec<u8>>, name: &str| {
        value.ok_or_else(|| wrong(&format!("no {name} in the key")))
    };
    let public_key = match jwk.kty.as_ref() {
        Some(SdkKeyType::Rsa | SdkKeyType::RsaHsm) => {
            RsaPublicKey::new(&member(jwk.n, "n")?, &member(jwk.e, "e")?).map(PublicKey::Rsa)
        }
        Some(SdkKeyType::Ec | SdkKeyType::EcHsm) => {
            let curve = curve(jwk.crv.as_ref())?;
            EcPublicKey::new(curve, &member(jwk.x, "x")?, &member(jwk.y, "y")?).map(PublicKey::Ec)
        }
        Some(SdkKeyType::Oct | SdkKeyType::OctHsm) => return Ok(Material::Symmetric),
        other => {
            let name = other.map_or_else(String::new, |kty| KeyType::from(kty).to_string());
            return Err(unsupported(&format!("keys of type {}", outside::name(&name))));
        }
    };
    public_key.map(Material::Asymmetric).map_err(|error| wrong(error.message()))
}

fn curve(name: Option<&CurveName>) -> Result<Curve> {
    Ok(match name.ok_or_else(|| wrong("no crv in the key"))? {
        CurveName::P256 => Curve::P256,
        CurveName::P256K => Curve::P256K,
        CurveName::P384 => Curve::P384,
        CurveName::P521 => Curve::P521,
        other => {
            let name = other.to_string();
            return Err(unsupported(&format!("keys on curve {}", outside::name(&name))));
        }
    })
}

fn wrong(what: &str) -> Error {
    Error::new(ErrorKind::Response, what)
}

fn unsupported(what: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("{what} are not supported"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_split_for_any_host() {
        let version = "0123456789ABCDEF0123456789abcdef";
        let kid = format!("https://127.0.0.1:8443/keys/web/{version}");
        let split = name_and_version(&kid).unwrap();
        assert_eq!(split, ("web", Some(version.to_ascii_lowercase())));
        assert_eq!(name_and_version("https://v.vault.azure.net/keys/web"), Some(("web", None)));
        for wrong in
            ["", "web", "https://v/secrets/web", "https://v/keys/web/1", &format!("{kid}/x")]
        {
            assert_eq!(name_and_version(wrong), None, "{wrong}");
        }
    }
}
