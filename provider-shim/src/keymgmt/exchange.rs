//! Import and export of public keys, which is how libcrypto compares keys of different providers.

use super::Selection;
use crate::error::{Error, Result};
use crate::foreign::ForeignKey;
use crate::key::{KeyObject, KeyType, Material};
use crate::provider::Provider;
use akv_core::{Curve, EcPublicKey, PublicKey, RsaPublicKey};
use ossl_abi::names;
use ossl_abi::params::{ParamArray, Params, Values};
use std::ffi::CStr;

/// OpenSSL's name of a curve.
pub(super) fn group_name(curve: Curve) -> &'static CStr {
    match curve {
        Curve::P256 => c"prime256v1",
        Curve::P256K => c"secp256k1",
        Curve::P384 => c"secp384r1",
        Curve::P521 => c"secp521r1",
    }
}

pub(crate) fn curve_of(name: &str) -> Option<Curve> {
    const NAMES: [(Curve, &[&str]); 4] = [
        (Curve::P256, &["prime256v1", "P-256", "secp256r1", "1.2.840.10045.3.1.7"]),
        (Curve::P256K, &["secp256k1", "1.3.132.0.10"]),
        (Curve::P384, &["secp384r1", "P-384", "1.3.132.0.34"]),
        (Curve::P521, &["secp521r1", "P-521", "1.3.132.0.35"]),
    ];
    let known = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    NAMES.iter().find(|(_, names)| known(names)).map(|(curve, _)| *curve)
}

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

/// The public half of a key in the hands of another provider.
pub(crate) fn public_elsewhere(key: &KeyObject) -> Option<ForeignKey> {
    let selection = Selection::public_half();
    let params = export(key, selection).ok()?;
    let provider = key.provider();
    let keys = provider.host_keys()?;
    let name = key.kind().c_name();
    let import = || keys.import(name, selection.raw(), params.params());
    let public = provider.host().quietly(import)?;
    Some(ForeignKey::new(public, key.kind(), false))
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

/// The public parts that are selected. The private ones of a key in a vault cannot be: the whole
/// export is refused, silently, so that libcrypto leaves the key with us. Of a public key there are
/// none, and libcrypto selects everything when it takes one to another provider.
pub(crate) fn export(key: &KeyObject, selection: Selection) -> Result<ParamArray> {
    if selection.private() && key.vault_key().is_some() {
        return Err(Error::Silent);
    }
    let mut values = Values::new();
    if let Some(curve) = key.curve() {
        let name = group_name(curve).to_str().expect("names of curves are ASCII");
        values = values
            .utf8(names::GROUP_NAME, name)
            .utf8(names::EC_ENCODING, "named_curve")
            .utf8(names::EC_POINT_FORMAT, "uncompressed");
    } else if key.kind() == KeyType::Ec {
        return Err(Error::Silent);
    }
    if selection.public() {
        values = match key.public_key().ok_or(Error::Silent)? {
            PublicKey::Rsa(key) => {
                values.bignum(names::RSA_N, key.modulus()).bignum(names::RSA_E, key.exponent())
            }
            PublicKey::Ec(key) => values.octets(names::PUB_KEY, key.point()),
        };
    }
    Ok(values.build())
}
