//! Signing.

use std::ops::Add;

use ::signature::{
    AsyncDigestSigner, AsyncSigner, DigestSigner, Error, MultipartSigner, Signer,
    hazmat::PrehashSigner,
};
use ecdsa::{
    SignatureSize,
    der::{MaxOverhead, MaxSize},
    elliptic_curve::array::ArraySize,
};

use super::{
    SigningKey,
    scheme::{Ecdsa, Hash, NamedCurve, RsaPkcs1, RsaPss, Scheme, digest, digest_with},
    wrap_error,
};
use crate::{Key, blocking};

impl<S: Scheme> SigningKey<S, blocking::Key> {
    fn sign_digest_now(&self, digest: &[u8]) -> Result<S::Signature, Error> {
        let algorithm = self.verifying.algorithm();
        S::from_service(&self.key.sign(algorithm, digest).map_err(wrap_error)?)
    }
}

impl<S: Scheme> SigningKey<S, Key> {
    async fn sign_digest_soon(&self, digest: &[u8]) -> Result<S::Signature, Error> {
        let algorithm = self.verifying.algorithm();
        S::from_service(&self.key.sign(algorithm, digest).await.map_err(wrap_error)?)
    }
}

impl<S: Scheme> Signer<S::Signature> for SigningKey<S, blocking::Key> {
    fn try_sign(&self, message: &[u8]) -> Result<S::Signature, Error> {
        self.sign_digest_now(&digest::<S>(&[message]))
    }
}

impl<S: Scheme> MultipartSigner<S::Signature> for SigningKey<S, blocking::Key> {
    fn try_multipart_sign(&self, message: &[&[u8]]) -> Result<S::Signature, Error> {
        self.sign_digest_now(&digest::<S>(message))
    }
}

impl<S: Scheme> DigestSigner<S::Digest, S::Signature> for SigningKey<S, blocking::Key> {
    fn try_sign_digest<F: Fn(&mut S::Digest) -> Result<(), Error>>(
        &self,
        write: F,
    ) -> Result<S::Signature, Error> {
        self.sign_digest_now(&digest_with::<S>(write)?)
    }
}

impl<S: Scheme> PrehashSigner<S::Signature> for SigningKey<S, blocking::Key> {
    fn sign_prehash(&self, prehash: &[u8]) -> Result<S::Signature, Error> {
        self.sign_digest_now(prehash)
    }
}

// One impl per scheme: `impl<S: Scheme> AsyncSigner<S::Signature>` would overlap with the trait's
// own implementation for every `Signer`.

impl<D: Hash> AsyncSigner<rsa::pkcs1v15::Signature> for SigningKey<RsaPkcs1<D>, Key> {
    async fn sign_async(&self, message: &[u8]) -> Result<rsa::pkcs1v15::Signature, Error> {
        self.sign_digest_soon(&digest::<RsaPkcs1<D>>(&[message])).await
    }
}

impl<D: Hash> AsyncSigner<rsa::pss::Signature> for SigningKey<RsaPss<D>, Key> {
    async fn sign_async(&self, message: &[u8]) -> Result<rsa::pss::Signature, Error> {
        self.sign_digest_soon(&digest::<RsaPss<D>>(&[message])).await
    }
}

impl<C: NamedCurve> AsyncSigner<ecdsa::Signature<C>> for SigningKey<Ecdsa<C>, Key> {
    async fn sign_async(&self, message: &[u8]) -> Result<ecdsa::Signature<C>, Error> {
        self.sign_digest_soon(&digest::<Ecdsa<C>>(&[message])).await
    }
}

impl<C: NamedCurve> AsyncSigner<ecdsa::der::Signature<C>> for SigningKey<Ecdsa<C>, Key>
where
    MaxSize<C>: ArraySize,
    SignatureSize<C>: Add<MaxOverhead> + ArraySize,
{
    async fn sign_async(&self, message: &[u8]) -> Result<ecdsa::der::Signature<C>, Error> {
        Ok(self.sign_digest_soon(&digest::<Ecdsa<C>>(&[message])).await?.to_der())
    }
}

impl<S: Scheme> AsyncDigestSigner<S::Digest, S::Signature> for SigningKey<S, Key> {
    async fn sign_digest_async<F: AsyncFn(&mut S::Digest) -> Result<(), Error>>(
        &self,
        write: F,
    ) -> Result<S::Signature, Error> {
        let mut hash = <S::Digest as sha2::Digest>::new();
        write(&mut hash).await?;
        self.sign_digest_soon(&sha2::Digest::finalize(hash)).await
    }
}

/// The DER format, as in X.509 and TLS.
impl<C: NamedCurve> Signer<ecdsa::der::Signature<C>> for SigningKey<Ecdsa<C>, blocking::Key>
where
    MaxSize<C>: ArraySize,
    SignatureSize<C>: Add<MaxOverhead> + ArraySize,
{
    fn try_sign(&self, message: &[u8]) -> Result<ecdsa::der::Signature<C>, Error> {
        Ok(self.sign_digest_now(&digest::<Ecdsa<C>>(&[message]))?.to_der())
    }
}
