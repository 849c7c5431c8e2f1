//! Key files: PKCS#8 with a private object identifier, for programs that accept nothing else.

use akv_emulator::{Curve, Persona};
use akv_tests::{
    Site, Task,
    engine::{certificate, compile, entries, is_1_1_1, openssl},
};
use anyhow::Result;

/// DER of one element.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = content.len();
    let mut der = vec![tag];
    match u8::try_from(len) {
        Ok(short @ ..0x80) => der.push(short),
        Ok(long) => der.extend([0x81, long]),
        Err(_) => {
            der.push(0x82);
            der.extend(u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes());
        }
    }
    der.extend(content);
    der
}

/// 2.25.236226637566350985415300616977559960549: the last arc in base 128.
const OID: [u8; 20] = [
    0x69, 0x82, 0xe3, 0xb7, 0xcc, 0x9c, 0xcb, 0xdd, 0xa2, 0x91, 0x9f, 0x89, 0xc3, 0xa0, 0xc3, 0xe9,
    0xfd, 0x96, 0xf7, 0x65,
];

/// Writes PKCS#8 around a key file's structure: version, reference, and the public key of a
/// certificate.
fn write(site: &Site, file: &str, reference: &str, public: &[u8]) -> Result<String> {
    let reference = element(0x0c, reference.as_bytes());
    let structure = element(0x30, &[&[2, 1, 1], &reference[..], public].concat());
    let algorithm = element(0x30, &element(0x06, &OID));
    let der = element(0x30, &[&[2, 1, 0], &algorithm[..], &element(0x04, &structure)].concat());
    let path = site.path(file);
    std::fs::write(site.path("envelope.der"), der)?;
    let base64 = openssl(site)?.ok(&format!("base64 -in {}", site.text("envelope.der")))?.text();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{base64}-----END PRIVATE KEY-----\n");
    std::fs::write(&path, pem)?;
    Ok(path.display().to_string())
}

/// The DER of the public key of a reference.
fn public(site: &Site, reference: &str) -> Result<Vec<u8>> {
    let command = format!("pkey -engine e_akv -inform engine -in {reference} -pubout -outform DER");
    Ok(openssl(site)?.ok(&command)?.stdout)
}

/// A new version of the key, and the reference with that version.
fn pinned(site: &Site, reference: &str) -> Result<String> {
    let name = reference.rsplit(':').next().unwrap_or_default();
    Ok(format!("{reference}:{}", site.vault().rotate_key(name)?.version))
}

#[test]
fn work_in_a_program_without_engine_support() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let config = openssl(&site)?.config().to_owned();
    let program = compile(&site, "plain_key_file", &["-lcrypto"])?;
    for (reference, name) in [(site.rsa(2048)?, "file-rsa"), (site.ec(Curve::P256)?, "file-ec")] {
        let pinned = pinned(&site, &reference)?;
        let cert = certificate(&site, &reference, name)?;
        let file = write(&site, &format!("{name}.key"), &pinned, &public(&site, &reference)?)?;
        let before = site.vault().stats();
        let task = Task::new(&program).env("OPENSSL_CONF", &config);
        let said = task.args([&file, &cert]).ok()?;
        assert_eq!(said.text(), "signed\n");
        let after = site.vault().stats();
        assert_eq!(after.sign, before.sign + 1, "in the vault");
        assert_eq!(after.get_key, before.get_key, "no request to load");
        // Without public key and version they are requested from the vault.
        let bare = write(&site, &format!("{name}.bare.key"), &reference, &[])?;
        let task = Task::new(&program).env("OPENSSL_CONF", &config);
        task.args([&bare, &cert]).ok()?;
    }
    Ok(())
}

#[test]
fn malformed_files_are_refused_with_the_reason() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let engine = openssl(&site)?;
    for (reference, public, reason) in [
        ("vault:t:k", &[][..], "the vault name"),
        ("vault:testvault:k", &[0x30, 0x01, 0x00], "malformed"),
        ("vault:testvault:missing", &[], "HTTP 404"),
    ] {
        let file = write(&site, "bad.key", reference, public)?;
        let failed = engine.fails(&format!("pkey -in {file} -noout"))?;
        // OpenSSL 3's `pkey` tries many formats and discards their errors.
        if is_1_1_1()? {
            assert_eq!(entries(&failed.stderr), 1, "{}", failed.describe());
            assert!(failed.stderr.contains(reason), "{}", failed.describe());
        }
    }
    Ok(())
}

#[test]
fn cannot_be_read_without_the_engine() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.ec(Curve::P256)?;
    let file = write(&site, "key.key", &key, &[])?;
    let plain = akv_tests::engine::plain(&site)?;
    plain.fails(&format!("pkey -in {file} -noout"))?;
    openssl(&site)?.ok(&format!("pkey -in {file} -noout"))?;
    Ok(())
}

/// Writes a complete key file, as another program may, with the vault's current public key.
pub(crate) fn key_file(site: &Site, file: &str, reference: &str) -> Result<String> {
    write(site, file, reference, &public(site, reference)?)
}
