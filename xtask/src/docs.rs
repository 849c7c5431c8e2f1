//! `cargo xtask docs`: the documentation as a site.

mod html;

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use akv_tests::docs::{Book, FRONT, INDEX, local};
use anyhow::{Context as _, Result, bail};
use clap::Args;
use xshell::{Shell, cmd};

use crate::{build::target_folder, tools::MDBOOK};

/// Arguments of `cargo xtask docs`.
#[derive(Args)]
pub(crate) struct Docs {
    /// Checks links and the index, without rendering.
    #[arg(long)]
    check: bool,
    /// The folder for the site; by default `site` in cargo's target folder.
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
}

/// Settings of mdBook. Examples in Rust need the project's crates, so none can be run on the site;
/// a page for wrong addresses would need the address of the site.
const CONFIGURATION: &str = "[book]\ntitle = \"akv\"\nlanguage = \"en\"\nsrc = \"src\"\n\
     [output.html]\nsmart-punctuation = false\ninput-404 = \"\"\n[output.html.playground]\nrunnable = false\n";

impl Docs {
    pub(crate) fn run(&self) -> Result<()> {
        let root = akv_tests::modules::workspace();
        let book = Book::read(root)?;
        refuse(&book.problems())?;
        println!("{} pages: their links and the index are right", book.pages.len());
        if self.check {
            return Ok(());
        }
        let shell = Shell::new()?;
        shell.change_dir(root);
        let target = target_folder(&shell)?;
        let output = self.output.clone().unwrap_or_else(|| target.join("site"));
        let work = tempfile::tempdir()?;
        stage(&book, root, work.path())?;
        let program = MDBOOK.program(&target)?;
        let source = work.path();
        let output = shell.current_dir().join(output);
        cmd!(shell, "{program} build {source} --dest-dir {output}")
            .quiet()
            .ignore_stderr()
            .run()?;
        refuse(&html::problems(&output)?)?;
        println!("{}", output.join("index.html").display());
        Ok(())
    }
}

fn refuse(problems: &[String]) -> Result<()> {
    if problems.is_empty() {
        return Ok(());
    }
    bail!("broken links or a page that is not listed:\n{}", problems.join("\n"))
}

/// Copies the pages and the files that they link to, each to its own place, so that links stay as
/// they are, except those to `README.md`: mdBook calls such a page `index`, but not in links.
fn stage(book: &Book, root: &Path, work: &Path) -> Result<()> {
    let mut files: BTreeSet<PathBuf> = book.pages.keys().cloned().collect();
    for (path, page) in &book.pages {
        let targets = page.links.iter().filter_map(|link| local(path, &link.target));
        files.extend(targets.map(|(path, _)| path));
    }
    let source = work.join("src");
    for file in files {
        let to = source.join(&file);
        fs::create_dir_all(to.parent().context("a folder")?)?;
        let explain = || format!("cannot copy {file:?}");
        if book.pages.contains_key(&file) {
            let text = fs::read_to_string(root.join(&file)).with_context(explain)?;
            fs::write(placed(&to), placed_links(&text))?;
        } else {
            fs::copy(root.join(&file), to).with_context(explain)?;
        }
    }
    fs::write(work.join("book.toml"), CONFIGURATION)?;
    Ok(fs::write(source.join("SUMMARY.md"), summary(book)?)?)
}

/// Where a page is staged.
fn placed(path: &Path) -> PathBuf {
    match path.ends_with("README.md") {
        true => path.with_file_name("index.md"),
        false => path.to_owned(),
    }
}

/// A page whose links lead to the places of pages.
fn placed_links(text: &str) -> String {
    let mut parts = text.split("](");
    let mut placed = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (target, rest) = part.split_at(part.find(')').unwrap_or(0));
        placed.extend(["](", &target.replace("README.md", "index.md"), rest]);
    }
    placed
}

/// The contents, as mdBook reads them: the sections of the index, then all other pages.
fn summary(book: &Book) -> Result<String> {
    let mut text = String::from("# Summary\n\n");
    let mut rest: BTreeSet<&Path> = book.pages.keys().map(PathBuf::as_path).collect();
    for page in [FRONT, INDEX].map(Path::new) {
        rest.remove(page);
        writeln!(text, "[{}]({})", title(book, page)?, placed(page).display())?;
    }
    for (section, pages) in book.sections() {
        write!(text, "\n# {section}\n\n")?;
        for page in &pages {
            rest.remove(page.as_path());
            writeln!(text, "- [{}]({})", title(book, page)?, placed(page).display())?;
        }
    }
    if !rest.is_empty() {
        text.push_str("\n# More\n\n");
        for page in rest {
            writeln!(text, "- [{}]({})", title(book, page)?, placed(page).display())?;
        }
    }
    Ok(text)
}

fn title<'a>(book: &'a Book, path: &Path) -> Result<&'a str> {
    let page = book.pages.get(path).with_context(|| format!("{path:?} is missing"))?;
    Ok(&page.title)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_readmes_lead_to_their_pages_and_text_stays() {
        let text = "[a](../README.md#x) `docs/README.md` [b](c.md) ](";
        assert_eq!(placed_links(text), "[a](../index.md#x) `docs/README.md` [b](c.md) ](");
    }

    #[test]
    fn contents_have_every_page_of_the_documentation_once() -> Result<()> {
        let book = Book::read(akv_tests::modules::workspace())?;
        let summary = summary(&book)?;
        for page in book.pages.keys() {
            let link = format!("]({})", placed(page).display());
            assert_eq!(summary.matches(&link).count(), 1, "{link} in\n{summary}");
        }
        Ok(())
    }
}
