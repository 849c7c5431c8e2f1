//! Parses a configuration file of OpenSSL, config(5), as libcrypto does.

use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path, PathBuf},
};

/// The section of the lines before the first heading.
const DEFAULT: &str = "default";

/// Maximum depth of includes, and maximum number of files, so that a mistake cannot loop.
const MAX_DEPTH: usize = 10;
const MAX_FILES: usize = 200;

/// The sections of a file and of those that it includes.
#[derive(Debug, Default)]
pub(crate) struct Configuration {
    sections: BTreeMap<String, Vec<(String, String)>>,
    /// Lines that libcrypto ignores, or at which it stops.
    pub(crate) mistakes: Vec<String>,
}

impl Configuration {
    /// Reads a file.
    ///
    /// # Errors
    /// The file cannot be read. An unreadable included file is only a mistake, as for libcrypto.
    pub(crate) fn read(file: &Path) -> io::Result<Self> {
        let text = fs::read(file)?;
        let mut reader = Reader::default();
        reader.read(&String::from_utf8_lossy(&text), file, 0);
        Ok(reader.configuration)
    }

    /// The lines of a section; `None` if there is no such section.
    pub(crate) fn section(&self, name: &str) -> Option<&[(String, String)]> {
        self.sections.get(name).map(Vec::as_slice)
    }

    /// The names of all sections.
    pub(crate) fn sections(&self) -> impl Iterator<Item = &str> {
        self.sections.keys().map(String::as_str)
    }

    /// A value of a section, otherwise of the default section.
    fn value(&self, section: &str, name: &str) -> Option<&str> {
        self.own(section, name).or_else(|| self.root(name))
    }

    /// A value of this section only. The last of several is used.
    pub(crate) fn own(&self, section: &str, name: &str) -> Option<&str> {
        self.section(section)?.iter().rev().find(|(known, _)| known == name).map(|(_, v)| &**v)
    }

    /// The value of a name before the first section, such as `openssl_conf`.
    pub(crate) fn root(&self, name: &str) -> Option<&str> {
        self.own(DEFAULT, name)
    }
}

/// A file being read.
#[derive(Default)]
struct Reader {
    configuration: Configuration,
    section: Option<String>,
    /// `.pragma includedir`
    folder: Option<PathBuf>,
    /// `.pragma dollarid`
    dollars: bool,
    files: usize,
}

impl Reader {
    fn read(&mut self, text: &str, file: &Path, depth: usize) {
        self.files += 1;
        if depth == 0 {
            self.configuration.sections.entry(DEFAULT.to_owned()).or_default();
        }
        let mut whole = String::new();
        for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = line.trim_end_matches('\r');
            // An escaped backslash at the end does not join lines.
            if line.ends_with('\\') && !line.ends_with("\\\\") {
                whole += &line[..line.len() - 1];
                continue;
            }
            whole += line;
            self.line(&std::mem::take(&mut whole), file, at + 1, depth);
        }
        self.line(&whole, file, text.lines().count(), depth);
    }

    fn mistake(&mut self, file: &Path, number: usize, what: &str) {
        let text = format!("line {number} of {}: {what}, so OpenSSL refuses it", file.display());
        self.configuration.mistakes.push(text);
    }

    fn line(&mut self, line: &str, file: &Path, number: usize, depth: usize) {
        let line = without_comment(line).trim();
        if line.is_empty() {
            return;
        }
        if let Some(rest) = line.strip_prefix('[') {
            match rest.split_once(']') {
                Some((name, _)) => {
                    let name = name.trim().to_owned();
                    self.configuration.sections.entry(name.clone()).or_default();
                    self.section = Some(name);
                }
                None => self.mistake(file, number, "the heading has no closing bracket"),
            }
            return;
        }
        if let Some(value) = directive(line, ".include") {
            return self.include(value, file, depth);
        }
        if let Some(value) = directive(line, ".pragma") {
            return self.pragma(value);
        }
        let Some((name, value)) = line.split_once('=') else {
            return self.mistake(file, number, "there is no equals sign");
        };
        let here = self.section.clone().unwrap_or_else(|| DEFAULT.to_owned());
        let (section, name) = match name.trim().split_once("::") {
            Some((section, name)) => (section.to_owned(), name),
            None => (here, name.trim()),
        };
        let value = self.expanded(value.trim(), &section);
        self.configuration.sections.entry(section).or_default().push((name.to_owned(), value));
    }

    fn pragma(&mut self, value: &str) {
        match value.split_once(':').map(|(name, value)| (name.trim(), value.trim())) {
            Some(("includedir", folder)) => self.folder = Some(folder.into()),
            Some(("dollarid", value)) => {
                self.dollars =
                    value.eq_ignore_ascii_case("on") || value.eq_ignore_ascii_case("true");
            }
            _ => {}
        }
    }

    /// Reads a file, or the `.cnf` and `.conf` files of a folder.
    fn include(&mut self, value: &str, file: &Path, depth: usize) {
        let section = self.section.clone().unwrap_or_else(|| DEFAULT.to_owned());
        let mut path = PathBuf::from(self.expanded(value, &section));
        let folder = env::var_os("OPENSSL_CONF_INCLUDE").map(PathBuf::from);
        if let Some(folder) = folder.or_else(|| self.folder.clone()) {
            path = folder.join(path);
        }
        let mut files = vec![path.clone()];
        if path.is_dir() {
            let entries = fs::read_dir(&path).into_iter().flatten().flatten();
            files = entries
                .map(|entry| entry.path())
                .filter(|path| path.extension().is_some_and(|e| e == "cnf" || e == "conf"))
                .collect();
            files.sort();
        }
        for path in files {
            if depth >= MAX_DEPTH || self.files >= MAX_FILES {
                let text = format!("{} includes too many files, or itself", file.display());
                return self.configuration.mistakes.push(text);
            }
            match fs::read(&path) {
                Ok(text) => self.read(&String::from_utf8_lossy(&text), &path, depth + 1),
                Err(error) => self.configuration.mistakes.push(format!(
                    "{} includes {}, which cannot be read ({error}) and which OpenSSL ignores",
                    file.display(),
                    path.display()
                )),
            }
        }
    }

    /// A value with quotes and escapes removed and variables expanded.
    fn expanded(&self, text: &str, section: &str) -> String {
        let mut value = String::new();
        let mut rest = text.chars();
        let mut quote = None;
        while let Some(c) = rest.next() {
            match c {
                '"' | '\'' | '`' if quote.is_none() => quote = Some(c),
                c if quote == Some(c) => quote = None,
                '\\' => value.extend(rest.next().map(|c| match c {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'b' => '\u{8}',
                    other => other,
                })),
                '$' if quote.is_none()
                    && (!self.dollars || rest.as_str().starts_with(['{', '('])) =>
                {
                    let (name, after) = variable(rest.as_str());
                    rest = after.chars();
                    value += &self.variable(name, section);
                }
                other => value.push(other),
            }
        }
        value
    }

    fn variable(&self, name: &str, section: &str) -> String {
        let value = match name.split_once("::") {
            Some(("ENV", name)) => return env::var(name).unwrap_or_default(),
            Some((section, name)) => self.configuration.value(section, name),
            None => self.configuration.value(section, name),
        };
        value.unwrap_or_default().to_owned()
    }
}

