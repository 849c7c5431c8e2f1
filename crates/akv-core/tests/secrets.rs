//! No secret is ever logged, whatever the level, whatever goes wrong.

use std::{ffi::OsString, fs};

use akv_core::{EncryptionAlgorithm, Settings, SignatureAlgorithm::Rs256, blocking::Client};
use akv_emulator::{Emulator, Fault, FaultKind, NewKey, Operation};

#[test]
fn every_level_of_the_log_is_free_of_tokens_and_plaintexts() {
    let emulator = Emulator::builder().start().unwrap();
    emulator.create_key(NewKey::rsa("rsa", 2048)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("ca.pem"), emulator.ca_pem()).unwrap();
    let token = emulator.token();
    let variables = [
        ("AKV_ENDPOINT", emulator.endpoint().to_owned()),
        ("AKV_CA_FILE", path("ca.pem")),
        ("AZURE_CLI_ACCESS_TOKEN", token.clone()),
        // All log output, of our code and of every library.
        (
            "AKV_LOG_LEVEL",
            "trace,akv_core=trace,hyper=trace,h2=trace,rustls=trace,reqwest=trace".into(),
        ),
        ("AKV_LOG_FILE", path("log")),
    ];
    let read =
        |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v));
    let settings = Settings::builder().environment_from(read).build().unwrap();
    akv_core::logging::init(&settings).unwrap();

    let client = Client::new(settings);
    let key = client.key(&client.reference("vault:myVault:rsa").unwrap()).unwrap();
    let digest = [7; 32];
    key.sign(Rs256, &digest).unwrap();
    emulator.fault(Fault::new(FaultKind::NotJson).on(Operation::Sign));
    key.sign(Rs256, &digest).unwrap();
    let plaintext = b"a-plaintext-that-nobody-may-see";
    let ciphertext = encrypt(&key.public_key().to_spki_der(), plaintext);
    assert_eq!(*key.decrypt(EncryptionAlgorithm::RsaOaep256, &ciphertext).unwrap(), plaintext);
    let wrapped = key.wrap_key(EncryptionAlgorithm::RsaOaep256, plaintext).unwrap();
    assert_eq!(*key.unwrap_key(EncryptionAlgorithm::RsaOaep256, &wrapped).unwrap(), plaintext);
    emulator.fault(Fault::new(FaultKind::TruncatedBody).on(Operation::WrapKey));
    key.wrap_key(EncryptionAlgorithm::RsaOaep256, plaintext).unwrap();
    emulator.revoke_tokens();
    let refused = key.sign(Rs256, &digest).unwrap_err().to_string();

    let log = fs::read_to_string(path("log")).unwrap();
    assert!(log.contains("attempt failed; retrying"), "the log has our own lines");
    assert!(log.lines().count() > 20, "the log has the libraries' lines");
    let encoded = base64::Engine::encode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, plaintext);
    for secret in [token.as_str(), "a-plaintext", encoded.as_str()] {
        assert!(!log.contains(secret), "{secret} is in the log");
        assert!(!refused.contains(secret), "{secret} is in an error");
    }
}

fn encrypt(spki: &[u8], plaintext: &[u8]) -> Vec<u8> {
    use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
    let key = PublicEncryptingKey::from_der(spki).unwrap();
    let key = OaepPublicEncryptingKey::new(key).unwrap();
    let mut ciphertext = vec![0; key.ciphertext_size()];
    key.encrypt(&OAEP_SHA256_MGF1SHA256, plaintext, &mut ciphertext, None).unwrap();
    ciphertext
}
