//! sign, verify, encrypt, decrypt, wrapKey, unwrapKey and random bytes.

use std::sync::Arc;

use aws_lc_rs::rand;
use serde_json::{Map, Value, json};

use super::Context;
use crate::{
    base64url,
    error::ApiError,
    keys::{
        KeyMaterial, OctKey, Rejected,
        algorithm::{EncryptionAlgorithm, RsaSignature, SignatureAlgorithm},
    },
    operation::Operation,
    persona::Persona,
    reply::Reply,
    request::blocking,
    store::KeyVersion,
};

/// Runs an operation with a key's private part.
pub(super) async fn run(context: &Context<'_>) -> Result<Reply, ApiError> {
    let call = context.call;
    let (name, version) = context.version()?;
    let word = call.operation.permission();
    version.attributes.permit(call.operation, context.state.clock.now())?;
    if !version.operations.iter().any(|permitted| permitted == word) {
        return Err(ApiError::operation_forbidden(word));
    }
    let algorithm = text(&context.body, "alg")?.to_owned();
    let kid = version.url(context.target, &name);
    let (operation, persona, body) = (call.operation, context.persona(), context.body.clone());
    let work = {
        let (algorithm, kid) = (algorithm.clone(), kid.clone());
        let version = Arc::clone(&version);
        move || match operation {
            Operation::Sign => sign(persona, &version, &algorithm, &kid, &body),
            Operation::Verify => verify(persona, &version, &algorithm, &kid, &body),
            _ => cipher(operation, &version, &algorithm, &kid, &body),
        }
    };
    // EC and AES take microseconds; RSA up to some milliseconds.
    let mut result = match version.material {
        KeyMaterial::Rsa(_) => blocking(work).await?,
        KeyMaterial::Ec(_) | KeyMaterial::Oct(_) => work()?,
    };
    match persona {
        Persona::Vault if operation == Operation::Verify => {}
        Persona::Vault => {
            result.insert("kid".into(), kid.into());
        }
        Persona::ManagedHsm => {
            result.insert("kid".into(), kid.into());
            result.insert("alg".into(), algorithm.into());
        }
    }
    Ok(Reply::ok(Value::Object(result)))
}

fn sign(
    persona: Persona,
    version: &KeyVersion,
    algorithm: &str,
    kid: &str,
    body: &Value,
) -> Result<Map<String, Value>, ApiError> {
    let digest = bytes(body, "value")?;
    let parsed = signature_algorithm(persona, version, algorithm, kid, ("value", &digest))?;
    let signature = match (&version.material, parsed) {
        (KeyMaterial::Rsa(key), SignatureAlgorithm::Rsa(algorithm)) => key.sign(algorithm, &digest),
        (KeyMaterial::Ec(key), _) => key.sign(&digest),
        (KeyMaterial::Oct(key), _) => Ok(key.hmac(digest.len(), &digest)),
        _ => Err(Rejected),
    };
    let signature = signature.map_err(|Rejected| ApiError::invalid_value("value"))?;
    Ok(value(base64url::encode(signature).into()))
}

fn verify(
    persona: Persona,
    version: &KeyVersion,
    algorithm: &str,
    kid: &str,
    body: &Value,
) -> Result<Map<String, Value>, ApiError> {
    let (digest, signature) = (bytes(body, "digest")?, bytes(body, "value")?);
    let parsed = signature_algorithm(persona, version, algorithm, kid, ("digest", &digest))?;
    let valid = match (&version.material, parsed) {
        (KeyMaterial::Rsa(key), SignatureAlgorithm::Rsa(algorithm)) => {
            key.verify(algorithm, &digest, &signature)
        }
        (KeyMaterial::Ec(key), _) => key.verify(&digest, &signature),
        (KeyMaterial::Oct(key), _) => Ok(key.verify_hmac(digest.len(), &digest, &signature)),
        _ => Err(Rejected),
    };
    Ok(value(valid.map_err(|Rejected| ApiError::invalid_value("digest"))?.into()))
}

/// Checks that the algorithm exists, that the key can use it, and the digest's length.
fn signature_algorithm(
    persona: Persona,
    version: &KeyVersion,
    name: &str,
    kid: &str,
    (member, digest): (&str, &[u8]),
) -> Result<SignatureAlgorithm, ApiError> {
    let parsed =
        SignatureAlgorithm::from_name(name).ok_or_else(|| ApiError::invalid_value("alg"))?;
    if persona == Persona::ManagedHsm && parsed == SignatureAlgorithm::Rsa(RsaSignature::RsNull) {
        return Err(ApiError::not_supported(format!("Algorithm '{name}' is not supported")));
    }
    let problem = match (&version.material, parsed) {
        (KeyMaterial::Rsa(_), SignatureAlgorithm::Rsa(_))
        | (KeyMaterial::Oct(_), SignatureAlgorithm::Hmac(_)) => None,
        (KeyMaterial::Ec(key), SignatureAlgorithm::Ecdsa(curve)) => {
            (key.curve() != curve).then(|| {
                format!(
                    "uses curve '{}', and algorithm '{name}' can only be used with curve '{}'",
                    key.curve().name(),
                    curve.name()
                )
            })
        }
        (_, parsed) => {
            let kind = match parsed {
                SignatureAlgorithm::Rsa(_) => "'RSA' or 'RSA-HSM'",
                SignatureAlgorithm::Ecdsa(_) => "'EC' or 'EC-HSM'",
                SignatureAlgorithm::Hmac(_) => "'oct-HSM'",
            };
            Some(format!(
                "is of type '{}', and algorithm '{name}' can only be used with a key of type \
                 {kind}",
                version.key_type
            ))
        }
    };
    if let Some(problem) = problem {
        return Err(ApiError::bad_parameter(format!(
            "Key and signing algorithm are incompatible. Key {kid} {problem}."
        )));
    }
    match parsed.digest_len() {
        Some(expected) if expected != digest.len() => Err(ApiError::bad_parameter(format!(
            "Invalid length of '{member}': {} bytes. {name} requires {expected} bytes, encoded \
             with base64url.",
            digest.len()
        ))),
        _ => Ok(parsed),
    }
}

