//! `akv pkcs12`: converts client certificates from PKCS#12 to PEM.

use std::path::PathBuf;

use clap::Args;
use der::{SecretDocument, pem::LineEnding};
use p12_keystore::{Pkcs12Archive, error::Error as Pkcs12Error};
use pkcs8::{PrivateKeyInfoRef, pkcs5::pbes2};
use serde_json::json;
use zeroize::Zeroizing;

use crate::{
    exit::{Failure, Result},
    input,
    output::{Destination, Secrecy, Show},
};

/// The variable with the password, for `akv` and for the modules.
const PASSWORD: &str = "AZURE_CLIENT_CERTIFICATE_PASSWORD";

/// Rounds of PBKDF2. The modules repeat them once, at load.
const ROUNDS: u32 = 100_000;

/// Convert a client certificate from PKCS#12 (.pfx, .p12) to PEM, which the provider, the engine
/// and libakv read (client-certificate-file, AZURE_CLIENT_CERTIFICATE_PATH).
///
/// The password is read from AZURE_CLIENT_CERTIFICATE_PASSWORD. The private key stays encrypted
/// with it. The output file is readable only by its owner.
#[derive(Args, Debug)]
pub(crate) struct Pkcs12 {
    /// The PKCS#12 file; standard input with `-`.
    file: PathBuf,
    /// File whose first line is the password, instead of AZURE_CLIENT_CERTIFICATE_PASSWORD.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Write the private key without encryption.
    #[arg(long)]
    unencrypted: bool,
    #[command(flatten)]
    destination: Destination,
}

impl Pkcs12 {
    pub(crate) fn run(self, show: Show) -> Result<()> {
        self.destination.check()?;
        let content = input::read(Some(&self.file))?;
        let password = self.password()?;
        let name = self.file.display();
        let archive = open(&content, &password)
            .map_err(|reason| Failure::Usage(format!("cannot convert {name}: {reason}")))?;
        let [key] = archive.keys.as_slice() else {
            let count = archive.keys.len();
            return Err(Failure::Usage(format!(
                "cannot convert {name}: it contains {count} private keys instead of one"
            )));
        };
        let key = Zeroizing::new(key.key.as_der().to_vec());
        let encrypt = !self.unencrypted && !password.is_empty();
        let mut text = private_key_pem(&key, encrypt.then_some(password.as_str()))
            .map_err(|_| Failure::Usage(format!("the private key of {name} is not valid")))?;
        for bag in &archive.certs {
            let certificate =
                der::pem::encode_string("CERTIFICATE", LineEnding::LF, bag.cert.as_der());
            text.push_str(&certificate.map_err(|_| {
                Failure::Usage(format!("a certificate of {name} is too large for PEM"))
            })?);
        }
        self.destination.write(text.as_bytes(), Secrecy::Secret)?;
        if show.json && self.destination.file().is_some() {
            let value = json!({
                "file": self.destination.file(),
                "certificates": archive.certs.len(),
                "encrypted": encrypt,
            });
            show.result(&value, |_| Ok(()))?;
        }
        Ok(())
    }

    fn password(&self) -> Result<Zeroizing<String>> {
        let Some(path) = &self.password_file else {
            return Ok(Zeroizing::new(std::env::var(PASSWORD).unwrap_or_default()));
        };
        let content = input::read(Some(path))?;
        let text = std::str::from_utf8(&content)
            .map_err(|_| Failure::Usage(format!("{} is not UTF-8", path.display())))?;
        Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
    }
}

/// Reads a PKCS#12 file.
fn open(content: &[u8], password: &str) -> Result<Pkcs12Archive, String> {
    Pkcs12Archive::from_pkcs12(content, password).map_err(|error| match error {
        Pkcs12Error::MacError(_) | Pkcs12Error::UnpadError if password.is_empty() => {
            format!("it is encrypted; set {PASSWORD} to the password, or use --password-file")
        }
        Pkcs12Error::MacError(_) | Pkcs12Error::UnpadError => "the password is wrong".to_owned(),
        // The library's messages contain only names of structures and algorithms.
        other => format!(
            "it cannot be read as PKCS#12 ({other}); use instead: openssl pkcs12 -in FILE -out \
             FILE.pem"
        ),
    })
}

/// PKCS#8 in PEM, encrypted (RFC 8018 section 6.2) if there is a password.
fn private_key_pem(key: &[u8], password: Option<&str>) -> pkcs8::Result<Zeroizing<String>> {
    let Some(password) = password else {
        let key = SecretDocument::try_from(key)?;
        return Ok(key.to_pem("PRIVATE KEY", LineEnding::LF)?);
    };
    let (mut salt, mut iv) = ([0; 16], [0; 16]);
    for bytes in [&mut salt, &mut iv] {
        aws_lc_rs::rand::fill(bytes).map_err(|_| pkcs8::pkcs5::Error::Rng)?;
    }
    let parameters = pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(ROUNDS, &salt, iv)?;
    let encrypted = PrivateKeyInfoRef::try_from(key)?.encrypt_with_params(parameters, password)?;
    Ok(encrypted.to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF)?)
}
