//! TLS of the connections to the service.

use std::sync::Arc;

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::settings::Roots;

/// TLS 1.2 and 1.3 with post-quantum key exchange first.
pub(super) fn config(verifier: Arc<dyn ServerCertVerifier>) -> Result<ClientConfig, Error> {
    Ok(ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth())
}

/// The verifier of server certificates, which trusts the system's and the configured roots.
pub(super) fn verifier(roots: &Roots) -> Result<Arc<dyn ServerCertVerifier>, Error> {
    Ok(Verifier::new(roots, Arc::new(aws_lc_rs::default_provider()))?)
}

/// The usual verification, and in addition any certificate that is itself configured as trusted:
/// self-signed certificates are often marked as an authority, which a server certificate must not
/// be, so the usual verification refuses them. OpenSSL accepts them.
#[derive(Debug)]
struct Verifier {
    /// `None` if there is no root.
    webpki: Option<Arc<WebPkiServerVerifier>>,
    trusted: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn new(roots: &Roots, provider: Arc<CryptoProvider>) -> Result<Arc<Self>, Error> {
        let mut store = RootCertStore::empty();
        let trusted: Vec<_> = roots.system.iter().chain(&roots.extra).cloned().collect();
        store.add_parsable_certificates(trusted.iter().cloned());
        let webpki = if store.is_empty() {
            None
        } else {
            let builder =
                WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&provider));
            Some(builder.build().map_err(|error| Error::General(error.to_string()))?)
        };
        Ok(Arc::new(Self { webpki, trusted, provider }))
    }

    /// Name and dates are also checked for a certificate that is itself trusted.
    fn verify_named(
        &self,
        end_entity: &CertificateDer<'_>,
        server_name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let encoded_wrong = || Error::InvalidCertificate(CertificateError::BadEncoding);
        let parsed = rustls::server::ParsedCertificate::try_from(end_entity)?;
        rustls::client::verify_server_name(&parsed, server_name)?;
        let certificate = <x509_cert::Certificate as der::Decode>::from_der(end_entity)
            .map_err(|_| encoded_wrong())?;
        let validity = certificate.tbs_certificate().validity();
        let seconds = now.as_secs();
        if seconds < validity.not_before.to_unix_duration().as_secs() {
            return Err(Error::InvalidCertificate(CertificateError::NotValidYet));
        }
        if seconds > validity.not_after.to_unix_duration().as_secs() {
            return Err(Error::InvalidCertificate(CertificateError::Expired));
        }
        Ok(ServerCertVerified::assertion())
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.trusted.iter().any(|trusted| trusted == end_entity) {
            return self.verify_named(end_entity, server_name, now);
        }
        match &self.webpki {
            Some(webpki) => webpki.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            ),
            None => Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
