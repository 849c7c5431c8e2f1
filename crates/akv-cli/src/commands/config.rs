//! `akv config`: a complete `openssl.cnf`.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use akv_core::settings::{Origin, Setting};
use clap::Args;
use serde_json::json;

use crate::{
    exit::{Failure, Result},
    modules,
    output::{Destination, Secrecy, Show},
    settings::SettingsArguments,
};

/// Write an openssl.cnf that loads the provider, or the engine, with the settings of the command
/// line and the environment.
///
/// Secrets are never written: if an access token, a client secret or a password is in the
/// environment, set it also in the environment of the program that loads the module.
#[derive(Args, Debug)]
pub(crate) struct Config {
    /// For the engine: OpenSSL 1.1.1, and programs that name keys by `engine:`.
    #[arg(long)]
    engine: bool,
    /// Only the module's own section.
    #[arg(long)]
    section: bool,
    /// The module; by default the first one found where modules are installed.
    #[arg(long, value_name = "FILE")]
    module: Option<PathBuf>,
    #[command(flatten)]
    destination: Destination,
    #[command(flatten)]
    settings: SettingsArguments,
}

/// Variables whose values are secrets, or give access to a token.
const VARIABLES: [&str; 7] = [
    "AZURE_CLI_ACCESS_TOKEN",
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_AUTHORITY_HOST",
    "IDENTITY_ENDPOINT",
    "HTTPS_PROXY",
];

impl Config {
    pub(crate) fn run(self, show: Show) -> Result<()> {
        self.destination.check()?;
        let settings = self.settings.settings()?;
        let module = match &self.module {
            Some(path) => path.clone(),
            None => modules::find(self.engine).unwrap_or_else(|| modules::usual(self.engine)),
        };
        let set: Vec<Setting> =
            settings.in_force().into_iter().filter(|set| set.origin != Origin::Default).collect();
        let text = self.text(&module, &set)?;
        let file = self.destination.file();
        if file.is_some() || !show.json {
            self.destination.write(text.as_bytes(), Secrecy::Public)?;
        }
        let value = json!({ "file": file, "module": module, "config": text });
        if show.json {
            show.result(&value, |_| Ok(()))?;
        }
        Ok(())
    }

    fn text(&self, module: &Path, set: &[Setting]) -> Result<String> {
        let mut text = String::new();
        let head = match (self.section, self.engine) {
            (true, _) => "",
            (_, false) => PROVIDER,
            (_, true) => ENGINE,
        };
        text += head;
        if !module.is_file() {
            let _ = writeln!(text, "# this file does not exist yet: {}", module.display());
        }
        let module = escaped(&absolute(&module.to_string_lossy())?)?;
        let _ = match self.engine {
            false => write!(text, "[akv_provider]\nmodule = {module}\nactivate = 1\n"),
            true => write!(text, "[e_akv]\nengine_id = e_akv\ndynamic_path = {module}\n"),
        };
        for setting in set {
            let value = setting.value.as_deref().unwrap_or_default();
            let value = match setting.name.ends_with("-file") {
                true => absolute(value)?,
                false => value.to_owned(),
            };
            let name = match self.engine {
                false => setting.name.to_owned(),
                true => setting.name.replace('-', "_").to_ascii_uppercase(),
            };
            let _ = writeln!(text, "{name} = {}", escaped(&value)?);
        }
        if self.engine {
            text += "default_algorithms = ALL\n";
        }
        for variable in VARIABLES.iter().filter(|name| std::env::var_os(name).is_some()) {
            let _ =
                writeln!(text, "# {variable} is not written: set it where the module is loaded");
        }
        Ok(text)
    }
}

const PROVIDER: &str = "\
openssl_conf = openssl_init

[openssl_init]
providers = providers

[providers]
default = default_provider
akv_provider = akv_provider

[default_provider]
activate = 1

";

const ENGINE: &str = "\
openssl_conf = openssl_init

[openssl_init]
engines = engines

[engines]
e_akv = e_akv

";

/// Programs that load the module run in other folders.
fn absolute(path: &str) -> Result<String> {
    let path = Path::new(path);
    let found = std::path::absolute(path).map_err(|error| Failure::file("find", path, &error))?;
    Ok(found.to_string_lossy().into_owned())
}

/// A value in the syntax of config(5).
fn escaped(value: &str) -> Result<String> {
    if value.chars().any(char::is_control) || value.trim() != value {
        return Err(Failure::Usage(format!("{value:?} cannot be written to a configuration file")));
    }
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '\\' | '$' | '#' | '"' | '\'' | '`') {
            text.push('\\');
        }
        text.push(c);
    }
    Ok(text)
}
