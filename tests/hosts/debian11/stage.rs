//! The environment of every host: a vault with an RSA and an EC key, certificates, a configuration
//! file.

use std::{
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    time::Duration,
};

use akv_core::{Settings, blocking::Client};
use akv_emulator::{Curve, Persona};
use akv_tests::{
    OpenSsl, Root, Server, Site, Task,
    engine::{certificate, configure, plain},
};
use anyhow::{Context as _, Result};

/// Time limit for starting, reloading and responding.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Handshakes with the RSA key: the client's arguments, and the expected results.
pub(crate) const RSA: [(&str, [&str; 3]); 2] = [
    ("-tls1_3 -sigalgs rsa_pss_rsae_sha256", ["TLSv1.3", "RSA-PSS", "SHA256"]),
    ("-tls1_2 -sigalgs RSA+SHA256", ["TLSv1.2", "RSA", "SHA256"]),
];
/// As [`RSA`].
pub(crate) const EC: [(&str, [&str; 3]); 2] = [
    ("-tls1_3 -sigalgs ecdsa_secp256r1_sha256", ["TLSv1.3", "ECDSA", "SHA256"]),
    ("-tls1_2 -sigalgs ECDSA+SHA384", ["TLSv1.2", "ECDSA", "SHA384"]),
];

/// A key in the vault with its certificate, for `localhost`.
pub(crate) struct VaultKey {
    /// Three sections.
    pub(crate) reference: String,
    pub(crate) certificate: String,
    /// The handshakes of clients with it.
    pub(crate) handshakes: [(&'static str, [&'static str; 3]); 2],
}

/// The vault, and the system whose programs use it.
pub(crate) struct Stage {
    pub(crate) root: Root,
    pub(crate) site: Site,
    pub(crate) rsa: VaultKey,
    pub(crate) ec: VaultKey,
    /// The configuration that loads the engine under its own id, and makes it read key files.
    pub(crate) config: PathBuf,
    /// This machine's `openssl`, without the engine: the peer of every connection.
    pub(crate) client: OpenSsl,
}

impl Stage {
    pub(crate) fn open(persona: Persona) -> Result<Self> {
        Self::with(Site::start(persona)?)
    }

    pub(crate) fn with(site: Site) -> Result<Self> {
        let root = Root::selected()?;
        let key = |reference: String, name, handshakes| -> Result<VaultKey> {
            let certificate = certificate(&site, &reference, name)?;
            Ok(VaultKey { reference, certificate, handshakes })
        };
        let rsa = key(site.rsa(2048)?, "hosts-rsa", RSA)?;
        let ec = key(site.ec(Curve::P256)?, "hosts-ec", EC)?;
        let config = configure(&site, "hosts.cnf", "default_algorithms = ALL\n")?;
        let client = plain(&site)?;
        Ok(Self { root, site, rsa, ec, config, client })
    }

    /// Both keys.
    pub(crate) fn keys(&self) -> [&VaultKey; 2] {
        [&self.rsa, &self.ec]
    }

    /// A program of the other system, with the engine.
    pub(crate) fn task(&self, program: &str) -> Task {
        self.root.task(program).env("OPENSSL_CONF", &self.config)
    }

    /// Does every handshake for this key: each uses one signature of the vault.
    pub(crate) fn shake_hands(&self, address: &str, key: &VaultKey) -> Result<()> {
        for (arguments, expected) in key.handshakes {
            let before = self.site.vault().stats().sign;
            let client = akv_tests::Client { address, ca: &key.certificate, arguments };
            let seen = client.connect(&self.client)?;
            assert_eq!([seen.protocol, seen.signature, seen.digest], expected, "{arguments}");
            assert_eq!(self.site.vault().stats().sign, before + 1, "{arguments}");
        }
        Ok(())
    }

    /// A certificate for `neighbour`, and its normal key file.
    pub(crate) fn neighbour(&self) -> Result<[String; 2]> {
        let [cert, key] = ["neighbour.pem", "neighbour.key"].map(|file| self.site.text(file));
        let lines = "[req]\ndistinguished_name = name\nx509_extensions = extensions\n[name]\n\
             [extensions]\nsubjectAltName = DNS:neighbour\n";
        let plain = OpenSsl::new(self.write("neighbour.cnf", lines)?, self.site.folder());
        plain.ok(&format!("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out {key}"))?;
        plain.ok(&format!("req -new -x509 -key {key} -subj /CN=neighbour -out {cert}"))?;
        Ok([cert, key])
    }

    /// Connects to the neighbour, whose key is not in the vault.
    pub(crate) fn connect_to_neighbour(&self, address: &str) -> Result<()> {
        let (before, ca) = (self.site.vault().stats().sign, self.site.text("neighbour.pem"));
        let seen = self.client.ok(&format!(
            "s_client -brief -connect {address} -servername neighbour -verify_return_error \
             -CAfile {ca}"
        ))?;
        let said = seen.stderr.replace("CN = ", "CN=");
        assert!(said.contains("CN=neighbour"), "{}", seen.describe());
        assert_eq!(self.site.vault().stats().sign, before, "the neighbour's key is its own");
        Ok(())
    }

    /// Writes the key file in PKCS#8 once, for programs that accept nothing else.
    pub(crate) fn key_file(&self, key: &VaultKey) -> Result<String> {
        let file = format!("{}.pkcs8", key.reference.replace(':', "-"));
        let mut settings = Settings::builder();
        for (name, value) in self.site.settings() {
            settings = settings.option(name, &value)?;
        }
        let client = Client::new(settings.build()?);
        let key = client.key(&client.reference(&key.reference)?)?;
        self.write(&file, &key.key_file().to_pkcs8_pem())
    }

    /// Writes a file that servers may read, and returns its path.
    pub(crate) fn write(&self, file: &str, content: &str) -> Result<String> {
        std::fs::write(self.site.path(file), content)?;
        Ok(self.site.text(file))
    }
}

/// Starts a server on a free port, and waits until it prints `ready`. Returns it with its address.
pub(crate) fn listen(
    ready: &'static str,
    start: impl Fn(u16) -> Result<Task>,
) -> Result<(Server, String)> {
    let mut failure = None;
    for _ in 0..5 {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let started =
            Server::start(start(port)?, LIMIT, move |line| line.contains(ready).then_some(()));
        match started {
            Ok((server, ())) => return Ok((server, format!("127.0.0.1:{port}"))),
            // Another program may take the port first.
            Err(error) if format!("{error:#}").contains("in use") => failure = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(failure.context("no port")?)
}
