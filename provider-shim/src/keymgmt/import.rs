//! Import of public keys, which libcrypto uses to compare keys of different providers.

use akv_core::{EcPublicKey, PublicKey, RsaPublicKey};
use ossl_abi::names;
use ossl_abi::params::Params;

use crate::curve::curve_of;
use crate::error::{Error, Result};
use crate::foreign::ForeignKey;
use crate::key::Material;
use crate::key_type::KeyType;
use crate::provider::Provider;
use crate::selection::Selection;

/// Imports a public key or a group from another provider. All other keys are refused silently,
/// since libcrypto tries every provider in turn.
pub(super) fn import(
    provider: &Provider,
    kind: KeyType,
    selection: Selection,
    params: Params<'_>,
) -> Result<Material> {
    // Checks the actual content: some releases select everything to export a public key. Structures
    // of vault keys contain a zero as the private value.
    let private = [names::RSA_D, names::PRIV_KEY].iter().any(|name| {
        params.get(name).is_some_and(|value| value.bignum().map_or(true, |d| !d.is_empty()))
    });
    if private {
        return import_private(provider, kind, selection, params)
            .map(Material::Foreign)
            .ok_or(Error::Silent);
    }
    let material = match kind {
        KeyType::Rsa if selection.key_pair() => import_rsa(params),
        KeyType::Rsa => None,
        KeyType::Ec => import_ec(selection, params),
    };
    material.ok_or(Error::Silent)
}

/// Imports a private key of the host. Normally such a key stays with its provider. If that provider
/// has no key management, libcrypto offers the key only to the provider that the host prefers.
/// `base`, whose decoders read all keys, is such a provider. The key is passed on to a provider
/// that accepts it.
fn import_private(
    provider: &Provider,
    kind: KeyType,
    selection: Selection,
    params: Params<'_>,
) -> Option<ForeignKey> {
    let keys = provider.host_keys().filter(|_| provider.host().has_provider(c"base"))?;
    provider.host().quietly(|| ForeignKey::import(keys, kind, selection, params))
}

fn import_rsa(params: Params<'_>) -> Option<Material> {
    let n = params.get(names::RSA_N)?.bignum().ok()?;
    let e = params.get(names::RSA_E)?.bignum().ok()?;
    Some(Material::Public(PublicKey::Rsa(RsaPublicKey::new(&n, &e).ok()?)))
}

fn import_ec(selection: Selection, params: Params<'_>) -> Option<Material> {
    let curve = curve_of(params.get(names::GROUP_NAME)?.utf8().ok()?)?;
    match params.get(names::PUB_KEY).filter(|_| selection.key_pair()) {
        Some(point) => {
            let key = EcPublicKey::from_point(curve, point.octets().ok()?).ok()?;
            Some(Material::Public(PublicKey::Ec(key)))
        }
        None => Some(Material::group(curve)),
    }
}
