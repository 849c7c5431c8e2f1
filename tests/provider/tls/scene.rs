//! A vault, a certificate authority of plain OpenSSL, and servers whose keys are in the vault.

use std::{
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use akv_emulator::Persona;
use akv_tests::{Client, Handshake, OpenSsl, Server, Site};
use anyhow::{Context as _, Result};

/// Time limit of a server.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Permits algorithms that OpenSSL disables by default: SHA-1, TLS 1.1, RSA key exchange.
pub(crate) const WEAK: &str = "-cipher DEFAULT:@SECLEVEL=0";

/// The marker of the provider's entries in `openssl`'s output.
const OURS: &str = ":akv_provider:";

/// A site with an authority.
pub(crate) struct Scene {
    site: Site,
}

/// A certificate of the authority, and the key file of its key in the vault.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Scene {
    pub(crate) fn start(persona: Persona) -> Result<Self> {
        let scene = Self { site: Site::start(persona)? };
        scene.site.plain().ok(&format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {} -days 2 \
             -subj /CN=authority -addext basicConstraints=critical,CA:TRUE -out {}",
            scene.site.text("root.key"),
            scene.root()
        ))?;
        Ok(scene)
    }

    /// A scene shared by all tests that do not count requests.
    pub(crate) fn shared() -> Result<Arc<Self>> {
        static SHARED: Mutex<Weak<Scene>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(scene) = shared.upgrade() {
            return Ok(scene);
        }
        let scene = Arc::new(Self::start(Persona::Vault)?);
        *shared = Arc::downgrade(&scene);
        Ok(scene)
    }

    pub(crate) const fn site(&self) -> &Site {
        &self.site
    }

    /// The authority's certificate.
    pub(crate) fn root(&self) -> String {
        self.site.text("root.pem")
    }

    /// Issues a certificate of the authority for `localhost`; `name` is for the files.
    pub(crate) fn identity(&self, reference: &str, name: &str) -> Result<Identity> {
        let site = &self.site;
        let (certificate, request) =
            (site.text(&format!("{name}.pem")), site.text(&format!("{name}.csr")));
        let key = site.key_file(reference, &format!("{name}.key"))?;
        site.openssl().ok(&format!(
            "req -new -key {key} -subj /CN=localhost -addext subjectAltName=DNS:localhost \
             -out {request}"
        ))?;
        site.plain().ok(&format!(
            "x509 -req -in {request} -CA {} -CAkey {} -copy_extensions copy -days 2 \
             -out {certificate}",
            self.root(),
            site.text("root.key")
        ))?;
        Ok(Identity { certificate, key })
    }

    /// Starts `s_server`, and returns it with its address.
    pub(crate) fn serve(&self, identity: &Identity, options: &str) -> Result<(Server, String)> {
        Self::serve_with(&self.site.openssl(), identity, options)
    }

    /// Starts `s_server` with another configuration.
    pub(crate) fn serve_with(
        openssl: &OpenSsl,
        identity: &Identity,
        options: &str,
    ) -> Result<(Server, String)> {
        let Identity { certificate, key } = identity;
        let line = format!("s_server -accept 127.0.0.1:0 -cert {certificate} -key {key} {options}");
        let task = openssl.task(line.split_whitespace());
        Server::start(task, LIMIT, |line| line.strip_prefix("ACCEPT ").map(str::to_owned))
    }

    /// Connects with plain OpenSSL.
    pub(crate) fn connect(&self, address: &str, arguments: &str) -> Result<Handshake> {
        self.connect_with(&self.site.plain(), address, arguments)
    }

    /// Connects with another configuration.
    pub(crate) fn connect_with(
        &self,
        openssl: &OpenSsl,
        address: &str,
        arguments: &str,
    ) -> Result<Handshake> {
        Client { address, ca: &self.root(), arguments }.connect(openssl)
    }

    /// Connects with plain OpenSSL to a server that must refuse; returns the alert's number.
    pub(crate) fn refused(&self, address: &str, arguments: &str) -> Result<u8> {
        let client = Client { address, ca: &self.root(), arguments };
        client.refused(&self.site.plain()).context(arguments.to_owned())
    }

    /// Connects with each of the client's arguments and checks the signatures.
    pub(crate) fn check(
        &self,
        identity: &Identity,
        options: &str,
        cases: &[(&str, [&str; 3])],
    ) -> Result<()> {
        let (server, address) = self.serve(identity, options)?;
        for (arguments, [protocol, signature, digest]) in cases {
            let seen = self.connect(&address, arguments);
            let seen = seen.with_context(|| format!("the server said:\n{}", server.output()))?;
            let seen = [seen.protocol, seen.signature, seen.digest];
            assert_eq!(seen, [*protocol, *signature, *digest], "{arguments}");
        }
        assert_eq!(entries(&server.output()), 0, "success leaves nothing: {}", server.output());
        Ok(())
    }
}

/// How many entries of ours a program printed.
pub(crate) fn entries(printed: &str) -> usize {
    printed.lines().filter(|line| line.contains(OURS)).count()
}
