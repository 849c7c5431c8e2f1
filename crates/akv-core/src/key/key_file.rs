//! The key file: a handle for programs that expect a private key file.

use std::fmt::Display;

use der::{
    Any, AnyRef, Decode, Encode, Sequence, Tag, Tagged,
    asn1::{OctetStringRef, Utf8StringRef},
    pem::{self, LineEnding},
};
use spki::SubjectPublicKeyInfoRef;

use crate::{Error, ErrorKind, KeyReference, PublicKey, Result};

/// Maximum size of a key file, in bytes of DER: a reference and an RSA-16384 key fit.
const MAX_LEN: usize = 8 * 1024;

/// The version of the structure.
const VERSION: u8 = 1;

/// Content octets of the private object identifier of the PKCS#8 envelope,
/// 2.25.236226637566350985415300616977559960549 (a UUID, ITU-T X.667): its last arc is wider than
/// the object identifier types of the ASN.1 library.
const OID: [u8; 20] = [
    0x69, 0x82, 0xe3, 0xb7, 0xcc, 0x9c, 0xcb, 0xdd, 0xa2, 0x91, 0x9f, 0x89, 0xc3, 0xa0, 0xc3, 0xe9,
    0xfd, 0x96, 0xf7, 0x65,
];

/// Names a key and contains its public half, but no secret.
///
/// ```text
/// SEQUENCE { version INTEGER (1), reference UTF8String, publicKey SubjectPublicKeyInfo OPTIONAL }
/// ```
///
/// Loading a key from a file with a version and a public key sends no request.
///
/// ```
/// use akv_core::KeyFile;
///
/// # let public_key = akv_core::RsaPublicKey::new(&[0xc5; 256], &[1, 0, 1])?;
/// # let public_key = akv_core::PublicKey::Rsa(public_key);
/// let reference = "vault:myVault:web:0123456789abcdef0123456789abcdef".parse()?;
/// let pem = KeyFile::new(&reference, Some(public_key.clone())).to_pem();
///
/// let file = KeyFile::from_pem(pem.as_bytes())?.expect("its label is that of a key file");
/// assert_eq!(file.reference(), "vault:myVault:web:0123456789abcdef0123456789abcdef");
/// assert_eq!(file.public_key(), Some(&public_key));
/// # Ok::<(), akv_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFile {
    reference: String,
    public_key: Option<PublicKey>,
}

#[derive(Sequence)]
struct Structure<'a> {
    version: u8,
    reference: Utf8StringRef<'a>,
    #[asn1(optional = "true")]
    public_key: Option<SubjectPublicKeyInfoRef<'a>>,
}

/// PKCS#8's `PrivateKeyInfo` (RFC 5208) around [`Structure`].
#[derive(Sequence)]
struct Envelope<'a> {
    version: u8,
    algorithm: EnvelopeAlgorithm<'a>,
    private_key: &'a OctetStringRef,
}

#[derive(Sequence)]
struct EnvelopeAlgorithm<'a> {
    oid: AnyRef<'a>,
}

impl KeyFile {
    /// The label of the PEM form, for programs that inspect files themselves.
    ///
    /// ```
    /// # use akv_core::KeyFile;
    /// # let pem = KeyFile::new(&"vault:myVault:web".parse()?, None).to_pem();
    /// assert!(pem.starts_with(&format!("-----BEGIN {}-----\n", KeyFile::PEM_LABEL)));
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    pub const PEM_LABEL: &'static str = "AKV PRIVATE KEY";
    /// The label of the PKCS#8 form: that of every private key (RFC 7468 section 10).
    pub const PKCS8_LABEL: &'static str = "PRIVATE KEY";
    /// The private object identifier of the PKCS#8 form, a UUID (ITU-T X.667).
    pub const PKCS8_OID: &'static str = "2.25.236226637566350985415300616977559960549";

    /// A key file for a reference. Pass the resolved version and the public key, so that loading
    /// needs no network.
    ///
    /// ```
    /// use akv_core::KeyFile;
    ///
    /// let file = KeyFile::new(&"vault:myVault:web".parse()?, None);
    /// assert_eq!(file.reference(), "vault:myVault:web");
    /// assert_eq!(file.public_key(), None);
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    pub fn new(reference: &KeyReference, public_key: Option<PublicKey>) -> Self {
        Self { reference: reference.to_string(), public_key }
    }

    /// The reference as written in the file; [`crate::Client::reference`] checks it.
    pub fn reference(&self) -> &str {
        &self.reference
    }

    /// The public key, if the file contains it.
    pub fn public_key(&self) -> Option<&PublicKey> {
        self.public_key.as_ref()
    }

