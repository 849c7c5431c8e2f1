//! Import of a private JSON Web Key (RFC 7517, RFC 7518 section 6).

use std::sync::Arc;

use rsa::{BoxedUint, PrivateKey, pkcs8::EncodePrivateKey};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{Curve, EcKey, KeyMaterial, OctKey, Rejected, RsaKey};
use crate::{base64url, error::ApiError, persona::Persona};

/// Parses the private key of `{"key": {"kty": …}}`.
pub(crate) fn import(persona: Persona, jwk: &Map<String, Value>) -> Result<KeyMaterial, ApiError> {
    let refused = || match persona {
        Persona::Vault => {
            ApiError::bad_parameter("The property \"key\" must be a valid JsonWebKey object.")
        }
        Persona::ManagedHsm => ApiError::bad_parameter("JSON Web Key: invalid key material"),
    };
    let Some(key_type) = jwk.get("kty").and_then(Value::as_str) else {
        return Err(match persona {
            Persona::Vault => refused(),
            Persona::ManagedHsm => ApiError::bad_parameter("JSON Web Key: kty is missing"),
        });
    };
    let material = match key_type {
        "RSA" | "RSA-HSM" => rsa_key(jwk).map(|key| KeyMaterial::Rsa(Arc::new(key))),
        "EC" | "EC-HSM" => ec_key(jwk).map(|key| KeyMaterial::Ec(Arc::new(key))),
        "oct" | "oct-HSM" if persona == Persona::ManagedHsm => {
            member(jwk, "k").and_then(|k| OctKey::new(&k)).map(|k| KeyMaterial::Oct(Arc::new(k)))
        }
        _ => return Err(ApiError::invalid_value("")),
    };
    material.map_err(|Rejected| refused())
}

fn rsa_key(jwk: &Map<String, Value>) -> Result<RsaKey, Rejected> {
    let number =
        |name| member(jwk, name).map(|bytes| BoxedUint::from_be_slice_vartime(trim_zeros(&bytes)));
    let modulus = member(jwk, "n")?;
    if ![2048, 3072, 4096].contains(&(trim_zeros(&modulus).len() * 8)) {
        return Err(Rejected);
    }
    let primes = vec![number("p")?, number("q")?];
    let key = PrivateKey::from_components(number("n")?, number("e")?, number("d")?, primes)
        .map_err(|_| Rejected)?;
    let der = key.to_pkcs8_der().map_err(|_| Rejected)?;
    RsaKey::from_pkcs8(der.as_bytes())
}

fn ec_key(jwk: &Map<String, Value>) -> Result<EcKey, Rejected> {
    let curve =
        jwk.get("crv").and_then(Value::as_str).and_then(Curve::from_name).ok_or(Rejected)?;
    let full_width = |name| {
        let bytes = member(jwk, name)?;
        let bytes = trim_zeros(&bytes);
        let missing = curve.coordinate_len().checked_sub(bytes.len()).ok_or(Rejected)?;
        Ok::<_, Rejected>(Zeroizing::new([&vec![0; missing], bytes].concat()))
    };
    EcKey::from_parts(curve, &full_width("d")?, &full_width("x")?, &full_width("y")?)
}

fn member(jwk: &Map<String, Value>, name: &str) -> Result<Zeroizing<Vec<u8>>, Rejected> {
    let text = jwk.get(name).and_then(Value::as_str).ok_or(Rejected)?;
    base64url::decode(text).map(Zeroizing::new).ok_or(Rejected)
}

fn trim_zeros(bytes: &[u8]) -> &[u8] {
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    &bytes[first..]
}
