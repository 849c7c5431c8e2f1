//! Python's `cryptography` with a key file.

use anyhow::Result;

use crate::scene::Scene;

/// The script.
const PYTHON: &str = "
import sys
from cryptography.hazmat.backends import default_backend
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
kind, file, message, signature = sys.argv[1:]
pem = open(file, 'rb').read()
if kind == 'rsa':
    # By default it checks the private numbers, which never leave the vault.
    try:
        serialization.load_pem_private_key(pem, None)
        raise SystemExit('loaded without its numbers')
    except ValueError as error:
        print(error)
    default_backend()._rsa_skip_check_key = True
key = serialization.load_pem_private_key(pem, None)
scheme = [padding.PKCS1v15(), hashes.SHA256()] if kind == 'rsa' else [ec.ECDSA(hashes.SHA256())]
data = open(message, 'rb').read()
signed = key.sign(data, *scheme)
key.public_key().verify(signed, data, *scheme)
open(signature, 'wb').write(signed)
for encoding in serialization.PrivateFormat.TraditionalOpenSSL, serialization.PrivateFormat.PKCS8:
    try:
        print(key.private_bytes(
            serialization.Encoding.PEM, encoding, serialization.NoEncryption()).decode())
    except Exception as error:
        print(type(error).__name__)
if kind == 'rsa':
    pad = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    secret = key.public_key().encrypt(b'secret', pad)
    assert key.decrypt(secret, pad) == b'secret'
";

#[test]
fn signs_and_decrypts() -> Result<()> {
    let scene = Scene::open()?;
    for key in &scene.keys {
        let (message, signature) = (scene.site.text("message"), scene.site.text("python.sig"));
        // The system's Python, for which the packages are installed.
        let task = scene.task("/usr/bin/python3");
        let output = task.args(["-c", PYTHON, key.kind, &key.file, &message, &signature]).ok()?;
        if key.kind == "rsa" {
            assert!(output.text().contains("Invalid private key"), "{}", output.describe());
        }
        scene.verify(key, "python.sig")?;
    }
    Ok(())
}
