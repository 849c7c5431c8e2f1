//! Observes a connection of the transport: the time of each step, and what it agreed on.

use std::{
    error::Error as _,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rustls::{
    CertificateError, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::{CertificateFacts, CertificateProblem, Step, TlsFacts};
use crate::{Error, ErrorKind, Result, error::one_line, outside::causes, transport};

/// Records one connection.
#[derive(Debug)]
pub(super) struct Recorder(Mutex<Record>);

/// The steps that have ended.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) dns: Option<Step<Vec<IpAddr>>>,
    pub(super) tcp: Option<Step<SocketAddr>>,
    pub(super) tls: Option<Step<TlsFacts>>,
    pub(super) certificate: Option<CertificateFacts>,
    /// The port of the next hop.
    port: u16,
    /// The end of the last step.
    last: Instant,
}

impl Recorder {
    /// Starts now. `host` and `port` are those of the next hop; an IP address is not looked up.
    pub(super) fn start(host: &str, port: u16) -> Self {
        let address = host.trim_matches(['[', ']']).parse().ok();
        let dns = address.map(|ip| Step { took: Duration::ZERO, outcome: Ok(vec![ip]) });
        let last = Instant::now();
        Self(Mutex::new(Record { dns, tcp: None, tls: None, certificate: None, port, last }))
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn read(&self) -> Record {
        self.record().clone()
    }
}

impl Record {
    /// Whether the server was reached and its certificate is trusted.
    pub(super) fn is_connected(&self) -> bool {
        matches!(&self.tls, Some(Step { outcome: Ok(_), .. }))
    }

    /// The time since the last step.
    pub(super) fn lap(&mut self) -> Duration {
        let now = Instant::now();
        now - std::mem::replace(&mut self.last, now)
    }

    /// Adds the error that ended the connection to the step that it ended.
    pub(super) fn fail(&mut self, error: Error) {
        let took = self.lap();
        match self {
            Self { dns: Some(Step { outcome: Err(_), .. }), .. } => {}
            Self { dns: dns @ None, .. } => *dns = Some(Step { took, outcome: Err(error) }),
            Self { tcp: tcp @ None, dns: Some(Step { outcome: Ok(addresses), .. }), .. } => {
                let hop = addresses.iter().map(|ip| SocketAddr::new(*ip, self.port).to_string());
                let hop = hop.collect::<Vec<_>>().join(", ");
                let what = if error.is_connection_reset() { LOST } else { &hop };
                let outcome = Err(broken(what, error));
                *tcp = Some(Step { took, outcome });
            }
            Self { tls, .. } => {
                let outcome = Err(broken(LOST, error));
                *tls = Some(Step { took, outcome });
            }
        }
    }
}

const LOST: &str = "the connection was lost";

/// The failure of a connection, in the words of TLS or the operating system.
fn broken(what: &str, error: Error) -> Error {
    if error.kind() == ErrorKind::Tls {
        return error;
    }
    let reason = error.source().map_or_else(|| error.message().to_owned(), ToString::to_string);
    error.with_message(format!("{what}: {}", one_line(&reason)))
}

impl transport::Observer for Recorder {
    fn resolved(&self, addresses: &io::Result<Vec<SocketAddr>>) {
        let outcome = match addresses {
            Ok(addresses) => Ok(addresses.iter().map(SocketAddr::ip).collect()),
            Err(error) => Err(unresolved(error)),
        };
        let mut record = self.record();
        record.dns = Some(Step { took: record.lap(), outcome });
    }

    fn connected(&self, address: SocketAddr) {
        let mut record = self.record();
        record.tcp = Some(Step { took: record.lap(), outcome: Ok(address) });
    }

    fn secured(&self, connection: &rustls::ClientConnection) {
        let outcome = Ok(TlsFacts::of(connection));
        let mut record = self.record();
        record.tls = Some(Step { took: record.lap(), outcome });
    }

    fn verifier(
        self: Arc<Self>,
        verifier: Arc<dyn ServerCertVerifier>,
    ) -> Arc<dyn ServerCertVerifier> {
        Arc::new(RecordingVerifier { verifier, recorder: self })
    }
}

fn unresolved(error: &io::Error) -> Error {
    if let Some(unknown) = transport::find_cause::<transport::UnknownHost>(error) {
        return Error::new(ErrorKind::Reference, format!("unknown host {}", unknown.0))
            .hint("check the vault's name and the cloud");
    }
    let text = one_line(&causes(error));
    Error::new(ErrorKind::Network, format!("cannot resolve the host name: {text}"))
        .hint("check this machine's network and /etc/resolv.conf")
}

/// Verifies as the transport does, and records the certificate, trusted or not.
#[derive(Debug)]
struct RecordingVerifier {
    verifier: Arc<dyn ServerCertVerifier>,
    recorder: Arc<Recorder>,
}

fn facts(certificate: &CertificateDer<'_>) -> Option<CertificateFacts> {
    let parsed = <x509_cert::Certificate as der::Decode>::from_der(certificate).ok()?;
    let certificate = parsed.tbs_certificate();
    Some(CertificateFacts {
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        not_before: certificate.validity().not_before.to_system_time(),
        not_after: certificate.validity().not_after.to_system_time(),
        problem: None,
    })
}

fn problem(error: &rustls::Error) -> CertificateProblem {
    use CertificateError as E;
    let rustls::Error::InvalidCertificate(reason) = error else {
        return CertificateProblem::Other;
    };
    match reason {
        E::UnknownIssuer => CertificateProblem::UnknownIssuer,
        E::BadSignature => CertificateProblem::BadSignature,
        E::Expired | E::ExpiredContext { .. } | E::NotValidYet | E::NotValidYetContext { .. } => {
            CertificateProblem::OutsideValidity
        }
        E::NotValidForName | E::NotValidForNameContext { .. } => CertificateProblem::OtherName,
        _ => CertificateProblem::Other,
    }
}

impl ServerCertVerifier for RecordingVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.verifier.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        let facts = facts(end_entity);
        self.recorder.record().certificate = facts.map(|facts| CertificateFacts {
            problem: verified.as_ref().err().map(problem),
            ..facts
        });
        verified
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
