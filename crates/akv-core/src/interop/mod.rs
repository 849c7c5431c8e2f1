//! Keys of a vault behind other crates' traits and types, by features.

#[cfg(feature = "rustls")]
pub mod rustls;
#[cfg(feature = "signature")]
pub mod signature;
#[cfg(feature = "x509")]
pub mod x509;
