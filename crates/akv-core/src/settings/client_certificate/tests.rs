//! Every file format, as written by the `openssl` program.

use std::{path::Path, process::Command, sync::LazyLock};

use super::*;

/// A folder with keys and certificates in every format.
static FILES: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &str| openssl(folder.path(), arguments);
    run("req -x509 -newkey rsa:2048 -nodes -subj /CN=ca -keyout ca.key -out ca.crt");
    run("req -newkey rsa:2048 -nodes -subj /CN=app -keyout pkcs8.key -out app.csr");
    run("x509 -req -in app.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out app.crt");
    run("rsa -in pkcs8.key -traditional -out pkcs1.key");
    run("pkcs8 -topk8 -in pkcs8.key -out encrypted.key -passout pass:p4ss");
    run("rsa -in pkcs8.key -traditional -aes128 -out old.key -passout pass:p4ss");
    run("ecparam -name prime256v1 -genkey -noout -out sec1.key");
    run(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ec -keyout ec.key -out ec.crt",
    );
    run("req -x509 -newkey rsa:1024 -nodes -subj /CN=small -keyout small.key -out small.crt");
    let pfx = "pkcs12 -export -inkey pkcs8.key -in app.crt -certfile ca.crt";
    run(&format!("{pfx} -out modern.pfx -passout pass:p4ss"));
    run("pkcs12 -in modern.pfx -passin pass:p4ss -nodes -out converted.pem");
    folder
});

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(folder)
        .output()
        .expect("the openssl program");
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The concatenated content of these files.
fn files(names: &[&str]) -> Vec<u8> {
    names.iter().flat_map(|name| std::fs::read(FILES.path().join(name)).unwrap()).collect()
}

fn refused(names: &[&str], password: Option<&str>) -> String {
    ClientCertificate::parse(&files(names), password).err().expect("a refusal")
}

fn der(name: &str) -> Vec<u8> {
    let text = String::from_utf8(files(&[name])).unwrap();
    der::Document::from_pem(text.trim_end()).unwrap().1.into_vec()
}

#[test]
fn every_format_yields_the_key_and_its_certificate_first() {
    let open = [
        &["app.crt", "pkcs8.key"][..],
        &["pkcs1.key", "app.crt", "ca.crt"],
        &["ca.crt", "pkcs8.key", "app.crt"],
        &["converted.pem"],
    ];
    let encrypted = [&["app.crt", "encrypted.key"][..]];
    let all = open.map(|names| (names, None)).into_iter();
    for (names, password) in all.chain(encrypted.map(|names| (names, Some("p4ss")))) {
        let certificate = ClientCertificate::parse(&files(names), password)
            .unwrap_or_else(|reason| panic!("{names:?}: {reason}"));
        assert_eq!(certificate.chain[0], der("app.crt"), "{names:?}");
    }
    let unneeded = ClientCertificate::parse(&files(&["app.crt", "pkcs8.key"]), Some("unneeded"));
    assert!(unneeded.is_ok());
}

#[test]
fn refusals_contain_advice() {
    for (names, password, expected) in [
        (&["app.crt"][..], None, "no private key"),
        (&["pkcs8.key"], None, "no certificate"),
        (&["ca.crt", "pkcs8.key"], None, "none of its certificates belongs"),
        (&["app.crt", "pkcs8.key", "ca.key"], None, "more than one private key"),
        (&["app.crt", "encrypted.key"], None, "AZURE_CLIENT_CERTIFICATE_PASSWORD"),
        (&["app.crt", "encrypted.key"], Some("s3cret"), "is not its password"),
        (&["app.crt", "old.key"], Some("p4ss"), "openssl pkcs8 -topk8"),
        (&["ec.crt", "ec.key"], None, "not an RSA key"),
        (&["ec.crt", "sec1.key"], None, "not an RSA key"),
        (&["small.crt", "small.key"], None, "2048 to 8192 bits"),
        (&["modern.pfx"], None, "akv pkcs12 FILE.pfx --out FILE.pem"),
        (&["modern.pfx"], Some("p4ss"), "akv pkcs12 FILE.pfx --out FILE.pem"),
        (&[], None, "no private key"),
    ] {
        let reason = refused(names, password);
        assert!(reason.contains(expected), "{names:?}: {reason}");
        assert!(!reason.contains("s3cret") && !reason.contains("p4ss"), "{reason}");
    }
    for (content, expected) in [
        (&b"\xff\xfe"[..], "not PEM text"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "cannot be read"),
    ] {
        let reason = ClientCertificate::parse(content, None).err().unwrap();
        assert!(reason.contains(expected), "{reason}");
    }
}

/// The `openssl` program verifies the signature.
#[test]
fn an_assertion_verifies_with_openssl() {
    let content = files(&["app.crt", "ca.crt", "pkcs8.key"]);
    let certificate = ClientCertificate::parse(&content, None).unwrap();
    let assertion = certificate.assertion("https://login.example/t", "my-app", true).unwrap();
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let json = |part: &str| -> serde_json::Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    let (header, claims) = (json(header), json(claims));
    assert_eq!((&header["alg"], &header["typ"]), (&"PS256".into(), &"JWT".into()));
    assert_eq!(header["x5t#S256"], URL_SAFE_NO_PAD.encode(digest(&SHA256, &der("app.crt"))));
    let chain = ["app.crt", "ca.crt"].map(|name| STANDARD.encode(der(name)));
    assert_eq!(header["x5c"], serde_json::json!(chain));
    assert_eq!((&claims["iss"], &claims["sub"]), (&"my-app".into(), &"my-app".into()));
    assert_eq!(claims["aud"], "https://login.example/t");
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["nbf"].as_u64().unwrap(), 600);
    assert!(claims["jti"].as_str().is_some_and(|id| id.len() == 36));
    let again = certificate.assertion("https://login.example/t", "my-app", false).unwrap();
    let (header, rest) = again.split_once('.').unwrap();
    assert!(json(header).get("x5c").is_none());
    assert_ne!(json(rest.split_once('.').unwrap().0)["jti"], claims["jti"]);

    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("signed"), signed).unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    std::fs::write(folder.path().join("signature"), signature).unwrap();
    std::fs::write(folder.path().join("key"), files(&["pkcs8.key"])).unwrap();
    openssl(
        folder.path(),
        "dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 \
         -prverify key -signature signature signed",
    );
}
