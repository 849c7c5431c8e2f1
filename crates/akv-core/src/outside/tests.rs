//! Passes secrets to every parser, in unexpected places and in forms that it cannot parse. No error
//! and no log line may repeat any part of them.

use std::{
    ffi::OsString,
    io::{self, Write},
    sync::{Arc, Mutex},
};

use azure_core::{
    error::{Error as SdkError, ErrorKind as SdkErrorKind},
    http::{RawResponse, Response, StatusCode, headers::Headers},
};
use azure_security_keyvault_keys::models::{Key as SdkKey, ListKeyPropertiesResult};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    Client, Error, KeyFile, KeyReference, Settings, credential,
    key::{self, Bundle},
    settings::Roots,
    transport, vault,
};

const VERSION: &str = "0123456789abcdef0123456789abcdef";

/// A JSON parser: its input, the members that it passes on, and how it fails.
struct Reader {
    name: &'static str,
    document: Value,
    shown: &'static [&'static str],
    read: fn(&[u8]) -> Vec<String>,
}

fn reference() -> KeyReference {
    "vault:myVault:web".parse().unwrap()
}

/// Every text form of an error.
fn texts(error: &(dyn StdError + 'static)) -> Vec<String> {
    let mut texts = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        texts.extend([error.to_string(), format!("{error:?}"), format!("{error:#?}")]);
        next = error.source();
    }
    texts
}

fn of_ours(error: &Error) -> Vec<String> {
    let mut all = texts(error);
    all.extend([error.message().to_owned(), format!("{:?}", error.code())]);
    all
}

fn reply(body: &[u8]) -> RawResponse {
    RawResponse::from_bytes(StatusCode::Ok, Headers::default(), body.to_vec())
}

fn refused(status: u16, body: &[u8]) -> Error {
    let status = StatusCode::from(status);
    let raw_response =
        Some(Box::new(RawResponse::from_bytes(status, Headers::default(), body.to_vec())));
    let kind = SdkErrorKind::HttpResponse { status, error_code: None, raw_response };
    transport::failure(SdkError::new(kind, "failed"), &reference(), "host").error().clone()
}

fn key(body: &[u8]) -> Vec<String> {
    let answer: Response<SdkKey> = reply(body).into();
    match answer.into_model() {
        Ok(key) => Bundle::read(key, &reference()).err().map(|e| of_ours(&e)).unwrap_or_default(),
        Err(error) => of_ours(transport::failure(error, &reference(), "host").error()),
    }
}

fn page(body: &[u8]) -> Vec<String> {
    let answer: Response<ListKeyPropertiesResult> = reply(body).into();
    let error = answer.into_model().err();
    let ours = error.map(|error| transport::failure(error, &reference(), "host"));
    ours.map(|failure| of_ours(failure.error())).unwrap_or_default()
}

