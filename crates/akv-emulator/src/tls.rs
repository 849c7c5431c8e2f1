//! Certificates and TLS configurations: a private CA and one server certificate.

use std::{io, net::IpAddr, path::Path, sync::Arc};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};
use time::{Duration, OffsetDateTime};

use crate::{
    files::{named, write_private, write_public},
    persona::{AUTHORITIES, Persona, SUFFIXES},
    store::damaged,
};

/// The TLS configuration of the listener for both personas.
pub(crate) struct Tls {
    vault: Arc<ServerConfig>,
    managed_hsm: Arc<ServerConfig>,
    /// The CA's certificate in PEM.
    pub(crate) ca_pem: String,
}

impl Tls {
    /// Creates a CA (or loads the one in `directory`) and a new server certificate for the known
    /// DNS suffixes and authorities, loopback, and `names`.
    pub(crate) fn new(directory: Option<&Path>, names: &[String]) -> io::Result<Self> {
        let (ca_pem, ca_key) = match directory {
            Some(directory) => kept_ca(directory)?,
            None => fresh_ca().map_err(io::Error::other)?,
        };
        let (chain, key) = leaf(ca_key, names).map_err(io::Error::other)?;
        Ok(Self {
            vault: config(Persona::Vault, &chain, &key)?,
            managed_hsm: config(Persona::ManagedHsm, &chain, &key)?,
            ca_pem,
        })
    }

    pub(crate) fn config(&self, persona: Persona) -> Arc<ServerConfig> {
        Arc::clone(match persona {
            Persona::Vault => &self.vault,
            Persona::ManagedHsm => &self.managed_hsm,
        })
    }
}

fn fresh_ca() -> Result<(String, KeyPair), rcgen::Error> {
    let key = KeyPair::generate()?;
    Ok((ca_params().self_signed(&key)?.pem(), key))
}

/// The same for every CA of the emulator, so a stored CA needs only its key.
fn ca_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "akv-emulator CA");
    set_validity(&mut params, Duration::days(3650));
    params
}

/// The CA of an earlier run, or a new one, which is stored for the next run.
fn kept_ca(directory: &Path) -> io::Result<(String, KeyPair)> {
    std::fs::create_dir_all(directory).map_err(|error| named(directory, &error))?;
    let (certificate, key) = (directory.join("ca.pem"), directory.join("ca.key"));
    let read = |path: &Path| match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(named(path, &error)),
    };
    match (read(&key)?, read(&certificate)?) {
        (Some(pair), Some(pem)) => {
            let pair =
                KeyPair::from_pem(&pair).map_err(|error| damaged(&key, &error.to_string()))?;
            if !pem.contains("-----BEGIN CERTIFICATE-----") {
                return Err(damaged(&certificate, "it contains no certificate"));
            }
            Ok((pem, pair))
        }
        // Clients that trust the certificate would connect to a server with another CA.
        (None, Some(_)) => {
            let reason = format!("its private key {} is missing", key.display());
            Err(damaged(&certificate, &reason))
        }
        // An interrupted first start left no certificate that a client could trust.
        (_, None) => {
            let (pem, pair) = fresh_ca().map_err(io::Error::other)?;
            write_private(&key, pair.serialize_pem().as_bytes())?;
            write_public(&certificate, pem.as_bytes())?;
            Ok((pem, pair))
        }
    }
}

type Leaf = (Vec<CertificateDer<'static>>, Vec<u8>);

fn leaf(ca_key: KeyPair, names: &[String]) -> Result<Leaf, rcgen::Error> {
    let issuer = Issuer::new(ca_params(), ca_key);
    let key = KeyPair::generate()?;
    let mut sans: Vec<String> = vec!["localhost".into(), "127.0.0.1".into(), "::1".into()];
    sans.extend(AUTHORITIES.map(str::to_owned));
    sans.extend(SUFFIXES.iter().map(|(suffix, _)| format!("*.{suffix}")));
    sans.extend(names.iter().cloned());
    let mut params = CertificateParams::default();
    for san in sans {
        params.subject_alt_names.push(match san.parse::<IpAddr>() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName(san.try_into()?),
        });
    }
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "akv-emulator");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    set_validity(&mut params, Duration::days(397));
    let certificate = params.signed_by(&key, &issuer)?;
    Ok((vec![certificate.der().clone()], key.serialize_der()))
}

/// Starts a day ago: the clocks of clients under test may be shifted a little.
fn set_validity(params: &mut CertificateParams, length: Duration) {
    params.not_before = OffsetDateTime::now_utc() - Duration::days(1);
    params.not_after = params.not_before + length;
}

fn config(
    persona: Persona,
    chain: &[CertificateDer<'static>],
    key: &[u8],
) -> io::Result<Arc<ServerConfig>> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.to_vec()));
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain.to_vec(), key))
        .map_err(io::Error::other)?;
    config.alpn_protocols = persona.alpn();
    Ok(Arc::new(config))
}
