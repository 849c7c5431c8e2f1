//! The client of the service.

use std::sync::Arc;

use akv_core::Settings;
use anyhow::{Context as _, Result};
use hyper::{
    HeaderMap,
    body::Bytes,
    header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderName, TE, TRANSFER_ENCODING, UPGRADE},
    http::{request, response},
};
use reqwest::{Client, redirect::Policy};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use url::Url;

use crate::target::Target;

/// Headers that belong to one connection, or are created again (RFC 9110 section 7.6.1).
const OF_THE_CONNECTION: [HeaderName; 6] =
    [CONNECTION, CONTENT_LENGTH, HOST, TE, TRANSFER_ENCODING, UPGRADE];

/// The service, with the name and trusted roots of the caller's settings.
pub(super) struct Upstream {
    client: Client,
    base: Url,
    text: String,
}

impl Upstream {
    pub(super) fn new(target: &Target, settings: &Settings) -> Result<Self> {
        let vault = settings.reference(&target.reference(""))?;
        let base = settings.vault_url(&vault)?;
        let client = Client::builder()
            .tls_backend_preconfigured(trust(settings)?)
            // Redirects are passed on to the client.
            .redirect(Policy::none())
            .build()?;
        let text = base.as_str().trim_end_matches('/').to_owned();
        Ok(Self { client, base, text })
    }

    /// `https://HOST[:PORT]`, as in the identifiers of responses.
    pub(super) fn base(&self) -> &str {
        &self.text
    }

    /// `HOST[:PORT]`.
    pub(super) fn authority(&self) -> &str {
        self.base.authority()
    }

    /// Sends a request to the service.
    pub(super) async fn send(
        &self,
        request: &request::Parts,
        body: Bytes,
    ) -> Result<(response::Parts, Bytes)> {
        let mut url = self.base.clone();
        url.set_path(request.uri.path());
        url.set_query(request.uri.query());
        let mut headers = request.headers.clone();
        strip(&mut headers);
        let request = self.client.request(request.method.clone(), url).headers(headers).body(body);
        let answer = request.send().await?;
        let (mut parts, ()) = hyper::Response::new(()).into_parts();
        parts.status = answer.status();
        parts.headers = answer.headers().clone();
        Ok((parts, answer.bytes().await?))
    }
}

/// Removes headers that must not be forwarded.
pub(super) fn strip(headers: &mut HeaderMap) {
    for name in OF_THE_CONNECTION {
        headers.remove(name);
    }
}

/// The roots that `akv-core` trusts under these settings.
fn trust(settings: &Settings) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let in_force = settings.in_force();
    let setting = in_force.iter().find(|setting| setting.name == "ca-file");
    if let Some(file) = setting.and_then(|setting| setting.value.as_deref()) {
        let pem = std::fs::read(file).with_context(|| format!("cannot read {file}"))?;
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            roots.add(certificate.with_context(|| format!("{file} is not PEM"))?)?;
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
