//! Node.js with a key file.

use anyhow::Result;

use crate::scene::Scene;

/// The script.
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
fn describes_signs_and_decrypts() -> Result<()> {
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
