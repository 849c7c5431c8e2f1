//! Signature schemes as types: the hash, and the format of a signature.

use std::marker::PhantomData;

use ::signature::{Error as SignatureError, SignatureEncoding};
use ecdsa::{DigestAlgorithm, elliptic_curve::CurveArithmetic};
use sha2::{
    Digest, Sha256, Sha384, Sha512,
    digest::{Output, Update, const_oid::AssociatedOid},
};

use crate::{Curve, Error, ErrorKind, PublicKey, Result, SignatureAlgorithm};

/// A signature scheme: [`RsaPkcs1`], [`RsaPss`] or [`Ecdsa`]. The trait is sealed.
///
/// ```
/// use akv_core::signature::{Scheme, SigningKey};
/// use signature::{Error, SignatureEncoding, Signer};
///
/// /// Signs with the scheme of the key.
/// fn sign<S: Scheme>(key: &SigningKey<S>, message: &[u8]) -> Result<Vec<u8>, Error> {
///     Ok(key.try_sign(message)?.to_vec())
/// }
/// ```
pub trait Scheme: sealed::Sealed + 'static {
    /// The hash.
    type Digest: Digest + Update;

    /// The type of signatures.
    type Signature: SignatureEncoding;

    /// The service's algorithm.
    ///
    /// ```
    /// use akv_core::{PublicKey, SignatureAlgorithm, signature::{RsaPss, Scheme}};
    ///
    /// # let public_key = PublicKey::Rsa(akv_core::RsaPublicKey::new(&[0xc5; 256], &[1, 0, 1])?);
    /// assert_eq!(RsaPss::<sha2::Sha512>::algorithm(&public_key)?, SignatureAlgorithm::Ps512);
    /// # Ok::<(), akv_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// The key does not fit this scheme.
    fn algorithm(key: &PublicKey) -> Result<SignatureAlgorithm>;

    /// Converts a signature from the service's format.
    ///
    /// ```no_run
    /// use akv_core::{SignatureAlgorithm::Es256, signature::{Ecdsa, Scheme}};
    ///
    /// # fn example(
    /// #     key: akv_core::blocking::Key, digest: [u8; 32],
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// let signature: p256::ecdsa::Signature =
    ///     Ecdsa::<p256::NistP256>::from_service(&key.sign(Es256, &digest)?)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The signature does not fit this scheme.
    fn from_service(signature: &[u8]) -> Result<Self::Signature, SignatureError>;
}

/// A hash of the service: SHA-256, SHA-384 or SHA-512. The trait is sealed.
///
/// ```
/// use akv_core::{SignatureAlgorithm, signature::Hash};
/// use sha2::{Sha256, Sha512};
///
/// assert_eq!(<Sha256 as Hash>::PKCS1, SignatureAlgorithm::Rs256);
/// assert_eq!(<Sha512 as Hash>::PSS, SignatureAlgorithm::Ps512);
/// ```
pub trait Hash: Digest + Update + sealed::Sealed + 'static {
    /// RSASSA-PKCS1-v1_5 with this hash.
    const PKCS1: SignatureAlgorithm;
    /// RSASSA-PSS with this hash.
    const PSS: SignatureAlgorithm;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! hash {
    ($hash:ty, $pkcs1:ident, $pss:ident) => {
        impl sealed::Sealed for $hash {}

        impl Hash for $hash {
            const PKCS1: SignatureAlgorithm = SignatureAlgorithm::$pkcs1;
            const PSS: SignatureAlgorithm = SignatureAlgorithm::$pss;
        }
    };
}

hash!(Sha256, Rs256, Ps256);
hash!(Sha384, Rs384, Ps384);
hash!(Sha512, Rs512, Ps512);

/// RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2) with the hash `D`.
///
/// ```no_run
/// use akv_core::signature::{RsaPkcs1, SigningKey};
/// use sha2::Sha256;
///
/// # fn example(key: akv_core::blocking::Key) -> akv_core::Result<()> {
/// let signer: SigningKey<RsaPkcs1<Sha256>> = key.rsa_pkcs1()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RsaPkcs1<D>(PhantomData<fn() -> D>);

impl<D: Hash> sealed::Sealed for RsaPkcs1<D> {}

impl<D: Hash> Scheme for RsaPkcs1<D> {
    type Digest = D;
    type Signature = rsa::pkcs1v15::Signature;

    fn algorithm(key: &PublicKey) -> Result<SignatureAlgorithm> {
        of_rsa(key, D::PKCS1)
    }

    fn from_service(signature: &[u8]) -> Result<Self::Signature, SignatureError> {
        signature.try_into()
    }
}

