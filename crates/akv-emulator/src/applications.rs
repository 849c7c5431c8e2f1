//! Application registrations, with the proofs of identity that they accept.

use std::{
    collections::HashMap,
    sync::{Arc, RwLock},
};

use aws_lc_rs::digest::{self, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use serde::Deserialize;
use x509_cert::der::Decode as _;

use crate::{
    auth::TENANT,
    sync::{read, write},
};

/// An application registration in the emulated Microsoft Entra ID; see
/// [`Emulator::register`](crate::Emulator::register).
///
/// In JSON: `{"tenant": "…", "clientId": "…", "secrets": ["…"], "certificates": ["PEM text"],
/// "federatedTokens": ["…"]}`.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[must_use]
pub struct Application {
    tenant: String,
    client_id: String,
    #[serde(default)]
    secrets: Vec<String>,
    #[serde(default)]
    certificates: Vec<String>,
    #[serde(default)]
    federated_tokens: Vec<String>,
}

impl Application {
    /// An application without credentials. Its tenant exists from now on.
    pub fn new(tenant: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self {
            tenant: tenant.into(),
            client_id: client_id.into(),
            secrets: Vec::new(),
            certificates: Vec::new(),
            federated_tokens: Vec::new(),
        }
    }

    /// Adds a secret.
    pub fn secret(mut self, secret: impl Into<String>) -> Self {
        self.secrets.push(secret.into());
        self
    }

    /// Adds a certificate in PEM, with whose RSA key the application may sign assertions. The first
    /// certificate in the text is used.
    pub fn certificate(mut self, pem: impl Into<String>) -> Self {
        self.certificates.push(pem.into());
        self
    }

    /// Adds a token of another identity provider that the application may use: the content of the
    /// file that `AZURE_FEDERATED_TOKEN_FILE` names. It is compared as a whole. If it is a JSON Web
    /// Token, its expiry is checked.
    pub fn federated_token(mut self, token: impl Into<String>) -> Self {
        self.federated_tokens.push(token.into());
        self
    }

    fn registered(self) -> Result<Registered, String> {
        let certificates = self.certificates.iter().map(|pem| Certificate::parse(pem));
        Ok(Registered {
            certificates: certificates.collect::<Result<_, _>>()?,
            client_id: self.client_id,
            secrets: self.secrets,
            federated_tokens: self.federated_tokens,
        })
    }
}

impl std::fmt::Debug for Application {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Application")
            .field("tenant", &self.tenant)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// A validated registration.
pub(crate) struct Registered {
    pub(crate) client_id: String,
    pub(crate) secrets: Vec<String>,
    pub(crate) certificates: Vec<Certificate>,
    pub(crate) federated_tokens: Vec<String>,
}

/// A registered certificate.
pub(crate) struct Certificate {
    pub(crate) der: Vec<u8>,
    pub(crate) sha1: Vec<u8>,
    pub(crate) sha256: Vec<u8>,
    /// `RSAPublicKey` of PKCS #1.
    pub(crate) public_key: Vec<u8>,
}

impl Certificate {
    fn parse(pem: &str) -> Result<Self, String> {
        let der = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|error| format!("invalid PEM certificate: {error}"))?;
        let parsed = x509_cert::Certificate::from_der(&der)
            .map_err(|error| format!("the certificate cannot be read: {error}"))?;
        let key = &parsed.tbs_certificate().subject_public_key_info().subject_public_key;
        Ok(Self {
            sha1: digest::digest(&SHA1_FOR_LEGACY_USE_ONLY, &der).as_ref().to_vec(),
            sha256: digest::digest(&SHA256, &der).as_ref().to_vec(),
            public_key: key.raw_bytes().to_vec(),
            der: der.to_vec(),
        })
    }
}

/// All registrations.
#[derive(Default)]
pub(crate) struct Registry(RwLock<Directory>);

/// By tenant and client id, both in lower case.
type Directory = HashMap<(String, String), Arc<Registered>>;

impl Registry {
    /// Adds an application, or replaces the one with the same tenant and client id.
    pub(crate) fn add(&self, application: Application) -> Result<(), String> {
        let key = key(&application.tenant, &application.client_id);
        let registered = Arc::new(application.registered()?);
        write(&self.0).insert(key, registered);
        Ok(())
    }

    pub(crate) fn has_tenant(&self, tenant: &str) -> bool {
        let tenant = tenant.to_ascii_lowercase();
        tenant == TENANT || read(&self.0).keys().any(|(known, _)| *known == tenant)
    }

    pub(crate) fn find(&self, tenant: &str, client_id: &str) -> Option<Arc<Registered>> {
        read(&self.0).get(&key(tenant, client_id)).cloned()
    }
}

fn key(tenant: &str, client_id: &str) -> (String, String) {
    (tenant.to_ascii_lowercase(), client_id.to_ascii_lowercase())
}
