//! Signatures and imports, checked over HTTPS with an independent verifier.

mod common;

use akv_emulator::{Curve, Emulator, NewKey, Persona};
use aws_lc_rs::{
    digest,
    encoding::{AsDer as _, Pkcs8V1Der},
    rsa::{KeySize, PrivateDecryptingKey, PublicKeyComponents},
    signature,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use common::{Client, refused};
use reqwest::Method;
use rsa::{
    pkcs8::DecodePrivateKey as _,
    traits::{PrivateKeyParts as _, PublicKeyParts as _},
};
use serde_json::{Value, json};

const API: &str = "?api-version=7.4";

fn decode(value: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(value.as_str().unwrap()).unwrap()
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn start(persona: Persona) -> Emulator {
    Emulator::builder().persona(persona).start().unwrap()
}

#[tokio::test]
async fn ecdsa_signatures_verify_with_the_published_key() {
    let vault = start(Persona::Vault);
    let client = Client::new(&vault);
    let message = b"message";
    let cases: [(Curve, &digest::Algorithm, &dyn signature::VerificationAlgorithm); 4] = [
        (Curve::P256, &digest::SHA256, &signature::ECDSA_P256_SHA256_FIXED),
        (Curve::P256K, &digest::SHA256, &signature::ECDSA_P256K1_SHA256_FIXED),
        (Curve::P384, &digest::SHA384, &signature::ECDSA_P384_SHA384_FIXED),
        (Curve::P521, &digest::SHA512, &signature::ECDSA_P521_SHA512_FIXED),
    ];
    for (curve, hash, algorithm) in cases {
        let key = vault.create_key(NewKey::ec(format!("ec-{}", curve.name()), curve)).unwrap();
        let jwk = client.get(&format!("{}{API}", key.url)).await.json()["key"].clone();
        let value = encode(digest::digest(hash, message));
        let body = json!({ "alg": curve.algorithm(), "value": value });
        let answer = client.post(&format!("{}/sign{API}", key.url), body).await;
        assert_eq!(answer.json()["kid"], key.url);
        let point = [&[4], &*decode(&jwk["x"]), &*decode(&jwk["y"])].concat();
        let public = signature::UnparsedPublicKey::new(algorithm, point);
        public.verify(message, &decode(&answer.json()["value"])).unwrap();
    }
}

#[tokio::test]
async fn rsa_signatures_verify_with_the_published_key() {
    let vault = start(Persona::Vault);
    let client = Client::new(&vault);
    let key = vault.create_key(NewKey::rsa("rsa", 2048).leading_zeros(true)).unwrap();
    let jwk = client.get(&format!("{}{API}", key.url)).await.json()["key"].clone();
    let (n, e) = (decode(&jwk["n"]), decode(&jwk["e"]));
    assert_eq!((n.len(), n[0], e.as_slice()), (257, 0, &[0, 1, 0, 1][..]));
    let public = PublicKeyComponents { n: &n[1..], e: &e[1..] };
    let message = b"message";
    let cases: [(&str, &digest::Algorithm, &signature::RsaParameters); 6] = [
        ("RS256", &digest::SHA256, &signature::RSA_PKCS1_2048_8192_SHA256),
        ("RS384", &digest::SHA384, &signature::RSA_PKCS1_2048_8192_SHA384),
        ("RS512", &digest::SHA512, &signature::RSA_PKCS1_2048_8192_SHA512),
        ("PS256", &digest::SHA256, &signature::RSA_PSS_2048_8192_SHA256),
        ("PS384", &digest::SHA384, &signature::RSA_PSS_2048_8192_SHA384),
        ("PS512", &digest::SHA512, &signature::RSA_PSS_2048_8192_SHA512),
    ];
    for (name, hash, parameters) in cases {
        let body = json!({ "alg": name, "value": encode(digest::digest(hash, message)) });
        let answer = client.post(&format!("/keys/rsa/sign{API}"), body).await;
        public.verify(parameters, message, &decode(&answer.json()["value"])).unwrap();
    }
}

/// RSNULL with the `DigestInfo` of SHA-256 is RS256.
#[tokio::test]
async fn rsnull_pads_its_input_except_on_a_managed_hsm() {
    let vault = start(Persona::Vault);
    vault.create_key(NewKey::rsa("rsa", 2048)).unwrap();
    let client = Client::new(&vault);
    let hash = digest::digest(&digest::SHA256, b"message");
    let prefix = [
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
        0x05, 0x00, 0x04, 0x20,
    ];
    let info = [&prefix, hash.as_ref()].concat();
    let path = format!("/keys/rsa/sign{API}");
    let raw = client.post(&path, json!({ "alg": "RSNULL", "value": encode(info) })).await;
    let ready = client.post(&path, json!({ "alg": "RS256", "value": encode(hash) })).await;
    assert_eq!(raw.json()["value"], ready.json()["value"]);
    assert!(ready.json()["value"].is_string());

    let hsm = start(Persona::ManagedHsm);
    hsm.create_key(NewKey::rsa("rsa", 2048)).unwrap();
    let answer = Client::new(&hsm).post(&path, json!({ "alg": "RSNULL", "value": "AAAA" })).await;
    refused(&answer, 400, "NotSupported", "");
}

#[tokio::test]
async fn digests_and_algorithms_must_fit() {
    let vault = start(Persona::Vault);
    vault.create_key(NewKey::ec("ec", Curve::P256)).unwrap();
    let client = Client::new(&vault);
    for (body, words) in [
        (json!({ "alg": "ES256", "value": encode([0; 20]) }), "20 bytes. ES256 requires 32"),
        (json!({ "alg": "ES384", "value": encode([0; 48]) }), "with curve 'P-384'"),
        (json!({ "alg": "RS256", "value": encode([0; 32]) }), "type 'RSA' or"),
        (json!({ "alg": "NONE", "value": encode([0; 32]) }), "Property alg"),
        (json!({ "alg": "ES256" }), "Property value"),
        (json!({ "alg": "ES256", "value": "!!" }), "Property value"),
        (json!([]), "Property alg"),
    ] {
        let answer = client.post(&format!("/keys/ec/sign{API}"), body).await;
        refused(&answer, 400, "BadParameter", "");
        assert!(answer.text.contains(words), "{}", answer.text);
    }
    let answer = client.get("/keys/ec").await;
    refused(&answer, 400, "BadParameter", "");
}

#[tokio::test]
async fn an_imported_ec_key_is_served_and_checked() {
    // The key pair of RFC 7517, appendix A.2.
    let d = "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE";
    let x = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4";
    let y = "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM";
    for (persona, kty) in [(Persona::Vault, "EC"), (Persona::ManagedHsm, "EC-HSM")] {
        let emulator = start(persona);
        let client = Client::new(&emulator);
        let jwk = json!({ "kty": "EC", "crv": "P-256", "d": d, "x": x, "y": y });
        let path = format!("/keys/imported{API}");
        let bundle = client.must(Method::PUT, &path, json!({ "key": jwk })).await;
        assert_eq!(bundle["key"]["kty"], kty);
        assert_eq!((&bundle["key"]["x"], &bundle["key"]["y"]), (&json!(x), &json!(y)));
        assert!(bundle["key"].get("d").is_none());
        let wrong = json!({ "kty": "EC", "crv": "P-256", "d": d, "x": y, "y": x });
        let answer = client.call(Method::PUT, &path, json!({ "key": wrong })).await;
        refused(&answer, 400, "BadParameter", "");
    }
}

#[tokio::test]
async fn an_imported_rsa_key_signs() {
    let pair = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let key = rsa::PrivateKey::from_pkcs8_der(der.as_ref()).unwrap();
    let number = |number: &rsa::BoxedUint| encode(number.to_be_bytes());
    let jwk = json!({
        "kty": "RSA",
        "n": number(key.n()),
        "e": number(key.e()),
        "d": number(key.d()),
        "p": number(&key.primes()[0]),
        "q": number(&key.primes()[1]),
        "key_ops": ["sign"],
    });
    let vault = start(Persona::Vault);
    let client = Client::new(&vault);
    let path = format!("/keys/imported{API}");
    let request = json!({ "key": jwk, "Hsm": true });
    let bundle = client.must(Method::PUT, &path, request).await;
    assert_eq!((&bundle["key"]["kty"], &bundle["key"]["n"]), (&json!("RSA-HSM"), &jwk["n"]));
    let members: Vec<_> = bundle["key"].as_object().unwrap().keys().collect();
    assert_eq!(members, ["e", "key_ops", "kid", "kty", "n"]);
    let hash = digest::digest(&digest::SHA256, b"message");
    let body = json!({ "alg": "PS256", "value": encode(hash) });
    let answer = client.post(&format!("/keys/imported/sign{API}"), body).await;
    let public = PublicKeyComponents { n: decode(&jwk["n"]), e: decode(&bundle["key"]["e"]) };
    let signature = decode(&answer.json()["value"]);
    public.verify(&signature::RSA_PSS_2048_8192_SHA256, b"message", &signature).unwrap();

    let mut wrong = jwk;
    wrong["d"] = wrong["p"].clone();
    let answer = client.call(Method::PUT, &path, json!({ "key": wrong })).await;
    refused(&answer, 400, "BadParameter", "");
}
