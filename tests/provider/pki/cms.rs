//! `openssl cms` and `openssl smime`: signed and encrypted messages.

use std::fs;

use akv_emulator::{Curve, NewKey};
use anyhow::Result;

use super::{Pki, entry};

const TEXT: &str = "A message of two lines,\r\nas mail has them.\r\n";

impl Pki {
    fn message(&self) -> Result<String> {
        let message = self.site.text("message.txt");
        fs::write(&message, TEXT)?;
        Ok(message)
    }
}

#[test]
fn signed_messages_are_whole_and_detached_and_have_more_than_one_signer() -> Result<()> {
    let pki = Pki::start()?;
    let (site, message, signed) = (&pki.site, pki.message()?, pki.site.text("signed.msg"));
    let (rsa, ec) = (pki.rsa("signer-rsa")?, pki.ec("signer-ec")?);
    let by = |who: &super::Identity| format!("-signer {} -inkey {}", who.certificate, who.key);
    let check = |form: &str, detached: bool| -> Result<()> {
        let content = if detached { format!("-content {message}") } else { String::new() };
        let output = site.text("opened.txt");
        site.plain().ok(&format!(
            "cms -verify -binary -in {signed} -inform {form} -CAfile {} {content} -out {output}",
            pki.root
        ))?;
        assert_eq!(site.read("opened.txt")?, TEXT);
        Ok(())
    };
    for (options, form, detached) in [
        (by(&rsa), "DER", true),
        (format!("-nodetach {}", by(&ec)), "DER", false),
        (format!("-nodetach {} {}", by(&rsa), by(&ec)), "PEM", false),
        (format!("-nodetach -keyid -nosmimecap {}", by(&rsa)), "DER", false),
        (format!("-nodetach -noattr {}", by(&ec)), "DER", false),
        (format!("-nodetach -cades {}", by(&rsa)), "DER", false),
    ] {
        site.openssl().ok(&format!(
            "cms -sign -binary -in {message} {options} -outform {form} -out {signed}"
        ))?;
        check(form, detached)?;
    }
    // Adds a signer to a signed message.
    let resigned = site.text("resigned.msg");
    site.openssl().ok(&format!(
        "cms -resign -binary -in {signed} -inform DER {} -outform DER -out {resigned}",
        by(&ec)
    ))?;
    fs::rename(&resigned, &signed)?;
    check("DER", false)
}

#[test]
fn messages_are_decrypted_in_the_vault() -> Result<()> {
    let pki = Pki::start()?;
    let (site, message, sealed) = (&pki.site, pki.message()?, pki.site.text("sealed.msg"));
    let recipient = pki.rsa("recipient")?;
    let other = pki.certify(&site.rsa(3072)?, "other-recipient", "")?;
    let opened = site.text("unsealed.txt");
    let oaep = "-keyopt rsa_padding_mode:oaep";
    for options in [
        String::new(),
        oaep.to_owned(),
        format!("{oaep} -keyopt rsa_oaep_md:sha256"),
        format!("{oaep} -keyopt rsa_oaep_md:sha256 -keyopt rsa_mgf1_md:sha256"),
    ] {
        for to in [
            format!("-recip {} {options}", recipient.certificate),
            format!(
                "-recip {} {options} -recip {} {options}",
                other.certificate, recipient.certificate
            ),
        ] {
            site.plain().ok(&format!(
                "cms -encrypt -binary -aes-256-cbc -in {message} {to} -outform DER -out {sealed}"
            ))?;
            let before = site.vault().stats().operation(akv_emulator::Operation::Decrypt);
            site.openssl().ok(&format!(
                "cms -decrypt -binary -in {sealed} -inform DER -recip {} -inkey {} -out {opened}",
                recipient.certificate, recipient.key
            ))?;
            assert_eq!(site.read("unsealed.txt")?, TEXT, "{to}");
            let after = site.vault().stats().operation(akv_emulator::Operation::Decrypt);
            assert_eq!(after - before, 1, "{to}");
        }
    }
    Ok(())
}