/// encrypt and wrapKey, decrypt and unwrapKey.
fn cipher(
    operation: Operation,
    version: &KeyVersion,
    name: &str,
    kid: &str,
    body: &Value,
) -> Result<Map<String, Value>, ApiError> {
    let algorithm =
        EncryptionAlgorithm::from_name(name).ok_or_else(|| ApiError::invalid_value("alg"))?;
    let input = bytes(body, "value")?;
    let forward = matches!(operation, Operation::Encrypt | Operation::WrapKey);
    match &version.material {
        KeyMaterial::Rsa(key) => {
            let output = if forward {
                key.encrypt(algorithm, &input).map(base64url::encode)
            } else {
                key.decrypt(algorithm, &input).map(|plaintext| base64url::encode(&*plaintext))
            };
            Ok(value(output.map_err(|Rejected| refused(operation))?.into()))
        }
        KeyMaterial::Oct(key) => symmetric(operation, algorithm, key, &input, body),
        KeyMaterial::Ec(_) => Err(ApiError::bad_parameter(format!(
            "Key and encryption algorithm are incompatible. Key {kid} is of type '{}', and \
             algorithm '{name}' can not be used with it.",
            version.key_type
        ))),
    }
}

fn symmetric(
    operation: Operation,
    algorithm: EncryptionAlgorithm,
    key: &OctKey,
    input: &[u8],
    body: &Value,
) -> Result<Map<String, Value>, ApiError> {
    let refused = |Rejected| refused(operation);
    let optional = |name| match body.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(_) => bytes(body, name),
    };
    let wrapping = matches!(operation, Operation::WrapKey | Operation::UnwrapKey);
    let forward = matches!(operation, Operation::Encrypt | Operation::WrapKey);
    match algorithm {
        EncryptionAlgorithm::AesKw(bits) if wrapping && bits == key.bits() => {
            let output = match forward {
                true => key.wrap(input).map(base64url::encode),
                false => key.unwrap(input).map(|plaintext| base64url::encode(&*plaintext)),
            };
            Ok(value(output.map_err(refused)?.into()))
        }
        EncryptionAlgorithm::AesGcm(bits) if !wrapping && bits == key.bits() => {
            let aad = optional("aad")?;
            if !forward {
                let (iv, tag) = (bytes(body, "iv")?, bytes(body, "tag")?);
                let plaintext = key.open(&iv, input, &tag, &aad).map_err(refused)?;
                return Ok(value(base64url::encode(&*plaintext).into()));
            }
            let sealed = key.seal(input, &aad).map_err(refused)?;
            let mut result = value(base64url::encode(sealed.ciphertext).into());
            result.insert("iv".into(), base64url::encode(sealed.iv).into());
            result.insert("tag".into(), base64url::encode(sealed.tag).into());
            if !aad.is_empty() {
                result.insert("aad".into(), base64url::encode(aad).into());
            }
            Ok(result)
        }
        EncryptionAlgorithm::AesCbc(bits) | EncryptionAlgorithm::AesCbcPad(bits)
            if !wrapping && bits == key.bits() =>
        {
            let pads = matches!(algorithm, EncryptionAlgorithm::AesCbcPad(_));
            let iv = bytes(body, "iv")?;
            if !forward {
                let plaintext = key.decrypt_cbc(&iv, input, pads).map_err(refused)?;
                return Ok(value(base64url::encode(&*plaintext).into()));
            }
            let ciphertext = key.encrypt_cbc(&iv, input, pads).map_err(refused)?;
            let mut result = value(base64url::encode(ciphertext).into());
            result.insert("iv".into(), base64url::encode(iv).into());
            Ok(result)
        }
        _ => Err(ApiError::invalid_value("alg")),
    }
}

/// Returns 1 to 128 random bytes.
pub(super) fn random_bytes(context: &Context<'_>) -> Result<Reply, ApiError> {
    let count = context.body.get("count").and_then(Value::as_u64).unwrap_or(0);
    let count = usize::try_from(count).ok().filter(|count| (1..=128).contains(count));
    let count = count.ok_or_else(|| {
        ApiError::bad_parameter(
            "GetRandomBytesRequest: count cannot be greater than 128 or less than 1",
        )
    })?;
    let mut random = vec![0; count];
    rand::fill(&mut random)
        .map_err(|_| ApiError::server_error(hyper::StatusCode::INTERNAL_SERVER_ERROR))?;
    Ok(Reply::ok(json!({ "value": base64url::encode(random) })))
}

fn refused(operation: Operation) -> ApiError {
    ApiError::bad_parameter(format!(
        "The parameter is incorrect: {} failed for this value.",
        operation.permission()
    ))
}

fn value(value: Value) -> Map<String, Value> {
    Map::from_iter([("value".to_owned(), value)])
}

fn text<'a>(body: &'a Value, name: &str) -> Result<&'a str, ApiError> {
    body.get(name).and_then(Value::as_str).ok_or_else(|| ApiError::invalid_value(name))
}

fn bytes(body: &Value, name: &str) -> Result<Vec<u8>, ApiError> {
    base64url::decode(text(body, name)?).ok_or_else(|| ApiError::invalid_value(name))
}
