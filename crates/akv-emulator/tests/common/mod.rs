//! A plain HTTPS client that shares only the CA with the emulator.

#![allow(dead_code, reason = "each test binary uses another part")]

use std::sync::Arc;

use akv_emulator::Emulator;
use reqwest::{Method, RequestBuilder, StatusCode, header::HeaderMap};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use serde_json::Value;

/// A client with one token and one vault.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) base: String,
    pub(crate) token: String,
}

/// A response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub(crate) fn error_code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn inner_code(&self) -> String {
        self.json()["error"]["innererror"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

pub(crate) fn tls(emulator: &Emulator) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(emulator.ca_pem().as_bytes()).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_root_certificates(roots)
    .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}

fn builder(emulator: &Emulator) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls(emulator))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
}

impl Client {
    /// A client of the listener's address, which is the default vault.
    pub(crate) fn new(emulator: &Emulator) -> Self {
        Self {
            http: builder(emulator).build().unwrap(),
            base: emulator.endpoint().to_owned(),
            token: emulator.token(),
        }
    }

    /// A client of the emulator under a name of the real service.
    pub(crate) fn named(emulator: &Emulator, host: &str) -> Self {
        let http = builder(emulator).resolve(host, emulator.address()).build().unwrap();
        let (_, suffix) = host.split_once('.').unwrap();
        Self {
            http,
            base: format!("https://{host}:{}", emulator.address().port()),
            token: emulator.token_for(&format!("https://{suffix}")),
        }
    }

    /// `path` starts with a slash or is a whole URL.
    pub(crate) fn request(&self, method: Method, path: &str, body: &Value) -> RequestBuilder {
        let url = match path.strip_prefix('/') {
            Some(_) => format!("{}{path}", self.base),
            None => path.to_owned(),
        };
        let request = self.http.request(method, url);
        let request = match self.token.is_empty() {
            true => request,
            false => request.bearer_auth(&self.token),
        };
        match body {
            Value::Null => request,
            body => request.header("content-type", "application/json").body(body.to_string()),
        }
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: Value) -> Answer {
        let response = self.request(method, path, &body).send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Answer { status, headers, text: response.text().await.unwrap() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, body).await
    }

    /// A POST or PUT that prepares something and must succeed.
    pub(crate) async fn must(&self, method: Method, path: &str, body: Value) -> Value {
        let answer = self.call(method.clone(), path, body).await;
        assert!(answer.status.is_success(), "{method} {path}: {} {}", answer.status, answer.text);
        answer.json()
    }
}

/// The text of an error with all its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

/// Checks status, error code and inner code of an error.
#[track_caller]
pub(crate) fn refused(answer: &Answer, status: u16, code: &str, inner: &str) {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
    assert_eq!((answer.error_code().as_str(), answer.inner_code().as_str()), (code, inner));
}