fn readers() -> Vec<Reader> {
    let result = json!({
        "kid": format!("https://v.vault.azure.net/keys/web/{VERSION}"),
        "value": "-_8", "iv": "AAAA", "tag": "AAAA", "aad": "AAAA",
    });
    let bundle = json!({
        "key": {
            "kid": format!("https://v.vault.azure.net/keys/web/{VERSION}"),
            "kty": "EC", "crv": "P-256", "key_ops": ["sign"],
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        },
        "attributes": { "enabled": true, "created": 1, "exp": 2, "recoveryLevel": "Purgeable" },
        "tags": { "a": "b" },
    });
    let id = format!("https://v.vault.azure.net/certificates/web/{VERSION}");
    let token =
        json!({ "access_token": "t", "expires_in": "3600", "expires_on": 4_000_000_000_u64 });
    let grant = json!({ "token_type": "Bearer", "access_token": "t", "expires_in": 3600 });
    let list = json!({ "value": [{ "kid": "https://v/keys/web", "attributes": { "enabled": true } }],
        "nextLink": "https://v/keys?page=2" });
    let refusal = json!({ "error": { "code": "Forbidden", "message": "no",
        "innererror": { "code": "ForbiddenByRbac" } } });
    let entra = json!({ "error": "invalid_client", "error_description": "no", "error_codes": [7],
        "trace_id": "1", "correlation_id": "2" });
    vec![
        Reader {
            name: "the result of an operation",
            document: result,
            shown: &[],
            read: |body| key::read_result(body).err().into_iter().collect(),
        },
        Reader { name: "a key", document: bundle, shown: &[], read: key },
        Reader { name: "a page of keys", document: list, shown: &[], read: page },
        Reader {
            name: "a certificate",
            document: json!({ "id": id, "cer": "MAA=" }),
            shown: &[],
            read: |body| vault::read_certificate(body, &reference()).err().into_iter().collect(),
        },
        Reader {
            name: "a refusal of the service",
            document: refusal,
            shown: &["/error/code", "/error/message", "/error/innererror/code"],
            read: |body| {
                [403, 500].iter().flat_map(|status| of_ours(&refused(*status, body))).collect()
            },
        },
        Reader {
            name: "a token of the machine",
            document: token,
            shown: &[],
            read: |body| {
                credential::read_machine_token(body).err().iter().flat_map(of_ours).collect()
            },
        },
        Reader {
            name: "a refusal of Entra ID",
            document: entra,
            shown: &["/error", "/error_description", "/trace_id"],
            read: |body| of_ours(&credential::read_answers(body, "s3cret")),
        },
        Reader {
            name: "a grant of Entra ID",
            document: grant,
            shown: &[],
            // Errors of the official client's own parser go through `causes`.
            read: |body| {
                let error = serde_json::from_slice::<std::collections::HashMap<String, u64>>(body);
                error.err().map(|error| causes(&error)).into_iter().collect()
            },
        },
    ]
}

/// The JSON pointers of a document's values.
fn places(document: &Value, at: String, into: &mut Vec<String>) {
    match document {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| places(value, format!("{at}/{name}"), into));
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(i, value)| places(value, format!("{at}/{i}"), into));
        }
        _ => {}
    }
    into.push(at);
}

/// The document with a secret in each place, in every form, whole and damaged.
fn variants(reader: &Reader, secret: &str, cut: usize) -> Vec<Vec<u8>> {
    let mut places_of = Vec::new();
    places(&reader.document, String::new(), &mut places_of);
    let mut texts = vec![secret.to_owned(), format!("\"{secret}\""), format!("{{{secret}")];
    for place in places_of {
        for value in [
            json!(secret),
            json!([secret]),
            json!({ secret: secret }),
            json!(format!("{secret}\u{0}\"\\é")),
        ] {
            // A string in a member that is passed on may be shown; nothing else may.
            if value.is_string() && reader.shown.contains(&place.as_str()) {
                continue;
            }
            let mut document = reader.document.clone();
            if let Some(there) = document.pointer_mut(&place) {
                *there = value;
            }
            texts.push(document.to_string());
        }
        let mut renamed = reader.document.clone();
        if let Some((parent, name)) = place.rsplit_once('/')
            && let Some(Value::Object(members)) = renamed.pointer_mut(parent)
            && let Some(value) = members.remove(name)
        {
            members.insert(secret.to_owned(), value);
            texts.push(renamed.to_string());
        }
    }
    let mut all = Vec::new();
    for text in texts {
        let bytes = text.into_bytes();
        let at = cut % (bytes.len() + 1);
        all.push(bytes[..at].to_vec());
        all.push([b"\xef\xbb\xbf", &bytes[..]].concat());
        all.push([&bytes[..at], b"\xff\xfe", &bytes[at..]].concat());
        all.push([&bytes[..], &bytes[..]].concat());
        all.push(bytes);
    }
    all
}

