//! `akv pkcs12`, checked with `openssl`.

use std::{fs, os::unix::fs::PermissionsExt as _};

use crate::{World, failed};

const PASSWORD: &str = "AZURE_CLIENT_CERTIFICATE_PASSWORD";

/// A certificate with its issuer and key, as PKCS#12 files of every kind.
fn files() -> World {
    let world = World::new();
    for line in [
        "req -x509 -newkey rsa:2048 -nodes -subj /CN=ca -keyout ca.key -out ca.crt",
        "req -newkey rsa:2048 -nodes -subj /CN=app -keyout app.key -out app.csr",
        "x509 -req -in app.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out app.crt",
    ] {
        world.openssl(line);
    }
    let export = "pkcs12 -export -inkey app.key -in app.crt -certfile ca.crt";
    let old = "-keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1";
    world.openssl(&format!("{export} -out modern.pfx -passout pass:p4ss"));
    world.openssl(&format!("{export} -out old.pfx -passout pass:p4ss {old}"));
    world.openssl(&format!("{export} -out open.pfx -passout pass:"));
    world.openssl("pkcs12 -export -nokeys -in ca.crt -out nokey.pfx -passout pass:p4ss");
    world
}

#[test]
fn key_and_certificates_are_those_of_the_file() {
    let world = files();
    let key = world.openssl("pkey -in app.key");
    for (file, password, options, label) in [
        ("modern", "p4ss", "", "ENCRYPTED PRIVATE KEY"),
        ("modern", "p4ss", "--unencrypted", "PRIVATE KEY"),
        ("old", "p4ss", "", "ENCRYPTED PRIVATE KEY"),
        ("open", "", "", "PRIVATE KEY"),
    ] {
        // An existing world-readable file is replaced by one that only the owner may read.
        world.write("app.pem", "");
        let line = format!("pkcs12 {file}.pfx --out app.pem --force {options}");
        world.akv(&line).env(PASSWORD, password).ok().expect("a PEM file");
        let mode = fs::metadata(world.path("app.pem")).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
        let pem = String::from_utf8(world.read("app.pem")).expect("text");
        assert!(pem.starts_with(&format!("-----BEGIN {label}-----\n")), "{file}: {pem}");
        assert_eq!(world.openssl("pkey -in app.pem -passin pass:p4ss"), key, "{file}");
        assert_eq!(pem.matches("BEGIN CERTIFICATE").count(), 2, "{file}");
        for certificate in ["app.crt", "ca.crt"] {
            let certificate = world.openssl(&format!("x509 -in {certificate}"));
            assert!(pem.contains(certificate.trim()), "{file}");
        }
    }
    world.write("password", "p4ss\nand more\n");
    let printed = world.ok("pkcs12 modern.pfx --password-file password").text();
    assert!(printed.contains("ENCRYPTED PRIVATE KEY"), "{printed}");
}

#[test]
fn a_refusal_has_a_reason_and_no_password() {
    let world = files();
    world.write("broken.pfx", &world.read("modern.pfx")[..200]);
    world.write("text.pfx", "s3cret");
    for (file, password, expected) in [
        ("modern.pfx", "", PASSWORD),
        ("modern.pfx", "s3cret", "the password is wrong"),
        ("old.pfx", "s3cret", "the password is wrong"),
        ("nokey.pfx", "p4ss", "0 private keys"),
        ("broken.pfx", "p4ss", "openssl pkcs12 -in FILE"),
        ("text.pfx", "p4ss", "openssl pkcs12 -in FILE"),
    ] {
        let error = failed(world.akv(&format!("pkcs12 {file}")).env(PASSWORD, password), 2);
        assert!(error.contains(expected) && error.contains(file), "{error}");
        assert!(!error.contains("s3cret") && !error.contains("p4ss"), "{error}");
    }
    assert!(world.fails("pkcs12 missing.pfx", 3).contains("missing.pfx"));
}

/// The modules cannot read PKCS#12; the error of a setting that names such a file says how to
/// convert it.
#[test]
fn a_setting_that_names_a_pfx_file_says_how_to_convert_it() {
    let world = files();
    let line = "key show vault:v-1:k --credential client-certificate --tenant-id contoso \
                --client-id app --client-certificate-file modern.pfx";
    let error = failed(world.akv(line).env(PASSWORD, "p4ss"), 2);
    assert!(error.contains("akv pkcs12 FILE.pfx --out FILE.pem"), "{error}");
}
