//! Signs a file with a vault key and verifies the signature.
//!
//! `cargo run --example sign_file -- FILE` signs FILE; without an argument it signs its own source.

#![allow(clippy::print_stdout, reason = "it is an example's purpose")]

mod support;

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use akv_core::{NewKey, RsaSize};
use sha2::{Sha256, digest::Update as _};
use signature::{DigestSigner, DigestVerifier, Keypair, SignatureEncoding};
use support::{Embedded, Result};

fn main() -> Result<()> {
    let own_source = || concat!(env!("CARGO_MANIFEST_DIR"), "/examples/sign_file.rs").into();
    let file = std::env::args_os().nth(1).map_or_else(own_source, PathBuf::from);
    sign(&file)
}

pub(crate) fn sign(file: &Path) -> Result<()> {
    let embedded = Embedded::start()?;
    let client = &embedded.client;
    let vault = client.vault(&client.reference("vault:myVault:")?)?;
    let key = vault.create("release", NewKey::rsa(RsaSize::Bits3072))?;

    // The hash is computed here; the digest is sent to the vault, which returns the signature.
    let signer = key.rsa_pss::<Sha256>()?;
    let signature: rsa::pss::Signature = signer.try_sign_digest(|digest| hash(file, digest))?;
    println!("{} bytes of signature by {}", signature.encoded_len(), key.pinned_reference());

    // Anyone with the public key can verify it without the vault.
    signer.verifying_key().verify_digest(|digest| hash(file, digest), &signature)?;
    Ok(())
}

fn hash(file: &Path, digest: &mut Sha256) -> std::result::Result<(), signature::Error> {
    let mut file = File::open(file).map_err(signature::Error::from_source)?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer).map_err(signature::Error::from_source)? {
            0 => return Ok(()),
            read => digest.update(&buffer[..read]),
        }
    }
}