/// The value of a directive, with or without an equals sign.
fn directive<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(word).filter(|rest| rest.starts_with([' ', '\t', '=']))?;
    Some(rest.trim_start().trim_start_matches('=').trim())
}

/// A name after `$`, and what follows it.
fn variable(text: &str) -> (&str, &str) {
    for (open, close) in [('{', '}'), ('(', ')')] {
        if let Some(inner) = text.strip_prefix(open) {
            return inner.split_once(close).unwrap_or((inner, ""));
        }
    }
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'));
    text.split_at(end.unwrap_or(text.len()))
}

/// The line up to a `#` that is neither quoted nor escaped.
fn without_comment(line: &str) -> &str {
    let (mut quote, mut escaped) = (None, false);
    for (at, c) in line.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' | '\'' | '`' if quote.is_none() => quote = Some(c),
            c if quote == Some(c) => quote = None,
            '#' if quote.is_none() => return &line[..at],
            _ => {}
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Configuration {
        let mut reader = Reader::default();
        reader.read(text, Path::new("test.cnf"), 0);
        reader.configuration
    }

    #[test]
    fn the_documented_syntax_is_parsed() {
        let text = "\u{feff}# a comment\nopenssl_conf = init # and one more\nbase = /opt\n\
                    other::far = there\n[ init ]\nproviders=provs\\\n_long\r\n\
                    path = ${base}/lib$(base)/$base $other::far\n\
                    quoted = \"a # b\" 'c' \\# d\\\\\nempty =\nlast = 1\nlast = 2\n";
        let read = read(text);
        assert_eq!(read.mistakes, [""; 0]);
        assert_eq!(read.root("openssl_conf"), Some("init"));
        for (name, value) in [
            ("providers", "provs_long"),
            ("path", "/opt/lib/opt//opt there"),
            ("quoted", "a # b c # d\\"),
            ("empty", ""),
            ("last", "2"),
        ] {
            assert_eq!(read.own("init", name), Some(value), "{name}");
        }
        assert_eq!(read.value("init", "base"), Some("/opt"), "from the default section");
        assert_eq!(read.own("init", "base"), None);
        assert_eq!(read.section("other").map(<[_]>::len), Some(1));
    }

    #[test]
    fn includes_are_expanded_in_place() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("d")).unwrap();
        fs::write(at("d/b.cnf"), "two = 2\n[more]\nthree = 3\n").unwrap();
        fs::write(at("d/a.conf"), "one = 1\n").unwrap();
        fs::write(at("d/c.txt"), "no = 1\n").unwrap();
        let text = format!(
            ".pragma includedir:{}\n[x]\n.include d\nfour = 4\n.include = gone.cnf\n",
            folder.path().display()
        );
        fs::write(at("main.cnf"), text).unwrap();
        let read = Configuration::read(&at("main.cnf")).unwrap();
        assert_eq!((read.own("x", "one"), read.own("x", "two")), (Some("1"), Some("2")));
        assert_eq!((read.own("more", "three"), read.own("more", "four")), (Some("3"), Some("4")));
        assert!(!format!("{read:?}").contains("no\""), "{read:?}");
        assert!(read.mistakes[0].contains("gone.cnf"), "{:?}", read.mistakes);
    }

    #[test]
    fn mistakes_are_reported_and_recursion_ends() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("own.cnf");
        fs::write(&own, format!(".include {}\n[open\nno equals\n", own.display())).unwrap();
        let mistakes = Configuration::read(&own).unwrap().mistakes;
        for word in ["or itself", "no closing bracket", "no equals sign"] {
            assert!(mistakes.iter().any(|text| text.contains(word)), "{word}: {mistakes:?}");
        }
    }
}
