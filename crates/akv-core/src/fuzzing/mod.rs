//! Entry points for fuzzing: everything that parses untrusted input. They panic when an invariant
//! is broken. Compiled only for tests and with `--cfg fuzzing`; `tests/fuzz/` drives them with
//! libFuzzer, the tests here with mutated examples.

#![allow(missing_docs, reason = "no part of the library")]

#[cfg(test)]
mod mutate;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use azure_core::{
    error::{Error as SdkError, ErrorKind as SdkErrorKind},
    http::{RawResponse, StatusCode, headers::Headers},
};
use azure_security_keyvault_keys::models::Key as SdkKey;

use crate::{
    Curve, EcPublicKey, KeyFile, PublicKey, RsaPublicKey, Settings, credential, ecdsa,
    error::ErrorKind,
    key::{self, Bundle, Material},
    settings::{OPTIONS, Roots},
    transport,
};

/// A private cloud beside the public one.
const SUFFIX: &str = "vault.example.org";

static SETTINGS: LazyLock<Settings> = LazyLock::new(|| {
    let builder = Settings::builder().option("dns-suffix", SUFFIX).expect("a setting");
    builder.build().expect("settings")
});

/// Every form of key references and store URIs.
pub fn key_reference(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(reference) = SETTINGS.reference(text) else { return };
    assert_eq!(reference.to_string(), text, "a reference prints as it was written");
    let url = SETTINGS.vault_url(&reference).expect("every key is allowed");
    let host = url.host_str().expect("a host");
    let trusted = [".vault.azure.net", ".managedhsm.azure.net", ".vault.example.org"];
    assert!(trusted.iter().any(|suffix| host.ends_with(suffix)), "{text:?} leads to {host}");
    assert_eq!((url.scheme(), url.path(), url.port()), ("https", "/", None), "{text:?}");
    assert!(url.query().is_none() && url.fragment().is_none() && url.username().is_empty());
    let pinned = reference.pinned("0123456789abcdef0123456789abcdef").to_string();
    if reference.key_name().is_some() {
        let again = SETTINGS.reference(&pinned).expect("a pinned reference is one");
        assert_eq!(SETTINGS.vault_url(&again).ok(), Some(url));
        assert_eq!(again.key_name(), reference.key_name());
    }
}

/// Key files: PEM, DER, and the PKCS#8 envelope.
pub fn key_file(data: &[u8]) {
    let files = [
        KeyFile::from_pem(data).ok().flatten(),
        KeyFile::from_der(data).ok(),
        KeyFile::from_pkcs8_der(data).ok().flatten(),
    ];
    for file in files.into_iter().flatten() {
        let same = |again: KeyFile| {
            assert_eq!(again.reference(), file.reference());
            assert_eq!(again.public_key(), file.public_key());
        };
        same(KeyFile::from_der(&file.to_der()).expect("its own DER"));
        same(KeyFile::from_pem(file.to_pem().as_bytes()).expect("its own PEM").expect("ours"));
        same(KeyFile::from_pkcs8_der(&file.to_pkcs8_der()).expect("its own PKCS#8").expect("ours"));
    }
    if let Ok(key) = PublicKey::from_spki_der(data) {
        let again = PublicKey::from_spki_der(&key.to_spki_der()).expect("its own encoding");
        assert_eq!(again, key);
    }
    if let Ok(key) = RsaPublicKey::from_pkcs1_der(data) {
        RsaPublicKey::from_pkcs1_der(&key.to_pkcs1_der()).expect("its own encoding");
    }
    for curve in Curve::ALL {
        let _ = EcPublicKey::from_point(curve, data);
    }
}

/// Response bodies: keys, results, errors, tokens. The first byte selects the status.
pub fn answer(data: &[u8]) {
    let reference = SETTINGS.reference("vault:myVault:myKey").expect("a reference");
    if let Ok(answer) = serde_json::from_slice::<SdkKey>(data)
        && let Ok(bundle) = Bundle::read(answer, &reference)
    {
        assert!(bundle.version.len() == 32, "{}", bundle.version);
        if let Material::Asymmetric(public) = bundle.material {
            let again = PublicKey::from_spki_der(&public.to_spki_der());
            assert_eq!(again.expect("its own encoding"), public);
        }
    }
    let _ = key::read_result(data);
    let secret = "s3cret";
    let refusal = credential::read_answers(data, secret).to_string();
    assert!(!refusal.contains(secret), "{refusal}");
    let Some((status, body)) = data.split_first() else { return };
    let status = StatusCode::from(400 + u16::from(*status));
    let body = RawResponse::from_bytes(status, Headers::default(), body.to_vec());
    let kind =
        SdkErrorKind::HttpResponse { status, error_code: None, raw_response: Some(Box::new(body)) };
    let failure = transport::failure(SdkError::new(kind, "failed"), &reference, "host");
    let line = failure.error().to_string();
    assert!(line.len() <= 1000 && !line.chars().any(char::is_control), "{line:?}");
}

/// Values of settings, one `name=value` per line. Settings that name files are left out.
pub fn settings(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut builder = Settings::builder();
    for line in text.lines() {
        let Some((name, value)) = line.split_once('=') else { continue };
        if name.ends_with("-file") {
            continue;
        }
        match builder.option(name, value) {
            Ok(with) => builder = with,
            Err(error) => {
                assert!(OPTIONS.iter().all(|option| option.name != name), "{name}");
                assert_eq!(error.kind(), ErrorKind::Settings);
                return;
            }
        }
    }
    // Reading the system's certificates each time would use up all of the time.
    match builder.build_with(Roots::default()) {
        Ok(settings) => {
            assert!(!settings.timeout().is_zero());
            let endpoint = settings.values().endpoint.as_ref();
            assert!(endpoint.is_none_or(|url| url.scheme() == "https"), "{text:?}");
            crate::logging::check(&settings);
        }
        Err(error) => assert!(error.to_string().len() <= 1000),
    }
}

/// ECDSA signatures in both formats, and digests of any length.
pub fn ecdsa_signature(data: &[u8]) {
    for curve in Curve::ALL {
        if let Ok(raw) = ecdsa::der_to_raw(data, curve) {
            assert_eq!(raw.len(), 2 * curve.coordinate_len());
            assert_eq!(ecdsa::raw_to_der(&raw).expect("r and s"), data, "DER is unique");
        }
        if data.len() == 2 * curve.coordinate_len() {
            let der = ecdsa::raw_to_der(data).expect("r and s");
            assert_eq!(ecdsa::der_to_raw(&der, curve).expect("its own DER"), data);
        }
        assert_eq!(ecdsa::fit_digest(curve, data).len(), curve.digest_len());
    }
    let _ = ecdsa::raw_to_der(data);
}
