//! Human-readable output of keys.

use std::fmt::Write as _;

use akv_core::blocking::Key;
use akv_core::{Curve, KeyAttributes, KeyReference, KeyType, PublicKey, VaultKind};

use crate::error::{Error, Result};
use crate::key::KeyObject;
use crate::selection::Selection;

/// The output of `openssl pkey -text` (`-text_pub`): the location of the private half, and the
/// public half in the usual format.
pub(super) fn describe(key: &KeyObject, selection: Selection) -> Result<String> {
    let mut text = String::new();
    let vault_key = key.vault_key().filter(|_| selection.private());
    let public = key.require_public()?;
    let kind = if vault_key.is_some() { "Private-Key" } else { "Public-Key" };
    line(&mut text, format_args!("{kind}: ({} bit)", public.bits()));
    if let Some(key) = vault_key {
        location(&mut text, key.reference(), key.version());
        line(&mut text, format_args!("Hardware-protected: {}", hardware(key)));
    }
    match public {
        PublicKey::Rsa(key) => {
            line(&mut text, format_args!("Modulus:"));
            hex(&mut text, &with_sign_byte(key.modulus()));
            exponent(&mut text, key.exponent());
        }
        PublicKey::Ec(key) => {
            line(&mut text, format_args!("pub:"));
            hex(&mut text, key.point());
            let (oid, nist) = match key.curve() {
                Curve::P256 => ("prime256v1", Some("P-256")),
                Curve::P256K => ("secp256k1", None),
                Curve::P384 => ("secp384r1", Some("P-384")),
                Curve::P521 => ("secp521r1", Some("P-521")),
            };
            line(&mut text, format_args!("ASN1 OID: {oid}"));
            if let Some(nist) = nist {
                line(&mut text, format_args!("NIST CURVE: {nist}"));
            }
        }
        _ => return Err(Error::unsupported("keys of this type have no text")),
    }
    Ok(text)
}

/// The text of a symmetric key. Nothing else is known outside the HSM.
pub(super) fn symmetric(reference: &KeyReference, version: &str) -> String {
    let mut text = String::new();
    line(&mut text, format_args!("Symmetric-Key: (AES, size not reported by the service)"));
    location(&mut text, reference, version);
    line(&mut text, format_args!("Hardware-protected: yes"));
    text
}

fn location(text: &mut String, reference: &KeyReference, version: &str) {
    let place = match reference.kind() {
        VaultKind::Vault => "Key Vault",
        VaultKind::ManagedHsm => "Managed HSM",
    };
    line(text, format_args!("Held in: Azure {place} (cannot be exported)"));
    line(text, format_args!("Vault: {}", reference.vault_name()));
    line(text, format_args!("Key: {}", reference.key_name().unwrap_or_default()));
    line(text, format_args!("Version: {version}"));
}

/// Whether the key is in a hardware security module. This is unknown if a key of a vault was loaded
/// from a key file.
fn hardware(key: &Key) -> &'static str {
    let known = key.attributes().and_then(KeyAttributes::key_type).map(KeyType::is_hardware);
    match known {
        _ if key.reference().kind() == VaultKind::ManagedHsm => "yes",
        Some(true) => "yes",
        Some(false) => "no",
        None => "not stated in the key file",
    }
}

fn line(text: &mut String, content: std::fmt::Arguments<'_>) {
    writeln!(text, "{content}").expect("a string takes text");
}

/// A number in the form of a DER INTEGER: with a zero byte if its top bit is set.
fn with_sign_byte(number: &[u8]) -> Vec<u8> {
    let sign = number.first().is_some_and(|byte| byte & 0x80 != 0);
    [&[0][..usize::from(sign)], number].concat()
}

fn hex(text: &mut String, bytes: &[u8]) {
    for (index, row) in bytes.chunks(15).enumerate() {
        let row: Vec<_> = row.iter().map(|byte| format!("{byte:02x}")).collect();
        let more = if (index + 1) * 15 < bytes.len() { ":" } else { "" };
        line(text, format_args!("    {}{more}", row.join(":")));
    }
}

fn exponent(text: &mut String, bytes: &[u8]) {
    if bytes.len() <= 8 {
        let number = bytes.iter().fold(0_u64, |number, &byte| number << 8 | u64::from(byte));
        line(text, format_args!("Exponent: {number} ({number:#x})"));
    } else {
        line(text, format_args!("Exponent:"));
        hex(text, &with_sign_byte(bytes));
    }
}
