//! An HTTPS server that has no private key: the vault signs every handshake. One client connects,
//! and the server ends.

#![allow(clippy::print_stdout, reason = "it is an example's purpose")]

mod support;

use std::{convert::Infallible, sync::Arc, time::Duration};

use akv_core::{
    Curve, NewKey,
    blocking::Key,
    tls,
    x509::{self, x509_cert},
};
use der::{Encode as _, asn1::Ia5String};
use http_body_util::Full;
use hyper::{Response, body::Bytes, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore, ServerConfig, crypto::aws_lc_rs, sign::SingleCertAndKey,
};
use rustls_pki_types::CertificateDer;
use support::{Embedded, Result};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use x509_cert::{
    TbsCertificate,
    builder::{Builder as _, CertificateBuilder, profile::BuilderProfile},
    ext::{
        Extension,
        pkix::{SubjectAltName, name::GeneralName},
    },
    name::Name,
    serial_number::SerialNumber,
    time::Validity,
};

pub(crate) fn main() -> Result<()> {
    let embedded = Embedded::start()?;
    let client = &embedded.client;
    let vault = client.vault(&client.reference("vault:myVault:")?)?;
    let key = vault.create("web", NewKey::ec(Curve::P256))?;
    let certificate = self_signed(&key)?;
    let page = runtime()?.block_on(serve_once(&key, certificate))?;
    println!("the client read: {page}");
    Ok(())
}

/// A handshake blocks its thread while the vault signs, so there must be others.
fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build()?)
}

/// Serves one connection and returns what its client read.
async fn serve_once(key: &Key, certificate: CertificateDer<'static>) -> Result<String> {
    let certified = tls::certified_key(key, vec![certificate.clone()])?;
    let config = ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("https://localhost:{}/", listener.local_addr()?.port());
    let reading = tokio::spawn(read(url, certificate));

    let (stream, _) = listener.accept().await?;
    let stream = acceptor.accept(stream).await?;
    let service = service_fn(async |_| {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("hello, signed in the vault"))))
    });
    http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service).await?;
    reading.await?
}

/// A client that trusts the certificate and nothing else.
async fn read(url: String, certificate: CertificateDer<'static>) -> Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate)?;
    let config = ClientConfig::builder_with_provider(aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = reqwest::Client::builder().tls_backend_preconfigured(config).no_proxy().build()?;
    Ok(client.get(url).send().await?.error_for_status()?.text().await?)
}

/// A certificate for localhost, valid for a day, signed by its own key.
fn self_signed(key: &Key) -> Result<CertificateDer<'static>> {
    let subject: Name = "CN=localhost".parse()?;
    let mut builder = CertificateBuilder::new(
        SelfSigned(subject),
        SerialNumber::from(1u8),
        Validity::from_now(Duration::from_secs(86_400))?,
        spki::SubjectPublicKeyInfoOwned::from_key(key.public_key())?,
    )?;
    let name = GeneralName::DnsName(Ia5String::new("localhost")?);
    builder.add_extension(&SubjectAltName(vec![name]))?;
    let certificate = builder.build::<_, x509::Signature>(&key.x509_signer())?;
    Ok(CertificateDer::from(certificate.to_der()?))
}

/// Issuer and subject are the same.
struct SelfSigned(Name);

impl BuilderProfile for SelfSigned {
    fn get_issuer(&self, subject: &Name) -> Name {
        subject.clone()
    }

    fn get_subject(&self) -> Name {
        self.0.clone()
    }

    fn build_extensions(
        &self,
        _subject_key: spki::SubjectPublicKeyInfoRef<'_>,
        _issuer_key: spki::SubjectPublicKeyInfoRef<'_>,
        _certificate: &TbsCertificate,
    ) -> x509_cert::builder::Result<Vec<Extension>> {
        Ok(Vec::new())
    }
}
