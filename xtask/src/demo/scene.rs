//! The demo's vault, keys and certificates, and its summary.

use std::{fs, path::Path};

use akv_emulator::{Curve, Emulator, NewKey, Persona};
use akv_tests::{Site, process::Task};
use anyhow::{Context as _, Result, ensure};

use super::{Identity, say, servers::Served, step};

/// Everything that exists before a server starts.
pub(super) struct Scene {
    pub(super) site: Site,
    pub(super) identities: [Identity; 2],
}

impl Scene {
    /// Starts the vault and creates the keys in it.
    pub(super) fn open(module: &Path) -> Result<Self> {
        step("Starting the embedded vault, a stand-in for Azure Key Vault on this machine");
        let site = Site::with(Emulator::builder(), Persona::Vault, module)?;
        say(&format!("it speaks the service's protocol at {}", site.vault().endpoint()));
        step("Creating an RSA and an EC key in the vault, where they stay");
        for key in [NewKey::rsa("web-rsa", 2048), NewKey::ec("web-ec", Curve::P256)] {
            let key = site.vault().create_key(key)?;
            say(&format!("{} version {}", reference(&key.name), key.version));
        }
        let identities = [
            Identity {
                kind: "RSA",
                reference: reference("web-rsa"),
                key_file: site.path("web-rsa.key"),
                certificate: site.path("web-rsa.pem"),
                choose: [
                    "-tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256",
                    "-tls1_3 -sigalgs rsa_pss_rsae_sha256",
                ],
                signature: "RSA",
            },
            Identity {
                kind: "EC",
                reference: reference("web-ec"),
                key_file: site.path("web-ec.key"),
                certificate: site.path("web-ec.pem"),
                choose: [
                    "-tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256",
                    "-tls1_3 -sigalgs ecdsa_secp256r1_sha256",
                ],
                signature: "ECDSA",
            },
        ];
        Ok(Self { site, identities })
    }

    /// Writes key files and certificates with the `openssl` program.
    pub(super) fn make_certificates(&self) -> Result<()> {
        let openssl = self.site.openssl();
        step("Writing key files, which name the keys, for programs that require a file");
        for identity in &self.identities {
            let (reference, file) = (&identity.reference, identity.key_file.display());
            say(&format!("openssl pkey -in {reference} -out {}", base(&identity.key_file)));
            openssl.ok(&format!("pkey -in {reference} -out {file}"))?;
            let text = fs::read_to_string(&identity.key_file)?;
            let label = text.lines().next().unwrap_or_default();
            ensure!(label == "-----BEGIN AKV PRIVATE KEY-----", "unexpected label {label}");
        }
        step("Creating a certificate for each, signed in the vault");
        for identity in &self.identities {
            let (key, certificate) = (identity.key_file.display(), identity.certificate.display());
            say(&format!(
                "openssl req -x509 -new -key {} -out {} …",
                base(&identity.key_file),
                base(&identity.certificate)
            ));
            openssl.ok(&format!(
                "req -x509 -new -key {key} -sha256 -days 7 -subj /CN=localhost \
                 -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -out {certificate}"
            ))?;
            self.site.plain().ok(&format!("verify -CAfile {certificate} {certificate}"))?;
        }
        let all: Result<String, _> =
            self.identities.iter().map(|id| fs::read_to_string(&id.certificate)).collect();
        fs::write(self.site.path("trusted.pem"), all?)?;
        say("OpenSSL without the provider has verified both");
        Ok(())
    }

    /// Keeps the folder.
    pub(super) fn keep(&mut self) -> &Path {
        self.site.keep()
    }

    /// The summary.
    pub(super) fn summary(&self, served: &Served) -> String {
        let stats = self.site.vault().stats();
        let before = &served.before;
        let keys: Vec<String> =
            self.identities.iter().map(|id| format!("{} ({})", id.reference, id.kind)).collect();
        format!(
            "It works: {server} served TLS with private keys that never left the vault.\n\
             \x20 keys that signed     {keys}\n\
             \x20 vault                demo-vault, embedded at {endpoint}\n\
             \x20 TLS server           {server}\n\
             \x20 handshakes           {handshakes}: {kinds}\n\
             \x20 vault requests       {served_requests} by the server, {signatures} of them \
             signatures; {tool_requests} before, by the openssl program\n\
             \x20 connections to vault {connections} by the server's processes, all handshakes \
             together\n\
             \x20 private key files    none: {private}",
            server = served.server,
            keys = keys.join(", "),
            endpoint = self.site.vault().endpoint(),
            handshakes = served.handshakes(),
            kinds = served.kinds(),
            served_requests = stats.requests - before.requests,
            signatures = stats.sign - before.sign,
            tool_requests = before.requests,
            connections = stats.connections - before.connections,
            private = served.private,
        )
    }

    /// Checks every file of the server and describes the key files.
    pub(super) fn no_private_key(&self) -> Result<String> {
        step("Looking for a private key on the disk");
        for entry in fs::read_dir(self.site.folder())? {
            let path = entry?.path();
            let text = fs::read_to_string(&path).unwrap_or_default();
            for line in text.lines().filter(|line| line.contains("PRIVATE KEY-----")) {
                ensure!(line.contains("AKV PRIVATE KEY"), "{} contains {line}", path.display());
            }
        }
        let mut kinds = Vec::new();
        for identity in &self.identities {
            let file = &identity.key_file;
            // A program without the provider finds no key in it.
            let plain = self.site.plain();
            plain.fails(&format!("pkey -in {} -noout", file.display()))?;
            let parsed = plain.ok(&format!("asn1parse -in {}", file.display()))?.text();
            let name = parsed.lines().find_map(|line| line.split("UTF8STRING").nth(1));
            let name = name.context("the key file contains no reference")?.trim().trim_matches(':');
            say(&format!("{}: the name {name} and the public key", base(file)));
            kinds.push(base(file));
        }
        Ok(format!(
            "{} are labelled AKV PRIVATE KEY and contain the key's name and its public half",
            kinds.join(" and ")
        ))
    }

    /// `curl`, if there is one, as a second client.
    pub(super) fn curl(&self, port: u16) -> Result<bool> {
        if akv_tests::process::which("curl").is_none() {
            say("curl is not installed: openssl s_client is the only client");
            return Ok(false);
        }
        let answer = Task::new("curl")
            .args(["--silent", "--show-error", "--fail", "--noproxy", "*", "--cacert"])
            .arg(self.site.path("trusted.pem"))
            .arg(format!("https://localhost:{port}/"))
            .args(["--resolve", &format!("localhost:{port}:127.0.0.1")])
            .ok()?;
        say(&format!("curl https://localhost:{port}/ responds: {}", answer.text().trim()));
        Ok(true)
    }
}

/// With the setting `endpoint`, every vault name means the embedded vault.
fn reference(key: &str) -> String {
    format!("vault:demo-vault:{key}")
}

fn base(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
