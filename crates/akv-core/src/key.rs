//! A key in a vault, at one version.

use crate::{
    Client, Curve, EcPublicKey, EncryptionAlgorithm, Error, ErrorKind, KeyFile, KeyReference,
    PublicKey, Result, RsaPublicKey, SignatureAlgorithm,
    client::VaultClient,
    operation::{Failure, with_deadline},
    transport::failure,
};
use azure_security_keyvault_keys::models::{
    CurveName, EncryptionAlgorithm as SdkEncryption, JsonWebKey, KeyClientGetKeyOptions,
    KeyClientSignOptions, KeyOperationParameters, KeyOperationResult, KeyType, SignParameters,
    SignatureAlgorithm as SdkSignature,
};
use std::{fmt, future::Future, sync::Arc};
use zeroize::Zeroizing;

/// A key whose private half is in a vault. Cheap to clone, usable from many threads.
///
/// The version is pinned: a reference without one is resolved when the key is opened, and every
/// later operation uses that version, so that a rotation in the vault does not break a server
/// whose certificate belongs to the old one.
#[derive(Clone)]
pub struct Key(Arc<Inner>);

struct Inner {
    client: Client,
    reference: KeyReference,
    pinned: KeyReference,
    name: String,
    version: String,
    public_key: PublicKey,
}

impl Key {
    /// The reference that the key was opened with.
    pub fn reference(&self) -> &KeyReference {
        &self.0.reference
    }

    /// The reference with the pinned version.
    pub fn pinned_reference(&self) -> &KeyReference {
        &self.0.pinned
    }

    /// The pinned version: 32 hexadecimal digits.
    pub fn version(&self) -> &str {
        &self.0.version
    }

    /// The public half.
    pub fn public_key(&self) -> &PublicKey {
        &self.0.public_key
    }

    /// The handle of this key, with version and public half, so that loading it costs no request.
    pub fn key_file(&self) -> KeyFile {
        KeyFile::new(&self.0.pinned, Some(self.0.public_key.clone()))
    }

    /// Signs a digest in the vault. ECDSA signatures are in JOSE form, r‖s; see [`crate::ecdsa`].
    ///
    /// # Errors
    /// The algorithm or the digest's length does not fit the key (no request is made then), the
    /// service fails or refuses within the deadline, or its signature does not verify.
    pub async fn sign(&self, algorithm: SignatureAlgorithm, digest: &[u8]) -> Result<Vec<u8>> {
        let operation = || format!("sign ({algorithm}) with {}", self.0.reference);
        self.check_kind(algorithm).map_err(|error| error.during(operation()))?;
        algorithm.check(&self.0.public_key, digest).map_err(|error| error.during(operation()))?;
        let body = SignParameters {
            algorithm: algorithm.name().parse::<SdkSignature>().ok(),
            value: Some(digest.to_vec()),
        };
        let signature = self
            .run(|vault| {
                let body = body.clone();
                async move {
                    let body = body.try_into().map_err(|e| self.failure(e, &vault))?;
                    let options = KeyClientSignOptions {
                        key_version: Some(self.0.version.clone()),
                        ..KeyClientSignOptions::default()
                    };
                    let result = vault.keys.sign(&self.0.name, body, Some(options)).await;
                    let result = result.and_then(|r| r.into_model());
                    self.result(result.map_err(|e| self.failure(e, &vault))?, &vault)
                }
            })
            .await
            .map_err(|error| error.during(operation()))?;
        let signature = signature.to_vec();
        if self.0.client.settings().values().verify_signatures {
            self.0.public_key.verify_digest(algorithm, digest, &signature).map_err(|_| {
                Error::new(
                    ErrorKind::Signature,
                    "the signature from the vault does not verify with the key's public half",
                )
                .during(operation())
            })?;
        }
        Ok(signature)
    }