    /// Parses the DER structure.
    ///
    /// ```
    /// # use akv_core::{ErrorKind, KeyFile};
    /// # let file = KeyFile::new(&"vault:myVault:web".parse()?, None);
    /// let der = file.to_der();
    /// assert_eq!(KeyFile::from_der(&der)?, file);
    /// assert_eq!(KeyFile::from_der(&der[1..]).unwrap_err().kind(), ErrorKind::KeyFile);
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// The DER is malformed, truncated, over-long or of another version.
    pub fn from_der(der: &[u8]) -> Result<Self> {
        check_len(der)?;
        // The version is checked first: the rest may differ in a later version.
        let body = AnyRef::from_der(der).map_err(malformed)?;
        if body.tag() != Tag::Sequence {
            return Err(malformed("not a SEQUENCE"));
        }
        match body.value().get(..3) {
            Some([2, 1, VERSION]) => {}
            Some([2, 1, version]) => {
                return Err(malformed(format!("version {version} is unknown, this is version 1")));
            }
            _ => return Err(malformed("no version")),
        }
        let structure = Structure::from_der(der).map_err(malformed)?;
        let public_key = structure
            .public_key
            .map(|key| PublicKey::from_spki_der(&key.to_der().map_err(malformed)?))
            .transpose()
            .map_err(|error| malformed(error.message()))?;
        Ok(Self { reference: structure.reference.as_str().to_owned(), public_key })
    }

    /// Parses the PKCS#8 envelope. `Ok(None)` if it contains a key of another algorithm.
    ///
    /// ```
    /// # use akv_core::KeyFile;
    /// # let file = KeyFile::new(&"vault:myVault:web".parse()?, None);
    /// assert_eq!(KeyFile::from_pkcs8_der(&file.to_pkcs8_der())?, Some(file));
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// The algorithm is ours but the content is malformed.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Option<Self>> {
        let Ok(envelope) = Envelope::from_der(der) else {
            return Ok(None);
        };
        if envelope.algorithm.oid.tag() != Tag::ObjectIdentifier
            || envelope.algorithm.oid.value() != OID
        {
            return Ok(None);
        }
        Self::from_der(envelope.private_key.as_bytes()).map(Some)
    }

    /// Parses either PEM form. `Ok(None)` if the label, or the algorithm under the usual label, is
    /// not ours.
    ///
    /// ```
    /// use akv_core::KeyFile;
    ///
    /// /// Whether a private key file names a vault key instead of containing a private key.
    /// fn is_in_vault(pem: &[u8]) -> akv_core::Result<bool> {
    ///     Ok(KeyFile::from_pem(pem)?.is_some())
    /// }
    /// assert!(!is_in_vault(b"-----BEGIN EC PRIVATE KEY-----\n...")?);
    /// # let file = KeyFile::new(&"vault:myVault:web".parse()?, None);
    /// # assert!(is_in_vault(file.to_pem().as_bytes())?);
    /// # assert!(is_in_vault(file.to_pkcs8_pem().as_bytes())?);
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// The PEM is ours but malformed.
    pub fn from_pem(pem: &[u8]) -> Result<Option<Self>> {
        // Some editors begin a file with UTF-8's byte order mark.
        let pem = pem.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(pem);
        let label = match pem::decode_label(pem) {
            Ok(label) if [Self::PEM_LABEL, Self::PKCS8_LABEL].contains(&label) => label,
            _ => return Ok(None),
        };
        match (pem::decode_vec(pem), label) {
            (Ok((_, der)), Self::PEM_LABEL) => Self::from_der(&der).map(Some),
            (Ok((_, der)), _) => Self::from_pkcs8_der(&der),
            (Err(error), Self::PEM_LABEL) => Err(malformed(error)),
            (Err(_), _) => Ok(None),
        }
    }

    /// Writes the DER structure.
    ///
    /// ```
    /// # use akv_core::KeyFile;
    /// let der = KeyFile::new(&"vault:myVault:web".parse()?, None).to_der();
    /// assert_eq!(der[..5], [0x30, 22, 2, 1, 1]); // a SEQUENCE, version 1
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    pub fn to_der(&self) -> Vec<u8> {
        let spki = self.public_key.as_ref().map(PublicKey::to_spki_der);
        let encode = || -> der::Result<Vec<u8>> {
            Structure {
                version: VERSION,
                reference: Utf8StringRef::new(&self.reference)?,
                public_key: spki.as_deref().map(SubjectPublicKeyInfoRef::from_der).transpose()?,
            }
            .to_der()
        };
        encode().expect("a short text and a checked key have a DER form")
    }

    /// Writes the PEM form.
    ///
    /// ```no_run
    /// # fn example(key: akv_core::blocking::Key) -> std::io::Result<()> {
    /// std::fs::write("site.key", key.key_file().to_pem())?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn to_pem(&self) -> String {
        pem_text(Self::PEM_LABEL, &self.to_der())
    }

    /// Writes the DER of the PKCS#8 envelope (RFC 5208) whose algorithm is
    /// [`PKCS8_OID`](Self::PKCS8_OID), around the structure.
    ///
    /// ```
    /// # use akv_core::KeyFile;
    /// # let file = KeyFile::new(&"vault:myVault:web".parse()?, None);
    /// assert!(file.to_pkcs8_der().ends_with(&file.to_der()));
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    pub fn to_pkcs8_der(&self) -> Vec<u8> {
        let content = self.to_der();
        let encode = || -> der::Result<Vec<u8>> {
            let oid = Any::new(Tag::ObjectIdentifier, OID)?;
            Envelope {
                version: 0,
                algorithm: EnvelopeAlgorithm { oid: AnyRef::from(&oid) },
                private_key: OctetStringRef::new(&content)?,
            }
            .to_der()
        };
        encode().expect("a short structure has a DER form")
    }

    /// Writes the PEM of the PKCS#8 envelope, for programs that require the usual label.
    ///
    /// ```
    /// # use akv_core::KeyFile;
    /// # let file = KeyFile::new(&"vault:myVault:web".parse()?, None);
    /// let begin = format!("-----BEGIN {}-----\n", KeyFile::PKCS8_LABEL);
    /// assert!(file.to_pkcs8_pem().starts_with(&begin));
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    pub fn to_pkcs8_pem(&self) -> String {
        pem_text(Self::PKCS8_LABEL, &self.to_pkcs8_der())
    }
}

