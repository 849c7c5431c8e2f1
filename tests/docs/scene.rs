//! A machine as the pages describe it: the configuration in `/etc/akv`, a managed identity, and a
//! vault with the keys that the examples name. `/etc/akv` is a folder of the scene.

use std::{fs, os::unix::fs::symlink};

use akv_emulator::{Curve, NewKey, Persona};
use akv_tests::{
    Output, Site, Task,
    docs::{Book, Page},
    modules, port,
};
use anyhow::{Context as _, Result};

/// What the scripts of pages begin with.
const PRELUDE: &str = include_str!("prelude.sh");

pub(crate) struct Scene {
    pub(crate) site: Site,
}

/// A page of the documentation.
pub(crate) fn page(path: &str) -> Result<Page> {
    let book = Book::read(modules::workspace())?;
    let mut pages = book.pages;
    pages.remove(std::path::Path::new(path)).with_context(|| format!("no {path}"))
}

/// The n-th block of a language on a page.
pub(crate) fn block(path: &str, language: &str, number: usize) -> Result<String> {
    let blocks = page(path)?.blocks.into_iter().filter(|block| block.language == language);
    let block = blocks.into_iter().nth(number);
    Ok(block.with_context(|| format!("{path} has no block {number} of {language}"))?.code)
}

impl Scene {
    /// A vault, or a Managed HSM for pages whose examples use one. The key's certificate may be in
    /// the vault, too; then they are rotated together.
    pub(crate) fn open(persona: Persona, certified: bool) -> Result<Self> {
        let site = Site::start(persona)?;
        let key = NewKey::ec("myKey", Curve::P256);
        match certified {
            true => site.vault().create_certificate(key, "CN=www.example.org")?,
            false => site.vault().create_key(key)?,
        };
        if persona == Persona::ManagedHsm {
            site.vault().create_key(NewKey::oct("myAesKey", 256))?;
        }
        fs::create_dir(site.path("etc"))?;
        // The checkout in which a stranger works.
        fs::create_dir(site.path("target"))?;
        symlink(modules::folder()?, site.path("target/modules"))?;
        for file in ["data", "cek.bin"] {
            fs::write(site.path(file), [7; 16])?;
        }
        Ok(Self { site })
    }

    /// Puts a configuration where the pages expect it.
    pub(crate) fn configure(&self, text: &str) -> Result<()> {
        Ok(fs::write(self.site.path("etc/openssl.cnf"), self.placed(text))?)
    }

    /// Text of a page, with the scene's folder and a free port.
    fn placed(&self, text: &str) -> String {
        text.replace("/etc/akv/", &format!("{}/", self.site.text("etc")))
    }

    /// Runs commands of a page in one shell, as the superuser of the page's machine would.
    pub(crate) fn run(&self, commands: &str) -> Result<Output> {
        let port = port::free()?;
        let commands = self.placed(commands).replace("8443", &port.to_string());
        let modules = modules::folder()?;
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = [modules.to_owned()].into_iter().chain(std::env::split_paths(&path));
        let path = std::env::join_paths(folders.chain(["/usr/sbin".into()]))?;
        let vault = self.site.vault();
        Task::new("bash")
            .args(["-euc", &format!("{PRELUDE}\n{commands}")])
            .dir(self.site.folder())
            .env("PATH", path)
            .env("OPENSSL_CONF", self.site.text("etc/openssl.cnf"))
            // Where packages put the modules, without being there.
            .env("OPENSSL_MODULES", modules)
            .env("OPENSSL_ENGINES", modules)
            // The only differences from a machine in Azure.
            .env("AKV_ENDPOINT", vault.endpoint())
            .env("AKV_CA_FILE", self.site.text("vault-ca.pem"))
            .env("IMDS_ENDPOINT", vault.imds_endpoint())
            .env("TOKEN_OF_AZ", vault.token())
            .ok()
    }
}
