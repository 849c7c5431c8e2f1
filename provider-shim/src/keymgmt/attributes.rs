//! The parameters of keys.

use akv_core::{Curve, EcPublicKey, PublicKey, RsaPublicKey};
use ossl_abi::names;
use ossl_abi::params::Answers;

use crate::curve::{ecdsa_max_len, group_name, numbers};
use crate::error::Result;
use crate::key::KeyObject;

/// Fills in what the object's content allows; other parameters are left unmodified.
pub(super) fn answer(key: &KeyObject, answers: &mut Answers<'_>) -> Result<()> {
    match key.public_key() {
        Some(PublicKey::Rsa(key)) => answer_rsa(key, answers)?,
        Some(PublicKey::Ec(key)) => answer_point(key, answers)?,
        _ => {}
    }
    if let Some(curve) = key.curve() {
        answer_curve(curve, answers)?;
    }
    if key.public_key().is_some() || key.curve().is_some() {
        answers.utf8_static(names::DEFAULT_DIGEST, c"SHA256")?;
        // Category 0 means none: neither type is quantum-resistant.
        answers.integer(names::SECURITY_CATEGORY, 0_i32)?;
    }
    Ok(())
}

fn answer_rsa(key: &RsaPublicKey, answers: &mut Answers<'_>) -> Result<()> {
    answers.integer(names::BITS, int(key.bits()))?;
    answers.integer(names::SECURITY_BITS, int(rsa_security_bits(key.bits())))?;
    answers.integer(names::MAX_SIZE, int(key.size()))?;
    answers.bignum(names::RSA_N, key.modulus())?;
    answers.bignum(names::RSA_E, key.exponent())?;
    Ok(())
}

fn answer_curve(curve: Curve, answers: &mut Answers<'_>) -> Result<()> {
    answers.integer(names::BITS, int(curve.bits()))?;
    // Half the order's size (NIST SP 800-57 part 1 table 2); P-521 counts as 256.
    answers.integer(names::SECURITY_BITS, int((curve.bits() / 2).min(256)))?;
    answers.integer(names::MAX_SIZE, int(ecdsa_max_len(curve)))?;
    answers.utf8_static(names::GROUP_NAME, group_name(curve))?;
    answers.utf8_static(names::EC_ENCODING, c"named_curve")?;
    answers.utf8_static(names::EC_POINT_FORMAT, c"uncompressed")?;
    answers.utf8_static(names::EC_FIELD_TYPE, c"prime-field")?;
    answers.integer(names::EC_DECODED_FROM_EXPLICIT, 0_i32)?;
    answers.integer(names::EC_INCLUDE_PUBLIC, 1_i32)?;
    answers.integer(names::USE_COFACTOR, 0_i32)?;
    answers.integer(names::EC_FIELD_DEGREE, int(curve.bits()))?;
    let numbers = numbers(curve);
    answers.bignum(names::EC_P, numbers.p)?;
    answers.bignum(names::EC_A, numbers.a)?;
    answers.bignum(names::EC_B, numbers.b)?;
    answers.octets(names::EC_GENERATOR, numbers.generator)?;
    answers.bignum(names::EC_ORDER, numbers.order)?;
    answers.bignum(names::EC_COFACTOR, &[1])?;
    if let Some(seed) = numbers.seed {
        answers.octets(names::EC_SEED, seed)?;
    }
    Ok(())
}

fn answer_point(key: &EcPublicKey, answers: &mut Answers<'_>) -> Result<()> {
    answers.octets(names::ENCODED_PUBLIC_KEY, key.point())?;
    answers.octets(names::PUB_KEY, key.point())?;
    answers.bignum(names::EC_PUB_X, key.x())?;
    answers.bignum(names::EC_PUB_Y, key.y())?;
    Ok(())
}

fn int(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// Strength of an RSA modulus as calculated by libcrypto: NIST SP 800-56B revision 2 appendix D,
/// rounded to a multiple of eight.
fn rsa_security_bits(bits: usize) -> usize {
    match bits {
        2048 => return 112,
        3072 => return 128,
        4096 => return 152,
        6144 => return 176,
        7680 => return 192,
        8192 => return 200,
        15360 => return 256,
        _ => {}
    }
    let ln_n = bits as f64 * std::f64::consts::LN_2;
    let work = (1.923 * (ln_n * ln_n.ln().powi(2)).cbrt() - 4.69) / std::f64::consts::LN_2;
    let rounded = ((work as usize) + 4) & !7;
    match bits {
        ..=7680 => rounded.min(192),
        7681..=15360 => rounded.min(256),
        _ => rounded.min(1200),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strengths_are_those_of_openssl() {
        // EVP_PKEY_get_security_bits() of keys of these sizes.
        let strengths = [
            (512, 56),
            (1024, 80),
            (1536, 96),
            (2048, 112),
            (2560, 120),
            (3072, 128),
            (4096, 152),
            (5000, 160),
            (10240, 224),
            (16384, 272),
        ];
        for (bits, strength) in strengths {
            assert_eq!(rsa_security_bits(bits), strength, "{bits}");
        }
    }
}