/// OpenSSL prints the reason only on request, so as not to reveal whether decryption failed.
#[test]
fn messages_that_the_vault_cannot_decrypt_are_reported_on_request() -> Result<()> {
    let pki = Pki::start()?;
    let (site, message, sealed) = (&pki.site, pki.message()?, pki.site.text("sealed.msg"));
    let recipient = pki.rsa("refused-recipient")?;
    site.plain().ok(&format!(
        "cms -encrypt -in {message} -outform DER -out {sealed} -recip {} \
         -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha512",
        recipient.certificate
    ))?;
    let requests = site.vault().stats().requests;
    let failed = site.openssl().fails(&format!(
        "cms -decrypt -debug_decrypt -in {sealed} -inform DER -recip {} -inkey {}",
        recipient.certificate, recipient.key
    ))?;
    assert!(entry(&failed).contains("SHA-512"), "{}", failed.describe());
    assert_eq!(site.vault().stats().requests, requests);

    // The service has no key agreement, so messages for EC keys cannot be decrypted.
    let ec = pki.ec("ec-recipient")?;
    let requests = site.vault().stats().requests;
    site.plain().ok(&format!(
        "cms -encrypt -in {message} -outform DER -out {sealed} -recip {}",
        ec.certificate
    ))?;
    let failed = site.openssl().fails(&format!(
        "cms -decrypt -in {sealed} -inform DER -recip {} -inkey {}",
        ec.certificate, ec.key
    ))?;
    let said = failed.stderr.contains("operation not supported for this keytype");
    assert!(said, "{}", failed.describe());
    assert_eq!(failed.stderr.matches(":error:").count(), 1, "{}", failed.describe());
    assert_eq!(site.vault().stats().requests, requests);
    Ok(())
}

#[test]
fn a_key_that_may_not_decrypt_is_reported_on_request() -> Result<()> {
    let pki = Pki::start()?;
    let (site, message, sealed) = (&pki.site, pki.message()?, pki.site.text("sealed.msg"));
    site.vault().create_key(NewKey::rsa("signs-only", 2048).key_ops(["sign", "verify"]))?;
    let recipient = pki.certify(&site.reference("signs-only"), "signs-only", "")?;
    site.plain().ok(&format!(
        "cms -encrypt -in {message} -outform DER -out {sealed} -recip {}",
        recipient.certificate
    ))?;
    let failed = site.openssl().fails(&format!(
        "cms -decrypt -debug_decrypt -in {sealed} -inform DER -recip {} -inkey {}",
        recipient.certificate, recipient.key
    ))?;
    assert!(entry(&failed).contains("403"), "{}", failed.describe());
    Ok(())
}

#[test]
fn smime_mail_is_signed_and_decrypted() -> Result<()> {
    let pki = Pki::start()?;
    let (site, message, mail) = (&pki.site, pki.message()?, pki.site.text("mail.eml"));
    let recipient = pki.rsa("mailbox")?;
    for (key, name) in [(site.rsa(2048)?, "mail-rsa"), (site.ec(Curve::P256)?, "mail-ec")] {
        let sender = pki.certify(&key, name, "extendedKeyUsage=emailProtection\n")?;
        site.openssl().ok(&format!(
            "smime -sign -text -md sha256 -in {message} -signer {} -inkey {} -out {mail} \
             -from a@example.org -to b@example.org -subject Hello",
            sender.certificate, sender.key
        ))?;
        let text =
            site.plain().ok(&format!("smime -verify -text -in {mail} -CAfile {}", pki.root))?;
        assert_eq!(text.text(), TEXT, "{}", text.describe());
    }
    site.plain().ok(&format!(
        "smime -encrypt -aes-256-cbc -in {message} -out {mail} {}",
        recipient.certificate
    ))?;
    let opened = site.openssl().ok(&format!(
        "smime -decrypt -in {mail} -recip {} -inkey {}",
        recipient.certificate, recipient.key
    ))?;
    assert_eq!(opened.text(), TEXT);
    Ok(())
}
