//! Checks how OpenSSL's configuration loads the modules, and reads their settings.

use std::path::{Path, PathBuf};

use akv_core::settings::OPTIONS;

use crate::{modules, openssl_conf::Configuration};

/// Names in a module's section that libcrypto reads itself, and that are not settings.
const OF_PROVIDERS: [&str; 4] = ["module", "activate", "identity", "soft_load"];
const OF_ENGINES: [&str; 9] = [
    "dynamic_path",
    "engine_id",
    "default_algorithms",
    "init",
    "soft_load",
    "SO_PATH",
    "ID",
    "LIST_ADD",
    "LOAD",
];

/// A configuration file, and the name by which a program looks up its part.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) file: PathBuf,
    /// `openssl_conf`, or `nodejs_conf`.
    pub(super) root: String,
    /// `OPENSSL_CONF` names the file.
    pub(super) from_environment: bool,
}

/// The part of a configuration that concerns the modules.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// It loads the provider.
    pub(super) provider: bool,
    /// It loads the engine.
    pub(super) engine: bool,
    /// Names and values of settings in the module's section.
    pub(super) settings: Vec<(&'static str, String)>,
    /// Absolute paths of the modules that it names.
    pub(super) modules: Vec<PathBuf>,
    /// Why it does not load a module that it mentions, and advice.
    pub(super) broken: Option<(String, String)>,
    /// Notes for the user.
    pub(super) notes: Vec<String>,
}

impl Found {
    /// Whether it loads one of the modules, as far as the file shows.
    pub(super) fn loads(&self) -> bool {
        self.provider || self.engine
    }
}

/// Examines `configuration` as a program does that looks up `place.root`.
pub(super) fn examine(configuration: &Configuration, place: &Place) -> Found {
    let mut found = Found { notes: configuration.mistakes.clone(), ..Found::default() };
    let root = configuration.root(&place.root);
    let section = root.filter(|name| configuration.section(name).is_some());
    let part = |name: &str| section.and_then(|section| configuration.own(section, name));
    let mut listed = Vec::new();
    for (name, engine) in [("providers", false), ("engines", true)] {
        let Some(list) = part(name) else { continue };
        match configuration.section(list) {
            Some(lines) => {
                for (label, section) in lines {
                    listed.push(section.clone());
                    found.entry(configuration, label, section, engine);
                }
            }
            None => {
                found.notes.push(format!("{name} = {list} names a section that does not exist"))
            }
        }
    }
    if found.provider {
        found.check_default(configuration, part("providers").unwrap_or_default());
    }
    if !found.loads() && found.broken.is_none() {
        found.broken = unreached(configuration, place, root, &listed);
    }
    found
}

impl Found {
    /// One line of the list of providers or engines.
    fn entry(&mut self, configuration: &Configuration, label: &str, section: &str, engine: bool) {
        let own = |name| configuration.own(section, name);
        let name = own(if engine { "engine_id" } else { "identity" });
        let name = name.unwrap_or_else(|| label.rsplit('.').next().unwrap_or(label));
        let file = own(if engine { "dynamic_path" } else { "module" });
        let of_ours = |text: &str| text.contains(stem(engine));
        if !file.is_some_and(of_ours) && name != stem(engine) {
            return;
        }
        if configuration.section(section).is_none() {
            self.broken = Some((
                format!("{label} = {section} names a section that does not exist"),
                format!("write the section [{section}], as `akv config` does"),
            ));
            return;
        }
        if !engine && !own("activate").is_some_and(is_true) {
            self.broken = Some((
                format!("section [{section}] does not activate the provider"),
                format!("add `activate = 1` to [{section}]"),
            ));
            return;
        }
        self.modules.extend(file.map(PathBuf::from));
        self.settings(configuration.section(section).unwrap_or_default(), section, engine);
        match engine {
            true => self.engine = true,
            false => self.provider = true,
        }
    }

