//! An embedded vault with a folder of files for programs that use it.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, Weak},
};

use akv_emulator::{Curve, Emulator, NewKey, Persona};
use anyhow::{Context as _, Result};
use nix::unistd::User;
use tempfile::TempDir;

use crate::{modules, openssl::OpenSsl};

/// The vault's name in key references. With an `endpoint` set, any name works.
pub const VAULT: &str = "testvault";

/// A vault, its keys, and the folder with configuration and key files.
///
/// The folder and the vault are removed when it is dropped.
#[derive(Debug)]
pub struct Site {
    vault: Emulator,
    folder: TempDir,
    persona: Persona,
    created: Mutex<Vec<String>>,
    exporting: Mutex<()>,
}

impl Site {
    /// Starts a vault.
    ///
    /// # Errors
    /// The modules cannot be built, or the vault or folder cannot be created.
    pub fn start(persona: Persona) -> Result<Self> {
        Self::with(Emulator::builder().persona(persona), persona, &modules::provider()?)
    }

    /// Starts a vault from its builder, for programs that load this module.
    ///
    /// # Errors
    /// The vault or the folder cannot be created.
    pub fn with(builder: akv_emulator::Builder, persona: Persona, module: &Path) -> Result<Self> {
        let vault = builder.start()?;
        let folder = tempfile::Builder::new().prefix("akv-").tempdir()?;
        // Servers that give up root look into it.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711))?;
        let site =
            Self { vault, folder, persona, created: Mutex::default(), exporting: Mutex::default() };
        fs::write(site.path("vault-ca.pem"), site.vault.ca_pem())?;
        site.write_token(&site.vault.token())?;
        fs::write(site.path("plain.cnf"), configuration(None))?;
        site.configure("openssl.cnf", module, &site.settings())?;
        Ok(site)
    }

    /// The site that the tests of one program share; it is dropped with the last user.
    ///
    /// # Errors
    /// As [`Site::start`].
    pub fn shared() -> Result<Arc<Self>> {
        static SHARED: Mutex<Weak<Site>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(site) = shared.upgrade() {
            return Ok(site);
        }
        let site = Arc::new(Self::start(Persona::Vault)?);
        *shared = Arc::downgrade(&site);
        Ok(site)
    }

