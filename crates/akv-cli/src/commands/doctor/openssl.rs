//! Checks OpenSSL: its versions, the modules, and whether it loads them.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde_json::json;

use super::{
    configuration::{self, Found},
    program::{ProgramOutput, in_path, run},
    report::{Cause, Check, Report},
};
use crate::{modules, openssl_conf::Configuration};

/// How programs report a missing module, whatever the reason.
const SYMPTOM: &str = "OpenSSL 3 reports that as `DECODER routines::unsupported` when a program \
                       reads a key file or a reference";

/// An `openssl` program and its folders.
pub(super) struct OpenSsl {
    program: PathBuf,
    /// `3.0.19`
    version: String,
    modules: Option<PathBuf>,
    engines: Option<PathBuf>,
    /// The folder with its configuration.
    folder: Option<PathBuf>,
}

/// A program and, if it can be run, its properties.
pub(super) type Probed = (PathBuf, Result<OpenSsl, String>);

/// Queries the given programs, or those in `PATH`.
pub(super) async fn programs(given: &[PathBuf]) -> Vec<Probed> {
    let programs = match given {
        [] => in_path("openssl"),
        given => given.to_vec(),
    };
    let mut probed = Vec::new();
    for program in programs {
        let found = OpenSsl::query(&program).await;
        probed.push((program, found));
    }
    probed
}

