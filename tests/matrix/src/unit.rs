//! Units of systemd: enough of them to start a service as its package does.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result};

/// The section `[Service]` of a unit with its drop-ins.
#[derive(Debug, Default)]
pub(crate) struct Unit {
    /// The values of each key; lists have one entry per line.
    values: BTreeMap<String, Vec<String>>,
    /// Between `@` and `.service`.
    instance: String,
}

/// Where units are, the most specific first.
const FOLDERS: [&str; 3] = ["etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system"];

impl Unit {
    /// Reads `NAME.service` of the system in this folder.
    pub(crate) fn read(root: &Path, name: &str) -> Result<Self> {
        let (template, instance) = match name.split_once('@') {
            None => (name.to_owned(), ""),
            Some((before, rest)) => {
                let instance = rest.trim_end_matches(".service");
                (format!("{before}@.service"), instance)
            }
        };
        let text = |file: &str| fs::read_to_string(root.join(file));
        let main = FOLDERS.iter().find_map(|folder| text(&format!("{folder}/{template}")).ok());
        let mut unit = Self { instance: instance.to_owned(), ..Self::default() };
        unit.add(&main.with_context(|| format!("there is no unit {template}"))?);
        for folder in FOLDERS {
            let Ok(entries) = fs::read_dir(root.join(format!("{folder}/{template}.d"))) else {
                continue;
            };
            let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
            files.sort();
            for file in files {
                unit.add(&fs::read_to_string(&file)?);
            }
        }
        unit.expand_specifiers();
        Ok(unit)
    }

    fn add(&mut self, text: &str) {
        let mut section = "";
        let joined = text.replace("\\\n", " ");
        for line in joined.lines().map(str::trim) {
            if line.starts_with('[') {
                section = line;
            } else if let Some((key, value)) = line.split_once('=')
                && section == "[Service]"
                && !line.starts_with(['#', ';'])
            {
                let values = self.values.entry(key.trim().to_owned()).or_default();
                match value.trim() {
                    "" => values.clear(),
                    value => values.push(value.to_owned()),
                }
            }
        }
    }

    fn expand_specifiers(&mut self) {
        let dashed = self.instance.replace('-', "/");
        for value in self.values.values_mut().flatten() {
            *value = value
                .replace("%i", &self.instance)
                .replace("%I", &dashed)
                .replace("%t", "/run")
                .replace("%%", "%");
        }
    }

    /// All values of a key.
    pub(crate) fn all(&self, key: &str) -> &[String] {
        self.values.get(key).map_or(&[], Vec::as_slice)
    }

    /// The last value of a key.
    pub(crate) fn last(&self, key: &str) -> Option<&str> {
        self.all(key).last().map(String::as_str)
    }

    /// The variables of `Environment` and `EnvironmentFile`.
    pub(crate) fn environment(&self, root: &Path) -> Result<Vec<(String, String)>> {
        let mut variables = Vec::new();
        for line in self.all("Environment") {
            let words = split(line, &[]);
            variables.extend(words.iter().filter_map(|word| pair(word)));
        }
        for file in self.all("EnvironmentFile") {
            let (optional, path) = match file.strip_prefix('-') {
                Some(path) => (true, path),
                None => (false, file.as_str()),
            };
            let text = match fs::read_to_string(root.join(path.trim_start_matches('/'))) {
                Err(_) if optional => continue,
                text => text.with_context(|| format!("EnvironmentFile={path}"))?,
            };
            let lines = text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';']));
            let unquoted = |(name, value): (String, String)| {
                (name, value.trim().trim_matches(['"', '\'']).to_owned())
            };
            variables.extend(lines.filter_map(pair).map(unquoted));
        }
        Ok(variables)
    }
}

fn pair(word: &str) -> Option<(String, String)> {
    let (name, value) = word.split_once('=')?;
    Some((name.to_owned(), value.to_owned()))
}

/// A command of a unit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CommandLine {
    /// Whether its failure is ignored (`-`).
    pub(crate) may_fail: bool,
    /// Whether it keeps root although the unit has a user (`+`, `!`).
    pub(crate) privileged: bool,
    pub(crate) words: Vec<String>,
}

impl CommandLine {
    pub(crate) fn parse(line: &str, variables: &[(String, String)]) -> Self {
        let start = line.find(|c| !"-@+!:".contains(c)).unwrap_or(line.len());
        let (marks, line) = line.split_at(start);
        let mut words = split(line, variables);
        if marks.contains('@') && words.len() > 1 {
            // The second word is the program's own name.
            words.remove(1);
        }
        Self { may_fail: marks.contains('-'), privileged: marks.contains(['+', '!']), words }
    }
}

/// Splits a line as systemd does: quotes group, `$NAME` as a word of its own is split again, and
/// `${NAME}` is not.
fn split(line: &str, variables: &[(String, String)]) -> Vec<String> {
    let value = |name: &str| {
        let found = variables.iter().rev().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let (word, quoted, after) = word(rest);
        rest = after.trim_start();
        match word.strip_prefix('$') {
            Some(name) if !quoted && !name.starts_with('{') => {
                words.extend(split(value(name), &[]));
            }
            _ => {
                let expand = |text: String, (name, value): &(String, String)| {
                    text.replace(&format!("${{{name}}}"), value)
                };
                words.push(variables.iter().fold(word, expand));
            }
        }
    }
    words
}

/// The first word of a text, whether it was quoted, and what follows it.
fn word(text: &str) -> (String, bool, &str) {
    let (mut word, mut quoted, mut open) = (String::new(), false, None);
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match (c, open) {
            ('\\', _) => word.extend(chars.next().map(|(_, c)| c)),
            (c, Some(quote)) if c == quote => open = None,
            (c, Some(_)) => word.push(c),
            ('"' | '\'', None) => (quoted, open) = (true, Some(c)),
            (c, None) if c.is_whitespace() => return (word, quoted, &text[at..]),
            (c, None) => word.push(c),
        }
    }
    (word, quoted, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(text: &str) -> Unit {
        let mut unit = Unit { instance: "17-main".into(), ..Unit::default() };
        unit.add(text);
        unit.expand_specifiers();
        unit
    }

    #[test]
    fn empty_values_reset_lists() {
        let unit =
            unit("[Unit]\nExecStart=no\n[Service]\nExecStart=a\nExecStart=\nExecStart=b %i %I");
        assert_eq!(unit.all("ExecStart"), ["b 17-main 17/main"]);
        assert_eq!(unit.last("User"), None);
    }

    #[test]
    fn command_lines_are_split_as_systemd_splits_them() {
        let variables =
            [("OPTIONS", "-a -b"), ("ONE", "x y")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        let line = CommandLine::parse("-/bin/x -g 'a b; c' $OPTIONS --y=${ONE} $NONE", &variables);
        assert!(line.may_fail && !line.privileged);
        assert_eq!(line.words, ["/bin/x", "-g", "a b; c", "-a", "-b", "--y=x y"]);
        let line = CommandLine::parse("+@/bin/x other arg", &[]);
        assert!(line.privileged);
        assert_eq!(line.words, ["/bin/x", "arg"]);
    }

    #[test]
    fn variables_may_be_quoted() -> Result<()> {
        let unit = unit("[Service]\nEnvironment=\"A=b c\" D=e\nEnvironmentFile=-/nonexistent");
        let found = unit.environment(Path::new("/"))?;
        let expected = [("A", "b c"), ("D", "e")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!(found, expected);
        Ok(())
    }
}
