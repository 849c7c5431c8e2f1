//! Ruby with a key file.

use anyhow::Result;

use crate::scene::Scene;

/// The script.
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
fn signs_and_decrypts() -> Result<()> {
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