/// Checks that no text contains a substantial part of the secret.
fn check(name: &str, secret: &str, texts: &[String]) {
    for text in texts {
        for part in secret.as_bytes().windows(12) {
            let part = std::str::from_utf8(part).unwrap();
            assert!(!text.contains(part), "{name}: {text}");
        }
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs with all log levels enabled, and returns the log.
fn logged(run: impl FnOnce()) -> String {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, run);
    String::from_utf8(log.0.lock().unwrap().clone()).unwrap()
}

/// Settings of an environment with these variables.
fn settings(variables: &[(&str, &str)]) -> Result<Settings, Error> {
    let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
    Settings::builder()
        .environment_from(|name| find(name).map(|(_, value)| OsString::from(value)))
        .build_with(Roots::default())
}

/// The error texts of loading a key with these variables: nothing listens at port 1.
fn attempt(variables: &[(&str, &str)]) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let settings = match settings(variables) {
        Ok(settings) => settings,
        Err(error) => return of_ours(&error),
    };
    let mut all = vec![format!("{settings:?}")];
    all.extend(settings.in_force().iter().map(|setting| format!("{setting:?}")));
    let client = Client::new(settings);
    let key = runtime.block_on(client.key(&reference()));
    all.extend(of_ours(&key.expect_err("nobody is there")));
    all
}

fn file(content: &[u8]) -> (tempfile::NamedTempFile, String) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(content).unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    (file, path)
}

/// A secret inside PEM that is damaged in every way.
fn pems(secret: &str, label: &str) -> Vec<Vec<u8>> {
    [
        format!("-----BEGIN {label}-----\n{secret}\n-----END {label}-----\n"),
        format!("-----BEGIN {label}-----\n{secret}"),
        format!("-----BEGIN {secret}\nAAAA\n-----END {label}-----\n"),
        format!("-----BEGIN {label}-----\nAAAA\n-----END {secret}-----\n"),
        format!("-----BEGIN {secret}-----\nAAAA\n"),
        format!("\u{feff}-----BEGIN {label}-----\n{secret}\n-----END {label}-----\n"),
        secret.to_owned(),
    ]
    .into_iter()
    .flat_map(|text| [text.clone().into_bytes(), [text.as_bytes(), b"\xff\xfe"].concat()])
    .collect()
}

