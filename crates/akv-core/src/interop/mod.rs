//! Vault keys behind other crates' traits and types, each with its feature.

#[cfg(feature = "rustls")]
pub mod rustls;
#[cfg(feature = "signature")]
pub mod signature;
#[cfg(feature = "x509")]
pub mod x509;