/// RSASSA-PSS (RFC 8017 section 8.1) with the hash `D`, MGF1 with the same hash, and a salt as long
/// as a digest.
///
/// ```no_run
/// use akv_core::signature::{RsaPss, SigningKey};
/// use sha2::Sha256;
///
/// # fn example(key: akv_core::blocking::Key) -> akv_core::Result<()> {
/// let signer: SigningKey<RsaPss<Sha256>> = key.rsa_pss()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RsaPss<D>(PhantomData<fn() -> D>);

impl<D: Hash> sealed::Sealed for RsaPss<D> {}

impl<D: Hash> Scheme for RsaPss<D> {
    type Digest = D;
    type Signature = rsa::pss::Signature;

    fn algorithm(key: &PublicKey) -> Result<SignatureAlgorithm> {
        of_rsa(key, D::PSS)
    }

    fn from_service(signature: &[u8]) -> Result<Self::Signature, SignatureError> {
        signature.try_into()
    }
}

fn of_rsa(key: &PublicKey, algorithm: SignatureAlgorithm) -> Result<SignatureAlgorithm> {
    match key {
        PublicKey::Rsa(_) => Ok(algorithm),
        PublicKey::Ec(_) => Err(Error::new(
            ErrorKind::Argument,
            format!("{algorithm} needs an RSA key, not an {} key", key.description()),
        )),
    }
}

/// ECDSA (FIPS 186-5 section 6) on the curve `C` with the hash of the curve. On secp256k1, s is
/// normalized to the smaller one of its two values, which users of that curve require.
///
/// ```no_run
/// use akv_core::signature::{Ecdsa, SigningKey};
/// use p256::{NistP256, ecdsa::{DerSignature, Signature}};
/// use signature::Signer;
///
/// # fn example(key: akv_core::blocking::Key) -> Result<(), Box<dyn std::error::Error>> {
/// let signer: SigningKey<Ecdsa<NistP256>> = key.ecdsa()?;
/// let fixed: Signature = signer.try_sign(b"header.claims")?; // as in JSON Web Tokens
/// let der: DerSignature = signer.try_sign(b"a certificate")?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Ecdsa<C>(PhantomData<fn() -> C>);

/// A curve of RustCrypto's crates: `p256::NistP256`, `k256::Secp256k1`.
///
/// ```no_run
/// use akv_core::{PublicKey, signature::{Ecdsa, NamedCurve, VerifyingKey}};
///
/// /// Whether a key is on the curve `C`.
/// fn is_on<C: NamedCurve>(key: &PublicKey) -> bool {
///     VerifyingKey::<Ecdsa<C>>::new(key).is_ok()
/// }
/// ```
pub trait NamedCurve: AssociatedOid + CurveArithmetic + DigestAlgorithm + 'static {}

impl<C: AssociatedOid + CurveArithmetic + DigestAlgorithm + 'static> NamedCurve for C {}

impl<C: NamedCurve> sealed::Sealed for Ecdsa<C> {}

impl<C: NamedCurve> Scheme for Ecdsa<C> {
    type Digest = C::Digest;
    type Signature = ecdsa::Signature<C>;

    fn algorithm(key: &PublicKey) -> Result<SignatureAlgorithm> {
        let curve = match key {
            PublicKey::Ec(key) if key.curve().oid() == C::OID => key.curve(),
            _ => {
                let requested = Curve::from_oid(C::OID).map_or("an unknown curve", Curve::name);
                return Err(Error::new(
                    ErrorKind::Argument,
                    format!("this is an {} key, not a key on {requested}", key.description()),
                ));
            }
        };
        let algorithm = SignatureAlgorithm::ecdsa(curve);
        if algorithm.digest_len() != Some(<C::Digest as Digest>::output_size()) {
            let text = format!("{algorithm} does not use the hash of this curve type");
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        Ok(algorithm)
    }

    fn from_service(signature: &[u8]) -> Result<Self::Signature, SignatureError> {
        let signature = ecdsa::Signature::from_slice(signature)?;
        Ok(if C::NORMALIZE_S { signature.normalize_s() } else { signature })
    }
}

/// The digest of one message.
pub(super) fn digest<S: Scheme>(parts: &[&[u8]]) -> Output<S::Digest> {
    let mut digest = S::Digest::new();
    for part in parts {
        Digest::update(&mut digest, part);
    }
    digest.finalize()
}

/// The digest of the bytes that `write` adds.
pub(super) fn digest_with<S: Scheme>(
    write: impl FnOnce(&mut S::Digest) -> Result<(), SignatureError>,
) -> Result<Output<S::Digest>, SignatureError> {
    let mut digest = S::Digest::new();
    write(&mut digest)?;
    Ok(digest.finalize())
}