fn secrets() -> impl Strategy<Value = String> {
    // Longer than any name that is shown.
    "[A-Za-z0-9_-]{40,80}"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn invalid_responses_are_not_quoted(secret in secrets(), cut in any::<usize>()) {
        for reader in readers() {
            prop_assert!(!reader.document.is_null());
            for body in variants(&reader, &secret, cut) {
                let mut texts = Vec::new();
                let log = logged(|| texts = (reader.read)(&body));
                texts.push(log);
                check(reader.name, &secret, &texts);
            }
        }
    }

    #[test]
    fn invalid_files_are_not_quoted(secret in secrets()) {
        for label in ["CERTIFICATE", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY", KeyFile::PEM_LABEL] {
            for content in pems(&secret, label) {
                let mut texts = Vec::new();
                let read = || KeyFile::from_pem(&content).err();
                let log = logged(|| texts.extend(read().iter().flat_map(of_ours)));
                let (_file, path) = file(&content);
                for name in ["AKV_CA_FILE", "AZURE_CLIENT_CERTIFICATE_PATH"] {
                    let variables = [(name, path.as_str()), ("AZURE_CLIENT_CERTIFICATE_PASSWORD", &secret)];
                    let builder = Settings::builder().environment_from(|name| {
                        let found = variables.iter().find(|(known, _)| *known == name);
                        found.map(|(_, value)| OsString::from(value))
                    });
                    let (roots, certificate) = (builder.roots().err(), builder.client_certificate());
                    texts.extend(roots.iter().flat_map(of_ours));
                    texts.extend(certificate.and_then(Result::err).iter().flat_map(of_ours));
                }
                texts.push(log);
                check(label, &secret, &texts);
            }
        }
        for der in [&b"\x30\x30"[..], b"\x04\x28", b"\x30\x2c\x02\x01\x01\x04\x28"] {
            let der = [der, secret.as_bytes()].concat();
            let errors = [KeyFile::from_der(&der).err(), KeyFile::from_pkcs8_der(&der).err()];
            let texts: Vec<_> = errors.iter().flatten().flat_map(of_ours).collect();
            check("DER", &secret, &texts);
        }
    }

    #[test]
    fn users_and_passwords_in_urls_are_not_quoted(secret in secrets()) {
        let endpoint = ("AKV_ENDPOINT", "https://127.0.0.1:1");
        let limit = ("AKV_TIMEOUT", "50ms");
        for url in [
            format!("https://user:{secret}@127.0.0.1:1"),
            format!("https://{secret}@127.0.0.1:1/x"),
            format!("http://{secret}:x@127.0.0.1:1"),
            format!("https://user:{secret}/@#?@127.0.0.1:99999"),
            format!("user:{secret}@127.0.0.1:1"),
            format!("ftp://{secret}@127.0.0.1"),
        ] {
            for (name, more) in [
                ("AKV_ENDPOINT", &[][..]),
                ("HTTPS_PROXY", &[("AZURE_CLI_ACCESS_TOKEN", "t"), endpoint]),
                ("IMDS_ENDPOINT", &[("AKV_CREDENTIAL", "managed-identity"), endpoint]),
                ("IDENTITY_ENDPOINT", &[
                    ("IDENTITY_HEADER", "h"), ("AKV_CREDENTIAL", "managed-identity"), endpoint,
                ]),
                ("AZURE_AUTHORITY_HOST", &[
                    ("AZURE_CLIENT_ID", "c"), ("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_SECRET", "s"),
                    ("AKV_CREDENTIAL", "client-secret"), endpoint,
                ]),
            ] {
                let variables: Vec<_> =
                    more.iter().copied().chain([(name, url.as_str()), limit]).collect();
                let mut texts = Vec::new();
                let log = logged(|| texts = attempt(&variables));
                texts.push(log);
                check(name, &secret, &texts);
            }
            for text in [url.clone(), format!("akv:{url}")] {
                let error = text.parse::<KeyReference>().unwrap_err();
                check("a reference", &secret, &of_ours(&error));
            }
        }
    }
}

#[test]
fn errors_name_place_and_kind() {
    let read = |text: &str| json::<Vec<u64>>(text.as_bytes()).unwrap_err();
    assert_eq!(
        read("[1,\n \"x\"]"),
        "a wrong type, value or missing member in the JSON at line 2 column 4"
    );
    assert_eq!(read("[1,"), "the JSON ends too early at line 1 column 3");
    assert_eq!(read("[1;"), "invalid JSON at line 1 column 3");
    assert_eq!(read(""), "the JSON ends too early at line 1 column 0");
}

#[test]
fn program_output_is_shown_without_tokens() {
    let token = "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjF9.c2lnbmF0dXJl";
    let text = format!(
        "ERROR: {token}, see https://aka.ms/x ({token})\n00000000-0000-0000-0000-000000000000"
    );
    let shown = "ERROR: …, see https://aka.ms/x (…)\n00000000-0000-0000-0000-000000000000";
    assert_eq!(without_tokens(&text), shown);
    assert_eq!(without_tokens(""), "");
}

#[test]
fn urls_are_shown_without_users() {
    for (text, shown) in [
        ("https://user:p@ss/w@host/x y", "https://…@host/x y"),
        ("a https://u@h b", "a https://…@h b"),
        ("user:password@host", "…@host"),
        ("https://host/keys/k", "https://host/keys/k"),
    ] {
        assert_eq!(without_users(text), shown);
    }
    let url = url("https://user:password@host:8443/x").unwrap();
    assert_eq!((server(&url), has_user(&url)), ("host:8443", true));
}