    /// Decrypts in the vault.
    ///
    /// # Errors
    /// The algorithm or the ciphertext's length does not fit the key (no request is made then), or
    /// the service fails or refuses within the deadline.
    pub async fn decrypt(
        &self,
        algorithm: EncryptionAlgorithm,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>> {
        let operation = || format!("decrypt ({algorithm}) with {}", self.0.reference);
        algorithm
            .check(&self.0.public_key, ciphertext)
            .map_err(|error| error.during(operation()))?;
        let body = KeyOperationParameters {
            algorithm: algorithm.name().parse::<SdkEncryption>().ok(),
            value: Some(ciphertext.to_vec()),
            ..KeyOperationParameters::default()
        };
        self.run(|vault| {
            let body = body.clone();
            async move {
                let body = body.try_into().map_err(|e| self.failure(e, &vault))?;
                let result = vault.keys.decrypt(&self.0.name, &self.0.version, body, None).await;
                let result = result.and_then(|r| r.into_model());
                let plaintext = result.map_err(|e| self.failure(e, &vault))?;
                self.result(plaintext, &vault)
            }
        })
        .await
        .map_err(|error| error.during(operation()))
    }

    pub(crate) async fn fetch(client: &Client, reference: &KeyReference) -> Result<Self> {
        let operation = || format!("load {reference}");
        let name = key_name(reference).map_err(|error| error.during(operation()))?;
        let attempt = |vault: Arc<VaultClient>| async move {
            let options = KeyClientGetKeyOptions {
                key_version: reference.version().map(str::to_owned),
                ..KeyClientGetKeyOptions::default()
            };
            let answer = vault.keys.get_key(name, Some(options)).await;
            let key = answer
                .and_then(|answer| answer.into_model())
                .map_err(|error| failure(error, reference, &vault.host))?;
            let wrong = |why: String| {
                let text = format!("{} gave a wrong answer: {why}", vault.host);
                Failure::Transient(Error::new(ErrorKind::Response, text), None)
            };
            let jwk = key.key.ok_or_else(|| wrong("no key in it".into()))?;
            let version = version(&jwk, name, reference).map_err(wrong)?;
            match public_key(jwk) {
                Ok(public_key) => Ok((version, public_key)),
                Err(error) if error.kind() == ErrorKind::Unsupported => Err(error.into()),
                Err(error) => Err(wrong(error.message().to_owned())),
            }
        };
        let (version, public_key) =
            run(client, reference, attempt).await.map_err(|error| error.during(operation()))?;
        Ok(Self::new(client, reference, name, version, public_key))
    }

    pub(crate) async fn from_file(client: &Client, file: &KeyFile) -> Result<Self> {
        if let Some(key) = Self::from_complete_file(client, file)? {
            return Ok(key);
        }
        let reference = client.reference(file.reference())?;
        let key = Self::fetch(client, &reference).await?;
        match file.public_key() {
            Some(public_key) if public_key != key.public_key() => Err(Error::new(
                ErrorKind::KeyFile,
                format!("the key file's public key is not that of {reference}"),
            )
            .hint("the key was rotated or replaced; write the file again")),
            _ => Ok(key),
        }
    }

    /// The key of a file that says everything, so that no request is needed.
    pub(crate) fn from_complete_file(client: &Client, file: &KeyFile) -> Result<Option<Self>> {
        let reference = client.reference(file.reference())?;
        let name = key_name(&reference)?;
        Ok(reference.version().zip(file.public_key()).map(|(version, public_key)| {
            Self::new(client, &reference, name, version.to_owned(), public_key.clone())
        }))
    }

    fn new(
        client: &Client,
        reference: &KeyReference,
        name: &str,
        version: String,
        public_key: PublicKey,
    ) -> Self {
        Self(Arc::new(Inner {
            client: client.clone(),
            reference: reference.clone(),
            pinned: reference.pinned(&version),
            name: name.to_owned(),
            version,
            public_key,
        }))
    }

    /// Managed HSM stopped taking RSNULL; the service's own message does not say so.
    fn check_kind(&self, algorithm: SignatureAlgorithm) -> Result<()> {
        if algorithm == SignatureAlgorithm::RsNull
            && self.0.reference.kind() == crate::VaultKind::ManagedHsm
        {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "Managed HSM signs only SHA-256, SHA-384 and SHA-512 digests with RSA",
            ));
        }
        Ok(())
    }

    async fn run<T, F>(&self, attempt: impl Fn(Arc<VaultClient>) -> F) -> Result<T>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        run(&self.0.client, &self.0.reference, attempt).await
    }

    fn failure(&self, error: azure_core::Error, vault: &VaultClient) -> Failure {
        failure(error, &self.0.reference, &vault.host)
    }

    /// The bytes of an answer that belongs to this version of this key.
    fn result(
        &self,
        answer: KeyOperationResult,
        vault: &VaultClient,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let wrong = |why: &str| {
            let text = format!("{} gave a wrong answer: {why}", vault.host);
            Failure::Transient(Error::new(ErrorKind::Response, text), None)
        };
        let result = answer.result.map(Zeroizing::new);
        if let Some(kid) = &answer.kid
            && last_segment(kid).is_some_and(|version| {
                is_version(version) && !version.eq_ignore_ascii_case(&self.0.version)
            })
        {
            return Err(wrong("it is about another version of the key"));
        }
        match result {
            Some(bytes) if bytes.len() > 16 * 1024 => Err(wrong("the result is too large")),
            Some(bytes) => Ok(bytes),
            None => Err(wrong("no result in it")),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.0.pinned.to_string()).finish()
    }
}

