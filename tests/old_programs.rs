//! Third-party programs that access the old structures of their keys: Ruby, Node, OpenSSH, Python's
//! `cryptography` of Debian 12, Perl. Each loads a key file; plain OpenSSL verifies its signatures.
//!
//! They are linked with the system's OpenSSL.

use std::fs;

use akv_emulator::{Curve, Persona};
use akv_tests::{Site, Task};
use anyhow::Result;

const MESSAGE: &str = "signed by a program of another's";

/// A site, and data common to the programs.
struct Scene {
    site: Site,
    keys: Vec<Key>,
}

struct Key {
    kind: &'static str,
    file: String,
    public: String,
}

impl Scene {
    fn open() -> Result<Self> {
        let site = Site::start(Persona::Vault)?;
        fs::write(site.path("message"), MESSAGE)?;
        // Node reads its own section.
        let config = format!("nodejs_conf = openssl_init\n{}", site.read("openssl.cnf")?);
        fs::write(site.path("openssl.cnf"), config)?;
        let mut keys = Vec::new();
        for (kind, reference) in [("rsa", site.rsa(2048)?), ("ec", site.ec(Curve::P256)?)] {
            let file = site.key_file(&reference, &format!("{kind}.pem"))?;
            // OpenSSH requires it.
            fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
            keys.push(Key { kind, file, public: site.public_key(&reference)? });
        }
        Ok(Self { site, keys })
    }

    fn task(&self, program: &str) -> Task {
        Task::new(program).env("OPENSSL_CONF", self.site.path("openssl.cnf"))
    }

    /// Verifies a program's signature with plain OpenSSL.
    fn verify(&self, key: &Key, signature: &str) -> Result<()> {
        let (public, signature) = (&key.public, self.site.text(signature));
        let message = self.site.text("message");
        let line = format!("dgst -sha256 -verify {public} -signature {signature} {message}");
        self.site.plain().ok(&line)?;
        Ok(())
    }
}

const RUBY: &str = "
require 'openssl'
key = OpenSSL::PKey.read(File.read(ARGV[0]))
raise 'no private key' unless key.private?
message = File.read(ARGV[1])
File.binwrite(ARGV[2], key.sign('SHA256', message))
raise 'not verified' unless key.verify('SHA256', File.binread(ARGV[2]), message)
puts key.public_to_pem
puts key.to_text
%i[to_pem to_der private_to_pem private_to_der].each do |name|
  begin
    written = key.public_send(name)
    puts name if OpenSSL::PKey.read(written).private?
  rescue OpenSSL::PKey::PKeyError => error
    puts \"#{name}: #{error.message}\"
  end
end
if key.is_a?(OpenSSL::PKey::RSA)
  secret = key.public_encrypt('secret')
  raise 'not decrypted' unless key.private_decrypt(secret) == 'secret'
end
";

#[test]
fn ruby_signs_and_decrypts() -> Result<()> {
    let scene = Scene::open()?;
    for key in &scene.keys {
        let (message, signature) = (scene.site.text("message"), scene.site.text("ruby.sig"));
        let task = scene.task("ruby").args(["-e", RUBY, &key.file, &message, &signature]);
        let output = task.ok()?;
        assert!(output.text().contains("BEGIN PUBLIC KEY"), "{}", output.describe());
        scene.verify(key, "ruby.sig")?;
    }
    Ok(())
}

const NODE: &str = "
const fs = require('fs'), crypto = require('crypto');
const [file, message, signature] = process.argv.slice(1);
const pem = fs.readFileSync(file);
const key = crypto.createPrivateKey(pem);
console.log(JSON.stringify(key.asymmetricKeyDetails, (k, v) => typeof v === 'bigint' ? v + '' : v));
const jwk = crypto.createPublicKey(pem).export({ format: 'jwk' });
console.log(JSON.stringify(jwk));
if ('d' in jwk) throw new Error('a private number');
fs.writeFileSync(signature, crypto.sign('sha256', fs.readFileSync(message), key));
if (key.asymmetricKeyType === 'rsa') {
  const secret = crypto.publicEncrypt(pem, Buffer.from('secret'));
  if (crypto.privateDecrypt(key, secret).toString() !== 'secret') throw new Error('not decrypted');
}
";