/// The settings of the module in the first configuration that loads it, and the file.
pub(super) fn configured(
    programs: &[Probed],
    root: &str,
) -> Option<(PathBuf, Vec<(&'static str, String)>)> {
    let found = programs.iter().filter_map(|(_, found)| found.as_ref().ok());
    let folders = found.map(|found| found.folder.as_deref()).chain([None]);
    let mut places = folders.filter_map(|folder| configuration::place(folder, root));
    places.find_map(|place| {
        let found = configuration::examine(&Configuration::read(&place.file).ok()?, &place);
        found.loads().then_some((place.file, found.settings))
    })
}

/// Checks the programs.
pub(super) async fn examine(
    report: &mut Report,
    programs: &[Probed],
    folders: &[PathBuf],
    root: &str,
) -> io::Result<()> {
    if programs.is_empty() {
        let text = "no openssl program in PATH; programs may still use its library";
        return report.add(Check::note("openssl", text));
    }
    for (program, found) in programs {
        match found {
            Ok(found) => found.examine(report, folders, root).await?,
            Err(error) => {
                let text = format!("{} cannot be run: {error}", program.display());
                report.add(Check::note("openssl", text))?;
            }
        }
    }
    Ok(())
}

impl OpenSsl {
    async fn query(program: &Path) -> Result<Self, String> {
        let output = run(program, &["version", "-a"], Some(Path::new("/dev/null"))).await?;
        let version = output.stdout.split_whitespace().nth(1);
        let version = version.filter(|_| output.success).ok_or_else(|| output.stderr.clone())?;
        let folder = |name: &str| {
            let line = output.stdout.lines().find_map(|line| line.strip_prefix(name))?;
            Some(PathBuf::from(line.trim_start_matches(':').trim().trim_matches('"')))
        };
        Ok(Self {
            program: program.to_owned(),
            version: version.to_owned(),
            modules: folder("MODULESDIR"),
            engines: folder("ENGINESDIR"),
            folder: folder("OPENSSLDIR"),
        })
    }

    fn has_providers(&self) -> bool {
        !self.version.starts_with("1.") && !self.version.starts_with("0.")
    }

    fn has_engines(&self) -> bool {
        let major = self.version.split('.').next().and_then(|major| major.parse().ok());
        major.is_some_and(|major: u32| major < 4)
    }

    async fn examine(
        &self,
        report: &mut Report,
        folders: &[PathBuf],
        root: &str,
    ) -> io::Result<()> {
        let shown = |folder: &Option<PathBuf>| match folder {
            Some(folder) => folder.display().to_string(),
            None => "none".to_owned(),
        };
        let text = format!("{} is OpenSSL {}", self.program.display(), self.version);
        let mut check = Check::good("openssl", text).fact("version", json!(self.version));
        if self.has_providers() {
            check = check.line(format!("providers in {}", shown(&self.modules)));
        }
        if self.has_engines() {
            check = check.line(format!("engines in {}", shown(&self.engines)));
        }
        report.add(check)?;
        if self.has_providers() {
            self.examine_module(report, false, folders).await?;
        }
        if self.has_engines() {
            self.examine_module(report, true, folders).await?;
        }
        self.examine_configuration(report, root).await
    }

    /// Checks that the module exists and loads.
    async fn examine_module(
        &self,
        report: &mut Report,
        engine: bool,
        folders: &[PathBuf],
    ) -> io::Result<()> {
        let (check, file) = (if engine { "engine" } else { "provider" }, modules::name(engine));
        let own = if engine { &self.engines } else { &self.modules };
        let places: Vec<PathBuf> =
            folders.iter().cloned().chain(own.clone()).chain(modules::folders()).collect();
        let Some(module) = places.iter().map(|place| place.join(file)).find(|path| path.is_file())
        else {
            let looked: Vec<String> =
                places.iter().map(|place| place.display().to_string()).collect();
            let text = format!("{file} is in none of {}", looked.join(", "));
            // One of the two suffices, and for OpenSSL 3 it is the provider.
            if engine && self.has_providers() {
                return report.add(Check::note(check, text));
            }
            let cause = Cause::new(
                "openssl-module",
                format!("the module is missing: {text}"),
                format!(
                    "install it ({}), or name its folder with --modules",
                    modules::usual(engine).display()
                ),
            );
            return report.add(Check::bad(check, text, cause));
        };
        let loaded = self.load(&module, engine).await;
        let path = module.display();
        let why = match loaded {
            Ok(output) if output.success => {
                let text = format!("{path} loads");
                return report.add(Check::good(check, text).fact("file", json!(module)));
            }
            Ok(output) => reason(&output),
            Err(error) => error,
        };
        let text = format!("{path} does not load in OpenSSL {}: {why}", self.version);
        let advice = "a module must be readable, and needs a C library at least as new as the one \
                      that it was built with; build or install it for this system";
        let cause = Cause::new("openssl-module", text.clone(), advice);
        report.add(Check::bad(check, text, cause))
    }

    async fn load(&self, module: &Path, engine: bool) -> Result<ProgramOutput, String> {
        let nothing = Some(Path::new("/dev/null"));
        let file = module.display().to_string();
        if engine {
            let path = format!("SO_PATH:{file}");
            let arguments = ["engine", "-t", "-pre", &path, "-pre", "LOAD", "dynamic"];
            let mut output = run(&self.program, &arguments, nothing).await?;
            output.success &= available(&output);
            return Ok(output);
        }
        let folder = module.parent().unwrap_or(Path::new(".")).display().to_string();
        let arguments =
            ["list", "-providers", "-provider-path", &folder, "-provider", "akv_provider"];
        let mut output = run(&self.program, &arguments, nothing).await?;
        output.success &= output.stdout.contains("akv_provider");
        Ok(output)
    }

    /// Checks that the configuration that programs use loads a module.
    async fn examine_configuration(&self, report: &mut Report, root: &str) -> io::Result<()> {
        let Some(place) = configuration::place(self.folder.as_deref(), root) else {
            return Ok(());
        };
        let path = place.file.display().to_string();
        let configuration = match Configuration::read(&place.file) {
            Ok(configuration) => configuration,
            Err(error) if place.from_environment => {
                let text = format!("OPENSSL_CONF names {path}, which cannot be read: {error}");
                let advice = "correct or unset OPENSSL_CONF; `akv config` writes such a file";
                let cause = Cause::new("openssl-environment", text.clone(), advice);
                return report.add(Check::bad("config", text, cause));
            }
            Err(_) => Configuration::default(),
        };
        let found = configuration::examine(&configuration, &place);
        let check = match &found {
            Found { broken: Some((why, advice)), .. } => {
                let text = format!("{path} does not load the module: {why}");
                let cause = Cause::new("openssl-config", format!("{text}; {SYMPTOM}"), advice);
                Check::bad("config", text, cause)
            }
            found if !found.loads() => {
                let advice = "`akv config` writes a configuration that does".to_owned();
                let text = format!("{path} loads neither module");
                Check::note("config", text).line(SYMPTOM.to_owned()).line(advice)
            }
            found => match found.modules.iter().find_map(|file| self.missing(file)) {
                Some(missing) => {
                    let missing = missing.display();
                    let text = format!("{path} names the module {missing}, which does not exist");
                    let advice = "install the module there, or correct the path";
                    let cause = Cause::new("openssl-module", format!("{text}; {SYMPTOM}"), advice);
                    Check::bad("config", text, cause)
                }
                None => self.examine_loading(&path, &configuration, root, found).await,
            },
        };
        report.add(check.lines(found.notes))
    }

    /// Where OpenSSL looks for this module of a configuration, if it does not exist there.
    fn missing(&self, module: &Path) -> Option<PathBuf> {
        let named = std::env::var_os("OPENSSL_MODULES").map(PathBuf::from);
        let folder = named.or_else(|| self.modules.clone());
        // Without a folder the dynamic linker searches.
        let file = match folder {
            Some(folder) => folder.join(module),
            None => module.to_owned(),
        };
        (file.is_absolute() && !file.is_file()).then_some(file)
    }

    /// Makes the program load the modules that a configuration names.
    async fn examine_loading(
        &self,
        path: &str,
        configuration: &Configuration,
        root: &str,
        found: &Found,
    ) -> Check {
        let engine = !(found.provider && self.has_providers());
        if engine && !self.has_engines() {
            let text =
                format!("{path} names the engine, which OpenSSL {} does not support", self.version);
            let advice = "`akv config` writes a configuration that loads the provider".to_owned();
            return Check::note("config", text).line(advice);
        }
        // The program always looks up `openssl_conf`, even if others use another name.
        let stand_in = match renamed(path, configuration, root) {
            Ok(stand_in) => stand_in,
            Err(error) => return Check::note("config", format!("{path} was not tested: {error}")),
        };
        let file = stand_in.as_ref().map(tempfile::NamedTempFile::path);
        let (name, loaded) = match engine {
            false => ("provider", self.load_provider(file).await),
            true => ("engine", self.load_engine(file).await),
        };
        match loaded {
            Ok(()) => Check::good("config", format!("{path} loads the {name}")),
            Err(error) => unusable(path, name, &error),
        }
    }

    async fn load_provider(&self, file: Option<&Path>) -> Result<(), String> {
        let output = run(&self.program, &["list", "-providers"], file).await?;
        if !output.success || !output.stdout.contains("akv_provider") {
            return Err(reason(&output));
        }
        if !inactive(&output.stdout) {
            return Ok(());
        }
        // The provider loads, because of the rest of the configuration, and refuses all keys.
        let key = ["storeutl", "-noout", "vault:doctor:doctor"];
        Err(reason(&run(&self.program, &key, file).await?))
    }

    async fn load_engine(&self, file: Option<&Path>) -> Result<(), String> {
        if available(&run(&self.program, &["engine", "-t", "e_akv"], file).await?) {
            return Ok(());
        }
        // The engine returns the reason when a key is loaded; nothing is sent before it works.
        let key = ["-engine", "e_akv", "-inform", "engine", "-in", "vault:doctor:doctor"];
        Err(reason(&run(&self.program, &[&["pkey", "-noout"][..], &key].concat(), file).await?))
    }
}

/// The same configuration for the `openssl` program, if it has another name.
fn renamed(
    path: &str,
    configuration: &Configuration,
    root: &str,
) -> io::Result<Option<tempfile::NamedTempFile>> {
    let section = configuration.root(root).filter(|_| root != "openssl_conf");
    let Some(section) = section else { return Ok(None) };
    let file = tempfile::Builder::new().prefix("akv-doctor-").suffix(".cnf").tempfile()?;
    let path = std::path::absolute(path)?;
    writeln!(file.as_file(), ".include {}\ndefault::openssl_conf = {section}", path.display())?;
    Ok(Some(file))
}

/// The check of a configuration whose module does not work.
fn unusable(path: &str, module: &str, reason: &str) -> Check {
    let text = format!("{path} names the {module}, and OpenSSL cannot use it: {reason}");
    let advice = "correct the setting, or compare the file with what `akv config` writes";
    let cause = Cause::new("openssl-config", format!("{text}; {SYMPTOM}"), advice);
    Check::bad("config", text, cause)
}

/// Whether `openssl engine -t` reports our engine as available.
fn available(output: &ProgramOutput) -> bool {
    output.stdout.contains("(e_akv)") && output.stdout.contains("[ available ]")
}

/// The first relevant line of a program's errors.
fn reason(output: &ProgramOutput) -> String {
    let lines = || output.stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    let ours = |line: &&str| line.contains(":akv_provider:") || line.contains(":e_akv:");
    let telling = |line: &&str| line.contains("error") || line.contains("akv");
    let line = lines().find(ours).or_else(|| lines().find(telling)).or_else(|| lines().next());
    line.unwrap_or("no reason given").to_owned()
}

/// Whether `openssl list -providers` reports that our provider is not active, which happens with an
/// invalid setting.
fn inactive(list: &str) -> bool {
    let mut lines = list.lines().skip_while(|line| line.trim() != "akv_provider").skip(1);
    let own = lines.by_ref().take_while(|line| line.starts_with("    "));
    own.into_iter().any(|line| line.trim() == "status: inactive")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_status_of_our_provider_is_read() {
        let list = |ours: &str, other: &str| {
            format!(
                "Providers:\n  akv_provider\n    name: x\n    status: {ours}\n  default\n    \
                 status: {other}\n"
            )
        };
        assert!(inactive(&list("inactive", "active")));
        assert!(!inactive(&list("active", "inactive")));
    }
}
