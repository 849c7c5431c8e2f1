//! TLS handshakes whose private key is in the vault, on the server and on the client side. The
//! peer uses plain OpenSSL, and verifies the certificate against the authority that issued it.

mod algorithms;
mod contexts;
mod failures;
mod key_exchange;
mod mutual;
mod oracle;
mod pairing;
mod preferred;
mod protocols;
mod resumption;
mod scene;