/// Runs an operation inside the deadline and the vault's limit of requests in flight.
async fn run<T, F>(
    client: &Client,
    reference: &KeyReference,
    attempt: impl Fn(Arc<VaultClient>) -> F,
) -> Result<T>
where
    F: Future<Output = Result<T, Failure>>,
{
    let vault = client.vault(reference)?;
    with_deadline(client.settings().timeout(), || async {
        // Fair: first come, first served.
        let _permit = vault.permits.acquire().await.map_err(|_| {
            Error::new(ErrorKind::Internal, "the limit of requests in flight is gone")
        })?;
        attempt(Arc::clone(&vault)).await
    })
    .await
}

fn key_name(reference: &KeyReference) -> Result<&str> {
    reference.key_name().ok_or_else(|| {
        Error::new(ErrorKind::Reference, "the reference names a vault's list of keys, not a key")
            .hint("add the key's name: vault:NAME:KEY")
    })
}

/// The version in the key's identifier, `https://HOST/keys/NAME/VERSION`. The host is not looked
/// at: proxies and emulators have others.
fn version(jwk: &JsonWebKey, name: &str, reference: &KeyReference) -> Result<String, String> {
    let kid = jwk.kid.as_deref().ok_or("no key identifier in it")?;
    let mut segments = kid.rsplit('/');
    let version = segments.next().filter(|version| is_version(version));
    let version = version.ok_or("no version in the key identifier")?.to_ascii_lowercase();
    if !segments.next().is_some_and(|found| found.eq_ignore_ascii_case(name)) {
        return Err("it is about another key".into());
    }
    match reference.version() {
        Some(asked) if asked != version => Err("it is about another version of the key".into()),
        _ => Ok(version),
    }
}

fn last_segment(kid: &str) -> Option<&str> {
    kid.rsplit('/').next()
}

fn is_version(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The public key of a JWK (RFC 7517, with the service's names of key types and curves).
fn public_key(jwk: JsonWebKey) -> Result<PublicKey> {
    let wrong = |what: &str| Error::new(ErrorKind::Response, format!("no {what} in the key"));
    let unsupported = |what: String| {
        Error::new(ErrorKind::Unsupported, format!("{what} cannot sign or decrypt here"))
    };
    match jwk.kty.as_ref().ok_or_else(|| wrong("kty"))? {
        KeyType::Rsa | KeyType::RsaHsm => {
            let n = jwk.n.ok_or_else(|| wrong("n"))?;
            let e = jwk.e.ok_or_else(|| wrong("e"))?;
            RsaPublicKey::new(&n, &e).map(PublicKey::Rsa)
        }
        KeyType::Ec | KeyType::EcHsm => {
            let curve = match jwk.crv.as_ref().ok_or_else(|| wrong("crv"))? {
                CurveName::P256 => Curve::P256,
                CurveName::P256K => Curve::P256K,
                CurveName::P384 => Curve::P384,
                CurveName::P521 => Curve::P521,
                other => return Err(unsupported(format!("a key on the curve {other}"))),
            };
            let x = jwk.x.ok_or_else(|| wrong("x"))?;
            let y = jwk.y.ok_or_else(|| wrong("y"))?;
            EcPublicKey::new(curve, &x, &y).map(PublicKey::Ec)
        }
        other => Err(unsupported(format!("a key of type {other}"))),
    }
}
