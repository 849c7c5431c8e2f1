//! `openssl ca`: a root, an intermediate authority, certificates, and revocation lists.

use std::fs;

use akv_emulator::Curve;
use akv_tests::Site;
use anyhow::Result;

use super::Pki;

/// An authority for `openssl ca`: a configuration file, a database, serial numbers.
pub(super) struct Authority {
    config: String,
    pub(super) index: String,
}

impl Authority {
    /// Writes the files of an authority that has this certificate and key.
    pub(super) fn new(site: &Site, name: &str, certificate: &str, key: &str) -> Result<Self> {
        let file = |end: &str| site.text(&format!("{name}.{end}"));
        let (config, index, issued) = (file("cnf"), file("index"), file("issued"));
        fs::create_dir(&issued)?;
        fs::write(&index, "")?;
        // Without this attribute the database would not accept a name twice.
        fs::write(format!("{index}.attr"), "unique_subject = no\n")?;
        fs::write(file("serial"), "1000\n")?;
        fs::write(file("crlnumber"), "01\n")?;
        let text = format!(
            "{}\n[ca]\ndefault_ca = authority\n[authority]\ndatabase = {index}\n\
             new_certs_dir = {issued}\nserial = {}\ncrlnumber = {}\ncertificate = {certificate}\n\
             private_key = {key}\ndefault_md = sha256\ndefault_days = 2\ndefault_crl_days = 2\n\
             policy = anything\nemail_in_dn = no\nunique_subject = no\n\
             [anything]\ncommonName = supplied\n\
             [intermediate]\nsubjectKeyIdentifier = hash\n\
             authorityKeyIdentifier = keyid\nbasicConstraints = critical,CA:TRUE,pathlen:0\n\
             keyUsage = critical,keyCertSign,cRLSign\n\
             [leaf]\nsubjectKeyIdentifier = hash\n\
             authorityKeyIdentifier = keyid\nbasicConstraints = CA:FALSE\nsubjectAltName = DNS:localhost\n",
            site.read("openssl.cnf")?,
            file("serial"),
            file("crlnumber"),
        );
        fs::write(&config, text)?;
        Ok(Self { config, index })
    }

    fn ca(&self, site: &Site, arguments: &str) -> Result<()> {
        site.openssl().ok(&format!("ca -batch -notext -config {} {arguments}", self.config))?;
        Ok(())
    }

    /// Certifies a request with one of the sections of extensions.
    pub(super) fn issue(
        &self,
        site: &Site,
        key: &str,
        name: &str,
        section: &str,
    ) -> Result<String> {
        let (request, certificate) =
            (site.text(&format!("{name}.csr")), site.text(&format!("{name}.pem")));
        site.openssl().ok(&format!("req -new -key {key} -subj /CN={name} -out {request}"))?;
        self.ca(site, &format!("-in {request} -extensions {section} -out {certificate}"))?;
        Ok(certificate)
    }

    pub(super) fn revoke(&self, site: &Site, certificate: &str) -> Result<()> {
        self.ca(site, &format!("-revoke {certificate} -crl_reason keyCompromise"))
    }

    fn list(&self, site: &Site, file: &str) -> Result<String> {
        let list = site.text(file);
        self.ca(site, &format!("-gencrl -out {list}"))?;
        Ok(list)
    }
}

#[test]
fn a_root_and_an_intermediate_issue_and_revoke() -> Result<()> {
    let pki = Pki::start()?;
    let (site, plain) = (&pki.site, pki.site.plain());
    let root = Authority::new(site, "root-ca", &pki.root, &pki.root_key)?;
    // The authority's key by reference, the root's by key file.
    let key = site.rsa(3072)?;
    let certificate = root.issue(site, &key, "intermediate", "intermediate")?;
    let below = Authority::new(site, "intermediate-ca", &certificate, &key)?;
    let good = below.issue(site, &site.ec(Curve::P256)?, "good", "leaf")?;
    let bad = below.issue(site, &site.rsa(2048)?, "bad", "leaf")?;
    let chain = format!("-CAfile {} -untrusted {certificate}", pki.root);
    for leaf in [&good, &bad] {
        plain.ok(&format!("verify {chain} -x509_strict -verify_hostname localhost {leaf}"))?;
    }

    below.revoke(site, &bad)?;
    let lists = [root.list(site, "root.crl")?, below.list(site, "intermediate.crl")?];
    for (list, issuer) in [(&lists[0], &pki.root), (&lists[1], &certificate)] {
        let checked = plain.ok(&format!("crl -in {list} -CAfile {issuer} -noout"))?;
        assert!(checked.stderr.contains("verify OK"), "{}", checked.describe());
    }
    let both = lists.iter().map(fs::read).collect::<Result<Vec<_>, _>>()?.concat();
    fs::write(site.path("both.crl"), both)?;
    let checked = format!("verify {chain} -CRLfile {} -crl_check_all", site.text("both.crl"));
    plain.ok(&format!("{checked} {good}"))?;
    let failed = plain.fails(&format!("{checked} {bad}"))?;
    assert!(failed.stderr.contains("certificate revoked"), "{}", failed.describe());
    Ok(())
}

#[test]
fn signs_with_the_configured_digest_and_padding() -> Result<()> {
    let pki = Pki::start()?;
    let (site, plain) = (&pki.site, pki.site.plain());
    let authority = pki.certify(
        &site.rsa(2048)?,
        "options",
        "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,cRLSign\n",
    )?;
    let ca = Authority::new(site, "options-ca", &authority.certificate, &authority.key)?;
    let request = site.text("told.csr");
    let leaf = site.ec(Curve::P521)?;
    site.openssl().ok(&format!("req -new -key {leaf} -subj /CN=told -out {request}"))?;
    let pss = "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest";
    for (options, algorithm) in [
        ("-md sha512".to_owned(), "sha512WithRSAEncryption"),
        (format!("-md sha384 {pss}"), "rsassaPss"),
    ] {
        let certificate = site.text("told.pem");
        ca.ca(site, &format!("-in {request} {options} -extensions leaf -out {certificate}"))?;
        plain.ok(&format!(
            "verify -CAfile {} -untrusted {} {certificate}",
            pki.root, authority.certificate
        ))?;
        let text = plain.ok(&format!("x509 -in {certificate} -noout -text"))?.text();
        assert!(text.contains(&format!("Signature Algorithm: {algorithm}")), "{text}");
        let list = site.text("told.crl");
        ca.ca(site, &format!("-gencrl {options} -out {list}"))?;
        let checked =
            plain.ok(&format!("crl -in {list} -CAfile {} -noout", authority.certificate))?;
        assert!(checked.stderr.contains("verify OK"), "{}", checked.describe());
    }
    Ok(())
}

#[test]
fn refuses_the_key_of_another_certificate() -> Result<()> {
    let pki = Pki::start()?;
    let site = &pki.site;
    let wrong = Authority::new(site, "wrong-ca", &pki.root, &site.rsa(2048)?)?;
    let before = site.vault().stats().sign;
    let failed = site.openssl().fails(&format!("ca -batch -gencrl -config {}", wrong.config))?;
    assert!(failed.stderr.contains("do not match"), "{}", failed.describe());
    assert_eq!(site.vault().stats().sign, before);
    Ok(())
}
