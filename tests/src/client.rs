//! A real TLS client: `openssl s_client` with the default provider only.

use anyhow::{Context as _, Result, bail};

use crate::openssl::OpenSsl;

/// How to connect. The server's name is always `localhost`.
#[derive(Clone, Copy, Debug)]
pub struct Client<'a> {
    /// `127.0.0.1:PORT`.
    pub address: &'a str,
    /// The certificate file to trust.
    pub ca: &'a str,
    /// More arguments, such as `-tls1_3 -sigalgs ecdsa_secp256r1_sha256`.
    pub arguments: &'a str,
}

/// The result of a handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// `TLSv1.3`.
    pub protocol: String,
    /// `RSA-PSS`, `ECDSA`, …
    pub signature: String,
    /// The digest of the server's signature.
    pub digest: String,
}

impl Client<'_> {
    /// Does one full handshake with a verified chain and host name, and closes the connection
    /// gracefully.
    ///
    /// # Errors
    /// The handshake or the verification fails.
    pub fn connect(&self, openssl: &OpenSsl) -> Result<Handshake> {
        let output = openssl.ok(&self.line())?;
        let field = |name: &str| {
            let mut lines = output.stderr.lines();
            lines.find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
        };
        if field("Verification:") != "OK" {
            bail!("the chain was not verified: {}", output.describe());
        }
        Ok(Handshake {
            protocol: field("Protocol version:"),
            signature: kind_of_signature(&field("Signature type:")).to_owned(),
            digest: field("Hash used:"),
        })
    }

    /// Does a handshake that the server must refuse, and returns the number of its alert.
    ///
    /// # Errors
    /// The handshake succeeds, or fails without an alert from the server.
    pub fn refused(&self, openssl: &OpenSsl) -> Result<u8> {
        let output = openssl.fails(&self.line())?;
        let alert = output.stderr.split_once("SSL alert number ").map(|(_, alert)| alert);
        let number = alert.and_then(|alert| alert.split_whitespace().next());
        let number = number.with_context(|| format!("no alert in {}", output.describe()))?;
        Ok(number.parse()?)
    }

    fn line(&self) -> String {
        let Self { address, ca, arguments } = self;
        format!(
            "s_client -brief -connect {address} -servername localhost -verify_hostname localhost \
             -verify_return_error -CAfile {ca} {arguments}"
        )
    }
}

/// From OpenSSL 3.5 on the name of the whole scheme is printed, such as `rsa_pss_rsae_sha256`.
fn kind_of_signature(printed: &str) -> &str {
    match printed {
        scheme if scheme.starts_with("rsa_pss_") => "RSA-PSS",
        scheme if scheme.starts_with("rsa_pkcs1_") => "RSA",
        scheme if scheme.starts_with("ecdsa_") => "ECDSA",
        kind => kind,
    }
}
