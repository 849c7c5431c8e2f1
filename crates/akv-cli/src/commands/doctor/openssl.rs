//! OpenSSL: its versions, the modules, and whether it loads them.

use super::{
    configuration::{self, Found},
    program::{Said, in_path, run},
    report::{Cause, Check, Report},
};
use crate::{modules, openssl_conf::Configuration};
use serde_json::json;
use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// What programs make of a module that is not there, wherever it is lost.
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

/// A program and, where it can be run, what it is.
pub(super) type Asked = (PathBuf, Result<OpenSsl, String>);

/// Asks the programs that are given or in `PATH`.
pub(super) async fn programs(given: &[PathBuf]) -> Vec<Asked> {
    let programs = match given {
        [] => in_path("openssl"),
        given => given.to_vec(),
    };
    let mut asked = Vec::new();
    for program in programs {
        let found = OpenSsl::ask(&program).await;
        asked.push((program, found));
    }
    asked
}

/// The settings of the module in the first configuration that loads it, and the file.
pub(super) fn configured(
    programs: &[Asked],
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

/// Looks at the programs.
pub(super) async fn examine(
    report: &mut Report,
    programs: &[Asked],
    folders: &[PathBuf],
    root: &str,
) -> io::Result<()> {
    if programs.is_empty() {
        let text = "no openssl program in PATH; programs may still have its library";
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
    async fn ask(program: &Path) -> Result<Self, String> {
        let said = run(program, &["version", "-a"], Some(Path::new("/dev/null"))).await?;
        let version = said.stdout.split_whitespace().nth(1);
        let version = version.filter(|_| said.success).ok_or_else(|| said.stderr.clone())?;
        let folder = |name: &str| {
            let line = said.stdout.lines().find_map(|line| line.strip_prefix(name))?;
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

    /// Whether the module is there, and loads.
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
            // One of the two is enough, and the provider is the one for OpenSSL 3.
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
        let told = match loaded {
            Ok(said) if said.success => {
                let text = format!("{path} loads");
                return report.add(Check::good(check, text).fact("file", json!(module)));
            }
            Ok(said) => reason(&said),
            Err(error) => error,
        };
        let text = format!("{path} does not load in OpenSSL {}: {told}", self.version);
        let advice = "a module needs the C library of the machine that it was built on, or a later \
                      one, and must be readable; build or install it for this system";
        let cause = Cause::new("openssl-module", text.clone(), advice);
        report.add(Check::bad(check, text, cause))
    }

    async fn load(&self, module: &Path, engine: bool) -> Result<Said, String> {
        let nothing = Some(Path::new("/dev/null"));
        let file = module.display().to_string();
        if engine {
            let path = format!("SO_PATH:{file}");
            let arguments = ["engine", "-t", "-pre", &path, "-pre", "LOAD", "dynamic"];
            let mut said = run(&self.program, &arguments, nothing).await?;
            said.success &= available(&said);
            return Ok(said);
        }
        let folder = module.parent().unwrap_or(Path::new(".")).display().to_string();
        let arguments =
            ["list", "-providers", "-provider-path", &folder, "-provider", "akv_provider"];
        let mut said = run(&self.program, &arguments, nothing).await?;
        said.success &= said.stdout.contains("akv_provider");
        Ok(said)
    }

    /// Whether the configuration that programs use loads a module.
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
                    let text = format!("{path} names the module {missing}, which is not there");
                    let advice = "install the module there, or correct the path";
                    let cause = Cause::new("openssl-module", format!("{text}; {SYMPTOM}"), advice);
                    Check::bad("config", text, cause)
                }
                None => self.examine_loading(&path, &configuration, root, found).await,
            },
        };
        report.add(check.lines(found.notes))
    }

    /// Where OpenSSL looks for this module of a configuration, if nothing is there.
    fn missing(&self, module: &Path) -> Option<PathBuf> {
        let named = std::env::var_os("OPENSSL_MODULES").map(PathBuf::from);
        let folder = named.or_else(|| self.modules.clone());
        // Without a folder it is the dynamic linker that looks.
        let file = match folder {
            Some(folder) => folder.join(module),
            None => module.to_owned(),
        };
        (file.is_absolute() && !file.is_file()).then_some(file)
    }

    /// Has the program load what a configuration names.
    async fn examine_loading(
        &self,
        path: &str,
        configuration: &Configuration,
        root: &str,
        found: &Found,
    ) -> Check {
        let engine = !(found.provider && self.has_providers());
        if engine && !self.has_engines() {
            let text = format!("{path} names the engine, which OpenSSL {} lacks", self.version);
            let advice = "`akv config` writes a configuration that loads the provider".to_owned();
            return Check::note("config", text).line(advice);
        }
        // The program looks up `openssl_conf`, whatever others look up.
        let stand_in = match renamed(path, configuration, root) {
            Ok(stand_in) => stand_in,
            Err(error) => return Check::note("config", format!("{path} was not tried: {error}")),
        };
        let file = stand_in.as_ref().map(tempfile::NamedTempFile::path);
        let (name, told) = match engine {
            false => ("provider", self.load_provider(file).await),
            true => ("engine", self.load_engine(file).await),
        };
        match told {
            Ok(()) => Check::good("config", format!("{path} loads the {name}")),
            Err(told) => unusable(path, name, &told),
        }
    }

    async fn load_provider(&self, file: Option<&Path>) -> Result<(), String> {
        let said = run(&self.program, &["list", "-providers"], file).await?;
        if !said.success || !said.stdout.contains("akv_provider") {
            return Err(reason(&said));
        }
        if !inactive(&said.stdout) {
            return Ok(());
        }
        // It loads, for the sake of what else is in the configuration, and refuses all keys.
        let key = ["storeutl", "-noout", "vault:doctor:doctor"];
        Err(reason(&run(&self.program, &key, file).await?))
    }

    async fn load_engine(&self, file: Option<&Path>) -> Result<(), String> {
        if available(&run(&self.program, &["engine", "-t", "e_akv"], file).await?) {
            return Ok(());
        }
        // The engine tells why when a key is wanted; nothing is sent before it works.
        let key = ["-engine", "e_akv", "-inform", "engine", "-in", "vault:doctor:doctor"];
        Err(reason(&run(&self.program, &[&["pkey", "-noout"][..], &key].concat(), file).await?))
    }
}

