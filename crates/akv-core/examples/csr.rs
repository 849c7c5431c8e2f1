//! Writes a certificate request for a key in a vault.

#![allow(clippy::print_stdout, reason = "it is an example's purpose")]

mod support;

use akv_core::{
    Curve, NewKey,
    x509::{self, x509_cert},
};
use der::{EncodePem as _, asn1::Ia5String, pem::LineEnding};
use support::{Embedded, Result};
use x509_cert::{
    builder::Builder as _,
    ext::pkix::{SubjectAltName, name::GeneralName},
    name::Name,
    request::RequestBuilder,
};

/// A PKCS#10 request (RFC 2986) in PEM.
pub(crate) fn request() -> Result<String> {
    let embedded = Embedded::start()?;
    let client = &embedded.client;
    let vault = client.vault(&client.reference("vault:myVault:")?)?;
    let key = vault.create("web", NewKey::ec(Curve::P256))?;

    let subject: Name = "CN=www.example.org,O=Example".parse()?;
    let mut request = RequestBuilder::new(subject)?;
    let name = GeneralName::DnsName(Ia5String::new("www.example.org")?);
    request.add_extension(&SubjectAltName(vec![name]))?;
    let request = request.build::<_, x509::Signature>(&key.x509_signer())?;
    Ok(request.to_pem(LineEnding::LF)?)
}

fn main() -> Result<()> {
    print!("{}", request()?);
    Ok(())
}
