//! `akv doctor`: checks every step from the reference to a signature, and reports the failing one.

mod configuration;
mod credential;
mod key;
mod network;
mod openssl;
mod program;
mod report;
mod settings;

use std::{fmt::Display, path::PathBuf, time::Duration};

use akv_core::{Client, Error, KeyReference, probe::TokenFacts};
use clap::Args;

use self::report::{Cause, Check, Report};
use crate::{
    exit::{Failure, Result},
    key::Named,
    output::{Show, counters_json},
    settings::SettingsArguments,
};

/// Diagnose access to a key, and suggest how to fix it.
///
/// Checks the reference, the settings and where each came from, OpenSSL, its configuration and the
/// modules, DNS, TCP, TLS, the clock, the credentials and the key, and makes one signature over a
/// new connection. The exit code is 0 if everything works and 1 if a cause was found.
#[derive(Args, Debug)]
pub(crate) struct Doctor {
    /// The key.
    key: String,
    /// Check only the vault, not OpenSSL and the modules.
    #[arg(long)]
    no_openssl: bool,
    /// An openssl program to check, instead of those in PATH; may be repeated.
    #[arg(long, value_name = "FILE")]
    openssl: Vec<PathBuf>,
    /// The name by which the program looks up its part of the configuration: Node.js has
    /// `nodejs_conf`.
    #[arg(long, value_name = "NAME", default_value = "openssl_conf")]
    config_name: String,
    /// A folder to search first for the modules; may be repeated.
    #[arg(long, value_name = "FOLDER")]
    modules: Vec<PathBuf>,
    /// Do not sign.
    #[arg(long)]
    no_sign: bool,
    #[command(flatten)]
    settings: SettingsArguments,
}

/// Facts found so far.
#[derive(Default)]
struct Known {
    /// Difference between this machine's clock and the server's.
    skew: Option<Skew>,
    /// The vault's tenant.
    tenant: Option<String>,
    token: Option<TokenFacts>,
}

#[derive(Clone, Copy)]
struct Skew {
    by: Duration,
    /// Whether this machine's clock is ahead.
    ahead: bool,
}

/// Minimum difference that is reported as clock skew. Microsoft Entra ID allows five minutes.
const SKEW_LIMIT: Duration = Duration::from_secs(300);

impl Doctor {
    pub(crate) async fn run(self, show: Show) -> Result<()> {
        let mut report = Report::new(show);
        let client = self.examine(&mut report).await?;
        let counters = client.map(|client| client.counters()).unwrap_or_default();
        match show.json {
            true => show.result(&report.to_json(counters_json(counters)), |_| Ok(()))?,
            false => report.conclude(counters)?,
        }
        if report.causes().is_empty() { Ok(()) } else { Err(Failure::No) }
    }

    /// Runs the checks until one fails.
    async fn examine(&self, report: &mut Report) -> Result<Option<Client>> {
        let programs = match self.no_openssl {
            true => Vec::new(),
            false => openssl::programs(&self.openssl).await,
        };
        let configured = match self.no_openssl {
            true => None,
            false => openssl::configured(&programs, &self.config_name),
        };
        let file = configured.as_ref().map(|(file, _)| file.as_path());
        let of_file = configured.as_ref().map_or(&[][..], |(_, settings)| settings.as_slice());
        // Mistakes in the file's settings are reported by the checks of the module.
        let settings = self.settings.settings_over(of_file).or_else(|_| self.settings.settings());
        let settings = match settings {
            Ok(settings) => settings,
            Err(failure) => {
                report.add(settings::bad(&failure))?;
                return Ok(None);
            }
        };
        let client = Client::new(settings.clone());
        let named = Named::read(&client, &self.key).and_then(|named| named.reference(&client));
        let reference = match named {
            Ok(found) => found,
            Err(failure) => {
                report.add(bad_reference(&failure))?;
                return Ok(Some(client));
            }
        };
        let url = match settings.vault_url(&reference) {
            Ok(url) => url,
            Err(error) => {
                report.add(not_allowed(&error))?;
                return Ok(Some(client));
            }
        };
        report.add(good_reference(&url, &reference))?;
        report.add(settings::check(&settings, file))?;
        if !self.no_openssl {
            openssl::examine(report, &programs, &self.modules, &self.config_name).await?;
        }
        let mut known = Known::default();
        let server = client.probe_server(&reference).await?;
        let connected = network::examine(report, &settings, &server, &mut known)?;
        let given = credential::examine(report, &client, &reference, connected, &mut known).await?;
        if !connected {
            return Ok(Some(client));
        }
        let Some(given) = given else { return Ok(Some(client)) };
        let check = key::KeyCheck { client: &client, reference: &reference };
        check.examine(report, server, &given, &known, !self.no_sign).await?;
        Ok(Some(client))
    }
}

fn bad_reference(failure: &Failure) -> Check {
    let text = failure.to_string();
    let advice = "use vault:NAME:KEY, managedHsm:NAME:KEY or the path of a key file";
    Check::bad("reference", text.clone(), Cause::new("reference", text, advice))
}

fn not_allowed(error: &Error) -> Check {
    let advice = "add the key or its vault to allowed-keys, or use a key that is listed there";
    let text = error.to_string();
    Check::bad("reference", text.clone(), Cause::new("allowed-keys", text, advice))
}

fn good_reference(url: &impl Display, reference: &KeyReference) -> Check {
    let key = reference.key_name().map(|name| format!("keys/{name}")).unwrap_or_default();
    let version = match reference.version() {
        Some(version) => format!("/{version}"),
        None => String::new(),
    };
    Check::good("reference", format!("{reference} is {url}{key}{version}"))
}