    /// The settings for this vault.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("endpoint", self.vault.endpoint().to_owned()),
            ("ca-file", self.text("vault-ca.pem")),
            ("access-token-file", self.text("token")),
        ]
    }

    /// Writes a configuration file that activates the default provider and ours.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn configure(
        &self,
        file: &str,
        module: &Path,
        settings: &[(&str, String)],
    ) -> Result<PathBuf> {
        let path = self.path(file);
        fs::write(&path, configuration(Some((module, settings))))?;
        Ok(path)
    }

    /// Adds a setting to the configuration of [`Site::openssl`], which programs read when they
    /// start.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn set(&self, name: &str, value: &str) -> Result<()> {
        let mut file = fs::OpenOptions::new().append(true).open(self.path("openssl.cnf"))?;
        // The module's section is the last one.
        Ok(file.write_all(format!("{name} = {value}\n").as_bytes())?)
    }

    /// Writes a new access token into its file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn renew_token(&self) -> Result<()> {
        self.write_token(&self.vault.token())
    }

    /// Replaces the access token. A server's workers must be able to read it.
    fn write_token(&self, token: &str) -> Result<()> {
        let path = self.path("token");
        fs::write(&path, token)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640))?;
        if nix::unistd::geteuid().is_root()
            && let Some(user) = worker_user()
        {
            let group = User::from_name(user)?.map(|user| user.gid.as_raw());
            chown(&path, None, group)?;
        }
        Ok(())
    }

    /// The vault.
    pub const fn vault(&self) -> &Emulator {
        &self.vault
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Keeps the folder after the end, and returns its path.
    pub fn keep(&mut self) -> &Path {
        self.folder.disable_cleanup(true);
        self.folder.path()
    }

    /// A file in the folder.
    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// A file in the folder, as text for command lines.
    pub fn text(&self, file: &str) -> String {
        self.path(file).display().to_string()
    }

    /// `openssl` with the default provider and ours.
    pub fn openssl(&self) -> OpenSsl {
        OpenSsl::new(self.path("openssl.cnf"), self.folder())
    }

    /// `openssl` with default properties that prefer our provider.
    ///
    /// # Errors
    /// The configuration cannot be written.
    pub fn preferring(&self) -> Result<OpenSsl> {
        let text = self.read("openssl.cnf")?.replace(
            "[openssl_init]\n",
            "[openssl_init]\nalg_section = algorithms\n\
             [algorithms]\ndefault_properties = ?provider=akv_provider\n[openssl_init]\n",
        );
        fs::write(self.path("preferring.cnf"), text)?;
        Ok(OpenSsl::new(self.path("preferring.cnf"), self.folder()))
    }

    /// `openssl` with the default provider only.
    pub fn plain(&self) -> OpenSsl {
        OpenSsl::new(self.path("plain.cnf"), self.folder())
    }

    /// The reference of a key.
    pub fn reference(&self, key: &str) -> String {
        match self.persona {
            Persona::Vault => format!("vault:{VAULT}:{key}"),
            Persona::ManagedHsm => format!("managedHsm:{VAULT}:{key}"),
        }
    }

    /// The reference of the RSA key of this size, which is created on first use.
    ///
    /// # Errors
    /// The vault refuses the request.
    pub fn rsa(&self, bits: usize) -> Result<String> {
        self.key(NewKey::rsa(format!("rsa-{bits}"), bits), &format!("rsa-{bits}"))
    }

    /// The reference of the EC key on this curve, which is created on first use.
    ///
    /// # Errors
    /// The vault refuses the request.
    pub fn ec(&self, curve: Curve) -> Result<String> {
        let name = format!("ec-{}", curve.name().to_ascii_lowercase());
        self.key(NewKey::ec(&name, curve), &name)
    }

    fn key(&self, key: NewKey, name: &str) -> Result<String> {
        let mut created = self.created.lock().unwrap_or_else(PoisonError::into_inner);
        if !created.iter().any(|known| known == name) {
            self.vault.create_key(key)?;
            created.push(name.to_owned());
        }
        Ok(self.reference(name))
    }

    /// Writes the key file of a reference with `openssl pkey`.
    ///
    /// # Errors
    /// `openssl` fails.
    pub fn key_file(&self, reference: &str, file: &str) -> Result<String> {
        let path = self.text(file);
        self.openssl().ok(&format!("pkey -in {reference} -out {path}"))?;
        Ok(path)
    }

    /// Writes the public key of a reference with `openssl pkey -pubout`, once.
    ///
    /// # Errors
    /// `openssl` fails.
    pub fn public_key(&self, reference: &str) -> Result<String> {
        let path = self.text(&format!("{}.pub", reference.replace([':', '/', '?'], "-")));
        let _one_at_a_time = self.exporting.lock().unwrap_or_else(PoisonError::into_inner);
        if !Path::new(&path).exists() {
            self.openssl().ok(&format!("pkey -in {reference} -pubout -out {path}"))?;
        }
        Ok(path)
    }

    /// A file in the folder as text.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(&self, file: &str) -> Result<String> {
        fs::read_to_string(self.path(file)).with_context(|| format!("cannot read {file}"))
    }
}

/// The user of the workers of servers that are started as root.
pub fn worker_user() -> Option<&'static str> {
    ["www-data", "nobody"].into_iter().find(|name| matches!(User::from_name(name), Ok(Some(_))))
}

/// A configuration file that activates the default provider, and ours if its module and settings
/// are given.
pub fn configuration(module: Option<(&Path, &[(&str, String)])>) -> String {
    // Without `extensions`, `openssl x509 -req` of 4.0 takes the first lines for extensions.
    let mut text = String::from(
        "openssl_conf = openssl_init\nextensions = no_extensions\n[no_extensions]\n\
         [openssl_init]\nproviders = providers\n\
         [req]\ndistinguished_name = distinguished_name\n\
         [distinguished_name]\n\
         [default_provider]\nactivate = 1\n\
         [providers]\ndefault = default_provider\n",
    );
    if let Some((module, settings)) = module {
        text.push_str("akv_provider = akv_provider\n[akv_provider]\n");
        text.push_str(&format!("module = {}\nactivate = 1\n", module.display()));
        for (name, value) in settings {
            text.push_str(&format!("{name} = {value}\n"));
        }
    }
    text
}