fn pem_text(label: &'static str, der: &[u8]) -> String {
    pem::encode_string(label, LineEnding::LF, der).expect("a valid label and a short body")
}

fn check_len(der: &[u8]) -> Result<()> {
    if der.len() > MAX_LEN {
        return Err(malformed(format!("it is longer than {MAX_LEN} bytes")));
    }
    Ok(())
}

fn malformed(reason: impl Display) -> Error {
    Error::new(ErrorKind::KeyFile, format!("malformed key file (AKV PRIVATE KEY): {reason}"))
        .hint("write it again with: openssl pkey -in vault:NAME:KEY -out key.pem")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::RsaPublicKey;

    fn sample() -> KeyFile {
        let reference =
            "vault:myVault:myKey:0123456789abcdef0123456789abcdef".parse().expect("a reference");
        let key = RsaPublicKey::new(&[0xc5; 256], &[1, 0, 1]).expect("a key");
        KeyFile::new(&reference, Some(PublicKey::Rsa(key)))
    }

    #[test]
    fn every_form_round_trips() {
        let file = sample();
        assert_eq!(KeyFile::from_der(&file.to_der()).unwrap(), file);
        assert_eq!(KeyFile::from_pkcs8_der(&file.to_pkcs8_der()).unwrap(), Some(file.clone()));
        assert_eq!(KeyFile::from_pem(file.to_pem().as_bytes()).unwrap(), Some(file.clone()));
        assert_eq!(KeyFile::from_pem(file.to_pkcs8_pem().as_bytes()).unwrap(), Some(file.clone()));
        let marked = [&[0xef, 0xbb, 0xbf], file.to_pem().as_bytes()].concat();
        assert_eq!(KeyFile::from_pem(&marked).unwrap(), Some(file.clone()));
        let bare = KeyFile { public_key: None, ..file };
        assert_eq!(KeyFile::from_der(&bare.to_der()).unwrap(), bare);
    }

    #[test]
    fn the_structure_is_the_documented_one() {
        let der = KeyFile { reference: "vault:v:k".into(), public_key: None }.to_der();
        assert_eq!(der, [&[0x30, 14, 2, 1, 1, 0x0c, 9][..], b"vault:v:k"].concat());
    }

    #[test]
    fn the_object_identifier_is_the_documented_one() {
        let number: u128 = KeyFile::PKCS8_OID.strip_prefix("2.25.").unwrap().parse().unwrap();
        let decoded = OID[1..].iter().fold(0u128, |arc, octet| arc << 7 | u128::from(octet & 0x7f));
        assert_eq!((OID[0], decoded), (2 * 40 + 25, number));
    }

    #[test]
    fn another_version_truncation_and_excess_are_refused() {
        let der = sample().to_der();
        let mut other = der.clone();
        let at = other.windows(3).position(|w| w == [2, 1, 1]).unwrap();
        other[at + 2] = 2;
        assert!(KeyFile::from_der(&other).unwrap_err().to_string().contains("version 2"));
        assert!(KeyFile::from_der(&der[..der.len() - 1]).is_err());
        assert!(KeyFile::from_der(&[&der[..], &[0]].concat()).is_err());
        assert!(KeyFile::from_der(&vec![0x30; MAX_LEN + 1]).is_err());
    }

    #[test]
    fn other_private_keys_are_ignored() {
        let pem = "-----BEGIN EC PRIVATE KEY-----\nMAA=\n-----END EC PRIVATE KEY-----\n";
        assert_eq!(KeyFile::from_pem(pem.as_bytes()).unwrap(), None);
        assert_eq!(KeyFile::from_pem(b"").unwrap(), None);
        assert_eq!(KeyFile::from_pkcs8_der(&[0x30, 0]).unwrap(), None);
    }

    proptest! {
        #[test]
        fn mutations_never_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
            for mut der in [sample().to_der(), sample().to_pkcs8_der(), sample().to_pem().into_bytes()] {
                let len = der.len();
                der[at.index(len)] = byte;
                der.truncate(cut.index(len + 1));
                let _ = KeyFile::from_der(&der);
                let _ = KeyFile::from_pkcs8_der(&der);
                let _ = KeyFile::from_pem(&der);
            }
        }
    }
}
