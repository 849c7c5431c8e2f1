//! The recipes in `docs/recipes`: Markdown whose code is what the tests use.
//!
//! A block below a line such as `` `/etc/nginx/conf.d/akv.conf`: `` is that file. A block of `sh` holds
//! commands of the administrator. Blocks of `console` are for readers only. What stands above the
//! first heading of level two holds for all sections; each section is one way to name the key.

use std::fs;

use akv_tests::modules;
use anyhow::{Context as _, Result, ensure};

/// A piece of code, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A file: its path, with its mode if it is given, and its content.
    File { path: String, mode: Option<String>, content: String },
    /// Shell lines.
    Commands(String),
}

/// A recipe.
#[derive(Debug)]
pub(crate) struct Recipe {
    common: Vec<Step>,
    sections: Vec<(String, Vec<Step>)>,
}

impl Recipe {
    /// Reads `docs/recipes/NAME.md`.
    pub(crate) fn open(name: &str) -> Result<Self> {
        let path = modules::workspace().join(format!("docs/recipes/{name}.md"));
        let text = fs::read_to_string(&path).with_context(|| format!("no recipe {path:?}"))?;
        Self::parse(&text).with_context(|| format!("{path:?}"))
    }

    #[cfg(test)]
    /// The headings, which are ways to name the key.
    pub(crate) fn headings(&self) -> impl Iterator<Item = &str> {
        self.sections.iter().map(|(heading, _)| heading.as_str())
    }

    /// Everything for one way to name the key.
    pub(crate) fn steps(&self, heading: &str) -> Result<Vec<Step>> {
        let section = self.sections.iter().find(|(known, _)| known == heading);
        let (_, steps) = section.with_context(|| format!("no section {heading:?}"))?;
        Ok([&self.common[..], steps].concat())
    }

    fn parse(text: &str) -> Result<Self> {
        let mut recipe = Self { common: Vec::new(), sections: Vec::new() };
        let mut lines = text.lines();
        let mut before = "";
        while let Some(line) = lines.next() {
            if let Some(heading) = line.strip_prefix("## ") {
                recipe.sections.push((heading.to_owned(), Vec::new()));
            } else if let Some(language) = line.strip_prefix("```") {
                let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
                let content = block.join("\n") + "\n";
                let step = match (file(before), language) {
                    (Some((path, mode)), _) => Step::File { path, mode, content },
                    (None, "sh") => Step::Commands(content),
                    (None, "console") => continue,
                    (None, _) => {
                        anyhow::bail!("this block is neither a file nor commands:\n{content}")
                    }
                };
                let section = recipe.sections.last_mut();
                section.map_or(&mut recipe.common, |(_, steps)| steps).push(step);
            }
            if !line.is_empty() {
                before = line;
            }
        }
        ensure!(!recipe.sections.is_empty(), "no section");
        Ok(recipe)
    }
}

/// Parses `` `/etc/x.conf`: ``, with a comma and a remark before the colon. The remark `mode 755` is
/// the file's mode.
fn file(line: &str) -> Option<(String, Option<String>)> {
    let (path, rest) = line.strip_prefix('`')?.strip_suffix(':')?.split_once('`')?;
    let mode = rest.strip_prefix(", mode ").map(str::to_owned);
    let is_file = path.starts_with('/') && (rest.is_empty() || rest.starts_with(", "));
    is_file.then(|| (path.to_owned(), mode))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# nginx\n\n`/etc/a.conf`:\n\n```ini\nx = 1\n\ny = 2\n```\n\n## Key file\n\n\
         Run:\n\n```sh\ntrue\n```\n\n`/b`, mode 600:\n```\nb\n```\n\n```console\nnot run\n```\n\
         ## Engine\n";

    #[test]
    fn sections_have_the_common_steps_and_their_own() -> Result<()> {
        let recipe = Recipe::parse(TEXT)?;
        assert_eq!(recipe.headings().collect::<Vec<_>>(), ["Key file", "Engine"]);
        let file = |path: &str, mode: Option<&str>, content: &str| Step::File {
            path: path.into(),
            mode: mode.map(Into::into),
            content: content.into(),
        };
        let common = file("/etc/a.conf", None, "x = 1\n\ny = 2\n");
        assert_eq!(recipe.steps("Engine")?, std::slice::from_ref(&common));
        let own = [common, Step::Commands("true\n".into()), file("/b", Some("600"), "b\n")];
        assert_eq!(recipe.steps("Key file")?, own);
        assert!(recipe.steps("Store").is_err());
        Ok(())
    }

    #[test]
    fn code_without_a_place_is_refused() {
        assert!(Recipe::parse("## A\n```ini\nx = 1\n```\n").is_err());
        assert!(Recipe::parse("nothing\n").is_err());
    }
}
