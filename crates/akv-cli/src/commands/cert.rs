//! `akv cert`: certificate requests and self-signed certificates.

use std::time::Duration;

use akv_core::{
    Client, Key, SignatureAlgorithm,
    x509::{Signature, Signer, x509_cert},
};
use clap::{Args, Subcommand};
use der::{EncodePem, asn1::Ia5String, pem::LineEnding};
use serde_json::json;
use spki::SubjectPublicKeyInfoOwned;
use x509_cert::{
    TbsCertificate,
    builder::{AsyncBuilder as _, CertificateBuilder, profile::BuilderProfile},
    ext::{
        Extension, ToExtension as _,
        pkix::{
            BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName,
            SubjectKeyIdentifier, name::GeneralName,
        },
    },
    name::Name,
    request::RequestBuilder,
    serial_number::SerialNumber,
    time::Validity,
};

use crate::{
    exit::{Failure, Result},
    key::Named,
    output::{Destination, Secrecy, Show, counters_json},
    settings::SettingsArguments,
    text::{base64, moment},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Cert {
    /// Create a certificate request (PKCS#10), signed in the vault.
    Csr(Csr),
    /// Create a self-signed certificate.
    SelfSigned(SelfSigned),
}

impl Cert {
    pub(crate) async fn run(self, show: Show) -> Result<()> {
        match self {
            Self::Csr(command) => command.run(show).await,
            Self::SelfSigned(command) => command.run(show).await,
        }
    }
}

/// The common arguments.
#[derive(Args, Debug)]
struct Common {
    /// The key.
    key: String,
    /// The subject, such as CN=www.example.org,O=Example,C=DE.
    #[arg(short, long, value_name = "NAME", value_parser = subject)]
    subject: Name,
    /// An additional name of the subject: a DNS name, an IP address, or email:, uri:, dns: or ip:
    /// followed by a name; may be repeated.
    #[arg(long = "san", value_name = "NAME", value_parser = alternative)]
    names: Vec<GeneralName>,
    /// The algorithm; by default RS256 or that of the curve.
    #[arg(short, long, value_name = "NAME")]
    algorithm: Option<String>,
    #[command(flatten)]
    destination: Destination,
    #[command(flatten)]
    settings: SettingsArguments,
}

#[derive(Args, Debug)]
pub(crate) struct Csr {
    #[command(flatten)]
    common: Common,
}

#[derive(Args, Debug)]
pub(crate) struct SelfSigned {
    /// Validity in days.
    #[arg(long, default_value = "365", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: u32,
    /// Create a CA certificate.
    #[arg(long)]
    ca: bool,
    #[command(flatten)]
    common: Common,
}

impl Csr {
    async fn run(self, show: Show) -> Result<()> {
        let (client, key, signer) = self.common.open().await?;
        let mut builder = RequestBuilder::new(self.common.subject.clone()).map_err(failed)?;
        if !self.common.names.is_empty() {
            let names = SubjectAltName(self.common.names.clone());
            builder.add_extension(&names).map_err(|error| failed(error.into()))?;
        }
        let request = builder.build_async::<_, Signature>(&signer).await.map_err(failed)?;
        self.common.finish(show, &client, &key, &signer, &request, json!({}))
    }
}

impl SelfSigned {
    async fn run(self, show: Show) -> Result<()> {
        let (client, key, signer) = self.common.open().await?;
        let asn1 = |error: der::Error| failed(error.into());
        let mut serial = [0; 16];
        aws_lc_rs::rand::fill(&mut serial)
            .map_err(|_| Failure::System("cannot generate random numbers".to_owned()))?;
        // Positive, and of maximum length without a sign byte.
        serial[0] = serial[0] & 0x7f | 0x40;
        let life = Duration::from_secs(u64::from(self.days) * 86_400);
        let validity: Validity = Validity::from_now(life).map_err(asn1)?;
        let profile = Profile { subject: self.common.subject.clone(), ca: self.ca };
        let spki = SubjectPublicKeyInfoOwned::from_key(key.public_key())
            .map_err(|error| Failure::System(error.to_string()))?;
        let serial = SerialNumber::new(&serial).map_err(asn1)?;
        let mut builder =
            CertificateBuilder::new(profile, serial, validity, spki).map_err(failed)?;
        if !self.common.names.is_empty() {
            let names = SubjectAltName(self.common.names.clone());
            builder.add_extension(&names).map_err(asn1)?;
        }
        let certificate = builder.build_async::<_, Signature>(&signer).await.map_err(failed)?;
        let expires = moment(validity.not_after.to_system_time());
        self.common.finish(
            show,
            &client,
            &key,
            &signer,
            &certificate,
            json!({ "expires": expires }),
        )
    }
}

impl Common {
    async fn open(&self) -> Result<(Client, Key, Signer<Key>)> {
        self.destination.check()?;
        let client = self.settings.client()?;
        let named = Named::read(&client, &self.key)?;
        let algorithm = self.algorithm.as_deref().map(str::parse::<SignatureAlgorithm>);
        let algorithm = algorithm.transpose()?;
        let key = named.open(&client).await?;
        let algorithm =
            algorithm.unwrap_or_else(|| SignatureAlgorithm::default_for(key.public_key()));
        let signer = key.x509_signer_with(algorithm)?;
        Ok((client, key, signer))
    }

    fn finish<T: der::Encode + EncodePem>(
        &self,
        show: Show,
        client: &Client,
        key: &Key,
        signer: &Signer<Key>,
        made: &T,
        more: serde_json::Value,
    ) -> Result<()> {
        let asn1 = |error: der::Error| failed(error.into());
        let pem = made.to_pem(LineEnding::LF).map_err(asn1)?;
        let file = self.destination.file();
        if file.is_some() || !show.json {
            self.destination.write(pem.as_bytes(), Secrecy::Public)?;
        }
        if show.json {
            let mut value = json!({
                "reference": key.pinned_reference().to_string(),
                "algorithm": signer.algorithm().name(),
                "subject": self.subject.to_string(),
                "der": base64(&made.to_der().map_err(asn1)?),
                "pem": pem,
                "file": file,
                "counters": counters_json(client.counters()),
            });
            if let (Some(value), Some(more)) = (value.as_object_mut(), more.as_object()) {
                value.extend(more.clone());
            }
            show.result(&value, |_| Ok(()))?;
        }
        show.counters(client);
        Ok(())
    }
}

/// A certificate whose issuer is its subject.
struct Profile {
    subject: Name,
    ca: bool,
}

impl BuilderProfile for Profile {
    fn get_issuer(&self, subject: &Name) -> Name {
        subject.clone()
    }

    fn get_subject(&self) -> Name {
        self.subject.clone()
    }

    fn build_extensions(
        &self,
        subject_key: spki::SubjectPublicKeyInfoRef<'_>,
        _issuer_key: spki::SubjectPublicKeyInfoRef<'_>,
        certificate: &TbsCertificate,
    ) -> x509_cert::builder::Result<Vec<Extension>> {
        let name = certificate.subject();
        let mut extensions = Vec::new();
        let constraints = BasicConstraints { ca: self.ca, path_len_constraint: None };
        extensions.push(constraints.to_extension(name, &extensions)?);
        let identifier = SubjectKeyIdentifier::try_from(subject_key)?;
        extensions.push((&identifier).to_extension(name, &extensions)?);
        let usage = match self.ca {
            true => KeyUsages::KeyCertSign | KeyUsages::CRLSign,
            false => KeyUsages::DigitalSignature.into(),
        };
        extensions.push((&KeyUsage(usage)).to_extension(name, &extensions)?);
        if !self.ca {
            let server_and_client = ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"];
            let usage = ExtendedKeyUsage(
                server_and_client.map(der::oid::ObjectIdentifier::new_unwrap).into(),
            );
            extensions.push((&usage).to_extension(name, &extensions)?);
        }
        Ok(extensions)
    }
}

/// The service's error is the source of the builder's.
fn failed(error: x509_cert::builder::Error) -> Failure {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    if let x509_cert::builder::Error::Signature(error) = &error {
        cause = std::error::Error::source(error);
    }
    match cause.and_then(|cause| cause.downcast_ref::<akv_core::Error>()) {
        Some(error) => Failure::Core(error.clone()),
        None => Failure::Usage(format!("cannot create the certificate: {error}")),
    }
}

fn subject(text: &str) -> Result<Name, String> {
    let name: Name =
        text.parse().map_err(|error| format!("{error}; expected CN=www.example.org,O=…"))?;
    if name.is_empty() { Err("it is empty".to_owned()) } else { Ok(name) }
}

fn alternative(text: &str) -> Result<GeneralName, String> {
    let (kind, value) = text.split_once(':').unwrap_or_default();
    let ia5 =
        |text: &str| Ia5String::new(text).map_err(|_| "it has non-ASCII characters".to_owned());
    let ip = |text: &str| text.parse::<std::net::IpAddr>().map(GeneralName::from).ok();
    Ok(match kind.to_ascii_lowercase().as_str() {
        "dns" => GeneralName::DnsName(ia5(value)?),
        "email" => GeneralName::Rfc822Name(ia5(value)?),
        "uri" => GeneralName::UniformResourceIdentifier(ia5(value)?),
        "ip" => ip(value).ok_or("it is not an IP address")?,
        _ => match ip(text) {
            Some(address) => address,
            None if text.contains(':') || text.is_empty() => {
                return Err("expected a DNS name, an IP address, or email:, uri:, dns:, ip:".into());
            }
            None => GeneralName::DnsName(ia5(text)?),
        },
    })
}
