//! The file formats of certificate and key.

use der::{Document, Encode as _, SecretDocument, asn1::OctetStringRef};
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef, spki::AlgorithmIdentifierRef};
use zeroize::Zeroizing;

pub(super) const ONLY_RSA: &str =
    "its private key is not an RSA key; Microsoft Entra ID accepts only RSA keys from applications";

const NO_PASSWORD: &str = "it is encrypted: set AZURE_CLIENT_CERTIFICATE_PASSWORD to its password";
const WRONG_PASSWORD: &str = "AZURE_CLIENT_CERTIFICATE_PASSWORD is not its password";

/// The content of a file.
pub(super) struct Parts {
    /// PKCS#8.
    pub(super) key: Zeroizing<Vec<u8>>,
    /// In the file's order.
    pub(super) certificates: Vec<Vec<u8>>,
}

/// Parses PEM text. A PKCS#12 reader would bring RC2 and DES into every server, so it is left to
/// the `akv` program.
pub(super) fn read(content: &[u8], password: Option<&str>) -> Result<Parts, String> {
    // A SEQUENCE.
    if content.first() == Some(&0x30) {
        return Err(
            "it is not PEM but DER, such as PKCS#12 (.pfx, .p12); convert it (the password stays \
             the same): akv pkcs12 FILE.pfx --out FILE.pem"
                .to_owned(),
        );
    }
    let text = std::str::from_utf8(content).map_err(|_| "it is not PEM text")?;
    pem(text, password)
}

fn pem(text: &str, password: Option<&str>) -> Result<Parts, String> {
    let mut key = None;
    let mut certificates = Vec::new();
    for (label, block) in Blocks(text) {
        match label {
            "CERTIFICATE" => {
                let (_, document) = Document::from_pem(block)
                    .map_err(|error| format!("a certificate in it cannot be read: {error}"))?;
                certificates.push(document.into_vec());
            }
            _ if !label.ends_with("PRIVATE KEY") => {}
            _ if key.is_some() => return Err("it contains more than one private key".to_owned()),
            _ => key = Some(private_key(label, block, password)?),
        }
    }
    let key = key.ok_or("it contains no private key: append the key in PEM to the certificate")?;
    if certificates.is_empty() {
        return Err("it contains no certificate, only a private key".to_owned());
    }
    Ok(Parts { key, certificates })
}

fn private_key(
    label: &str,
    block: &str,
    password: Option<&str>,
) -> Result<Zeroizing<Vec<u8>>, String> {
    // The format of RFC 1421, with a key derived by one round of MD5.
    if block.contains("Proc-Type:") {
        return Err(
            "its private key is encrypted in the traditional format, which is not supported; \
             convert it: openssl pkcs8 -topk8 -in KEY -out NEWKEY"
                .to_owned(),
        );
    }
    let unreadable = |error| format!("its private key cannot be read: {error}");
    let decode = || SecretDocument::from_pem(block).map(|(_, key)| key).map_err(unreadable);
    match label {
        "PRIVATE KEY" => Ok(decode()?.to_bytes()),
        "RSA PRIVATE KEY" => pkcs8_of(decode()?.as_bytes()).map_err(unreadable),
        "ENCRYPTED PRIVATE KEY" => {
            let document = decode()?;
            let encrypted = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes())
                .map_err(|error| format!("its encrypted private key cannot be read: {error}"))?;
            let password = password.ok_or(NO_PASSWORD)?;
            let key = encrypted.decrypt(password).map_err(|error| match error {
                pkcs8::Error::EncryptedPrivateKey(pkcs8::pkcs5::Error::UnsupportedAlgorithm {
                    oid,
                }) => format!("its private key is encrypted with an unsupported algorithm ({oid})"),
                _ => WRONG_PASSWORD.to_owned(),
            })?;
            Ok(key.to_bytes())
        }
        _ => Err(ONLY_RSA.to_owned()),
    }
}

/// Wraps an `RSAPrivateKey` (RFC 8017 appendix A.1.2) in PKCS#8.
fn pkcs8_of(pkcs1: &[u8]) -> der::Result<Zeroizing<Vec<u8>>> {
    let algorithm = AlgorithmIdentifierRef {
        oid: pkcs1::ALGORITHM_OID,
        parameters: Some(der::asn1::AnyRef::NULL),
    };
    let info = PrivateKeyInfoRef::new(algorithm, OctetStringRef::new(pkcs1)?);
    let mut encoded = Zeroizing::new(vec![0; u32::from(info.encoded_len()?) as usize]);
    info.encode_to_slice(&mut encoded)?;
    Ok(encoded)
}

/// The PEM blocks of a text (RFC 7468) with their labels. Text between them, such as the bag
/// attributes that `openssl pkcs12` prints, is skipped.
struct Blocks<'a>(&'a str);

impl<'a> Iterator for Blocks<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        const BEGIN: &str = "-----BEGIN ";
        let block = &self.0[self.0.find(BEGIN)?..];
        let (label, _) = block[BEGIN.len()..].split_once("-----")?;
        let end = format!("-----END {label}-----");
        let length = block.find(&end)? + end.len();
        self.0 = &block[length..];
        Some((label, &block[..length]))
    }
}
