//! The public parts of a key as parameters, which libcrypto exports to other providers.

use akv_core::PublicKey;
use ossl_abi::names;
use ossl_abi::params::{ParamArray, Values};

use super::KeyObject;
use crate::curve::group_name;
use crate::error::{Error, Result};
use crate::foreign::ForeignKey;
use crate::key_type::KeyType;
use crate::selection::Selection;

/// The selected public parts. If the private part of a vault key is selected, the whole export is
/// refused silently, so that libcrypto keeps using our provider. Public keys have no private part,
/// and libcrypto selects everything when it exports one to another provider.
pub(crate) fn public_parts(key: &KeyObject, selection: Selection) -> Result<ParamArray> {
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
            _ => return Err(Error::Silent),
        };
    }
    Ok(values.build())
}

/// Imports the public half of a key into another provider.
pub(super) fn import_public(key: &KeyObject) -> Option<ForeignKey> {
    let selection = Selection::public_half();
    let params = public_parts(key, selection).ok()?;
    let provider = key.provider();
    let keys = provider.host_keys()?;
    let name = key.kind().c_name();
    let import = || keys.import(name, selection.bits(), params.params());
    let public = provider.host().quietly(import)?;
    Some(ForeignKey::new(public, key.kind(), false))
}
