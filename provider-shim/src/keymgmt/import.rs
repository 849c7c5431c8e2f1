//! Import of public keys, which is how libcrypto compares keys of different providers.

use crate::curve::curve_of;
use crate::error::{Error, Result};
use crate::foreign::ForeignKey;
use crate::key::Material;
use crate::key_type::KeyType;
use crate::provider::Provider;
use crate::selection::Selection;
use akv_core::{EcPublicKey, PublicKey, RsaPublicKey};
use ossl_abi::names;
use ossl_abi::params::Params;

/// A public key or a group from another provider. Whatever is not ours to hold is refused
/// silently: libcrypto asks every provider in turn.
pub(super) fn import(
    provider: &Provider,
    kind: KeyType,
    selection: Selection,
    params: Params<'_>,
) -> Result<Material> {
    // What counts is what is there: some releases select everything to export a public key. Zero is
    // what structures of keys in vaults have.
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

/// A private key of the host's own. It stays with its provider, except where that has no key
/// management: libcrypto then offers the key to whichever one the host prefers, and goes no further
/// when that refuses. `base`, whose decoders read everybody's keys, is such a provider. The key is
/// passed on to one that takes it.
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