#[test]
fn node_describes_and_signs() -> Result<()> {
    let scene = Scene::open()?;
    for key in &scene.keys {
        let (message, signature) = (scene.site.text("message"), scene.site.text("node.sig"));
        let task = scene.task("node").args(["-e", NODE, &key.file, &message, &signature]);
        let output = task.ok()?;
        let wanted = match key.kind {
            "rsa" => ["\"modulusLength\":2048", "\"kty\":\"RSA\""],
            _ => ["\"namedCurve\":\"prime256v1\"", "\"crv\":\"P-256\""],
        };
        for text in wanted {
            assert!(output.text().contains(text), "{}", output.describe());
        }
        scene.verify(key, "node.sig")?;
    }
    Ok(())
}

const PYTHON: &str = "
import sys
from cryptography.hazmat.backends import default_backend
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
kind, file, message, signature = sys.argv[1:]
pem = open(file, 'rb').read()
if kind == 'rsa':
    # It has the numbers checked that nobody outside the vault has, unless it is told not to.
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
fn python_signs() -> Result<()> {
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

const PERL: &str = "
use strict; use warnings;
use Crypt::OpenSSL::RSA;
my ($file, $message, $signature) = @ARGV;
sub slurp { local $/; open my $in, '<:raw', shift or die $!; <$in> }
my $key = Crypt::OpenSSL::RSA->new_private_key(slurp($file));
$key->use_sha256_hash;
$key->use_pkcs1_padding if $key->can('use_pkcs1_padding');
my $signed = $key->sign(slurp($message));
open my $out, '>:raw', $signature or die $!;
print $out $signed;
close $out;
print $key->get_public_key_string, $key->size, qq(\\n);
die 'not private' if $key->can('is_private') && !$key->is_private;
# It does not look whether anything was written.
die 'it wrote a private key' if (eval { $key->get_private_key_string } // '') =~ /PRIVATE KEY/;
$key->use_pkcs1_oaep_padding;
die 'not decrypted' unless $key->decrypt($key->encrypt('secret')) eq 'secret';
";

#[test]
fn perl_signs() -> Result<()> {
    let scene = Scene::open()?;
    let key = &scene.keys[0];
    let (message, signature) = (scene.site.text("message"), scene.site.text("perl.sig"));
    let output = scene.task("perl").args(["-e", PERL, &key.file, &message, &signature]).ok()?;
    assert!(output.text().contains("BEGIN RSA PUBLIC KEY"), "{}", output.describe());
    scene.verify(key, "perl.sig")
}

#[test]
fn openssh_signs_with_rsa_and_refuses_ec() -> Result<()> {
    let scene = Scene::open()?;
    let rsa = &scene.keys[0];
    let public = scene.task("ssh-keygen").args(["-y", "-f", &rsa.file]).ok()?;
    let back = scene.site.path("rsa.ssh.pub");
    fs::write(&back, public.text())?;
    // The printed key must be the vault's key.
    let converted = Task::new("ssh-keygen").args(["-e", "-m", "PKCS8", "-f"]).arg(&back).ok()?;
    assert_eq!(converted.text().trim(), fs::read_to_string(&rsa.public)?.trim());

    // It requires the public half next to the key.
    fs::copy(&back, scene.site.path("rsa.pem.pub"))?;
    let message = scene.site.text("message");
    scene.task("ssh-keygen").args(["-Y", "sign", "-n", "file", "-f", &rsa.file, &message]).ok()?;
    let check = Task::new("ssh-keygen").args(["-Y", "check-novalidate", "-n", "file", "-s"]);
    check.arg(scene.site.path("message.sig")).input(MESSAGE).ok()?;

    // It checks the private number itself.
    let output = scene.task("ssh-keygen").args(["-y", "-f", &scene.keys[1].file]).run()?;
    assert_eq!(output.status.code(), Some(255), "{}", output.describe());
    assert!(output.stderr.contains("invalid format"), "{}", output.describe());
    Ok(())
}