    fn settings(&mut self, lines: &[(String, String)], section: &str, engine: bool) {
        let others: &[&str] = if engine { &OF_ENGINES } else { &OF_PROVIDERS };
        for (name, value) in lines.iter().filter(|(name, _)| !others.contains(&&**name)) {
            let known = OPTIONS.iter().find(|option| match engine {
                true => option.name.replace('-', "_").eq_ignore_ascii_case(name),
                false => option.name == name,
            });
            match known {
                Some(option) => self.settings.push((option.name, value.clone())),
                None if engine && name == "debug" => {}
                None => self.notes.push(format!("[{section}] sets {name}, which is not a setting")),
            }
        }
    }

    /// A configuration that activates any provider must also activate the default ones.
    fn check_default(&mut self, configuration: &Configuration, list: &str) {
        let lines = configuration.section(list).unwrap_or_default();
        let others = lines.iter().any(|(label, section)| {
            ["default", "fips", "base"].contains(&label.as_str())
                && configuration.own(section, "activate").is_some_and(is_true)
        });
        if !others {
            self.notes.push(format!(
                "[{list}] activates no other provider, so programs can use only vault keys: add \
                 `default = default_section` with `activate = 1`"
            ));
        }
    }
}

/// Why the program does not reach a section that would load a module, if there is one.
fn unreached(
    configuration: &Configuration,
    place: &Place,
    root: Option<&str>,
    listed: &[String],
) -> Option<(String, String)> {
    let (section, engine) = configuration.sections().find_map(|section| {
        let own =
            |name, engine| configuration.own(section, name)?.contains(stem(engine)).then_some(());
        if own("module", false).is_some() {
            Some((section, false))
        } else {
            own("dynamic_path", true).map(|()| (section, true))
        }
    })?;
    let list = if engine { "engines" } else { "providers" };
    let Place { root: name, .. } = place;
    let Some(root) = root else {
        return Some((
            format!("no line `{name} = …` before the first section leads to section [{section}]"),
            match name.as_str() {
                "openssl_conf" => {
                    "write `openssl_conf = openssl_init` as the file's first line, and \
                                   the section [openssl_init], as `akv config` does"
                        .to_owned()
                }
                _ => format!(
                    "write `{name} = openssl_init` as the file's first line; Node.js reads this \
                     name, or openssl_conf with --openssl-shared-config"
                ),
            },
        ));
    };
    if configuration.section(root).is_none() {
        return Some((
            format!("{name} = {root} names a section that does not exist"),
            format!("write the section [{root}] with `{list} = …`"),
        ));
    }
    match configuration.own(root, list) {
        None => Some((
            format!("section [{root}] has no line `{list} = …`, so [{section}] is not found"),
            format!("add `{list} = {list}_section` to [{root}], and list [{section}] there"),
        )),
        Some(list) if !listed.iter().any(|other| other == section) => Some((
            format!("section [{section}] is not listed in [{list}]"),
            format!("add `{} = {section}` to [{list}]", stem(engine)),
        )),
        Some(_) => None,
    }
}

/// The name of a module, without its extension.
fn stem(engine: bool) -> &'static str {
    modules::name(engine).trim_end_matches(".so")
}

/// How libcrypto parses `activate` from 3.2 on; before that, any value counts as true.
fn is_true(value: &str) -> bool {
    ["1", "yes", "true", "on"].iter().any(|word| value.eq_ignore_ascii_case(word))
}

/// The file that programs read if they are linked with the OpenSSL of this folder.
pub(super) fn place(folder: Option<&Path>, root: &str) -> Option<Place> {
    let named = std::env::var_os("OPENSSL_CONF").filter(|name| !name.is_empty());
    let from_environment = named.is_some();
    let file = named.map(PathBuf::from).or_else(|| Some(folder?.join("openssl.cnf")))?;
    Some(Place { file, root: root.to_owned(), from_environment })
}
