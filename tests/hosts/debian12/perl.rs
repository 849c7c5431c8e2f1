//! Perl's `Crypt::OpenSSL::RSA` with a key file.

use anyhow::Result;

use crate::scene::Scene;

/// The script.
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
fn signs_and_decrypts() -> Result<()> {
    let scene = Scene::open()?;
    let key = &scene.keys[0];
    let (message, signature) = (scene.site.text("message"), scene.site.text("perl.sig"));
    let output = scene.task("perl").args(["-e", PERL, &key.file, &message, &signature]).ok()?;
    assert!(output.text().contains("BEGIN RSA PUBLIC KEY"), "{}", output.describe());
    scene.verify(key, "perl.sig")
}