/// The same configuration for the `openssl` program, if it is not meant for it.
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

/// A configuration that names a module which does not work with it.
fn unusable(path: &str, module: &str, told: &str) -> Check {
    let text = format!("{path} names the {module}, and OpenSSL cannot use it: {told}");
    let advice = "correct the setting, or compare the file with what `akv config` writes";
    let cause = Cause::new("openssl-config", format!("{text}; {SYMPTOM}"), advice);
    Check::bad("config", text, cause)
}

/// Whether `openssl engine -t` found our engine in working order.
fn available(said: &Said) -> bool {
    said.stdout.contains("(e_akv)") && said.stdout.contains("[ available ]")
}

/// The first line of what a program complained of.
fn reason(said: &Said) -> String {
    let lines = || said.stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    let ours = |line: &&str| line.contains(":akv_provider:") || line.contains(":e_akv:");
    let telling = |line: &&str| line.contains("error") || line.contains("akv");
    let line = lines().find(ours).or_else(|| lines().find(telling)).or_else(|| lines().next());
    line.unwrap_or("it does not say why").to_owned()
}

/// Whether `openssl list -providers` says that our provider is not active: a setting that makes no
/// sense leaves it so.
fn inactive(list: &str) -> bool {
    let mut lines = list.lines().skip_while(|line| line.trim() != "akv_provider").skip(1);
    let own = lines.by_ref().take_while(|line| line.starts_with("    "));
    own.into_iter().any(|line| line.trim() == "status: inactive")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_status_counts() {
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
