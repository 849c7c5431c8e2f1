//! The documentation: its pages, their links and code, and the index.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Component, Path, PathBuf},
};

use anyhow::{Context as _, Result};
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// The page that lists all others.
pub const INDEX: &str = "docs/README.md";
/// The page that a stranger sees first.
pub const FRONT: &str = "README.md";

/// A page in Markdown.
#[derive(Debug, Default)]
pub struct Page {
    /// Its first heading.
    pub title: String,
    /// The anchors of its headings.
    pub anchors: BTreeSet<String>,
    /// What it links to, in order.
    pub links: Vec<Link>,
    /// Its fenced blocks of code, in order.
    pub blocks: Vec<Block>,
}

/// A link.
#[derive(Debug)]
pub struct Link {
    /// As it is written.
    pub target: String,
    /// The heading of the second level above it, or nothing.
    pub section: String,
    /// Its line in the file.
    pub line: usize,
}

/// A fenced block of code.
#[derive(Debug)]
pub struct Block {
    /// What stands after the fence: `sh`, `ini`, …
    pub language: String,
    /// The code.
    pub code: String,
    /// The line of the fence.
    pub line: usize,
}

/// The pages by their paths in the repository.
#[derive(Debug)]
pub struct Book {
    root: PathBuf,
    /// The pages.
    pub pages: BTreeMap<PathBuf, Page>,
}

impl Book {
    /// Reads all pages of `docs`, and those that they link to.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn read(root: &Path) -> Result<Self> {
        let mut waiting: Vec<PathBuf> = vec![FRONT.into()];
        find(root, Path::new("docs"), &mut waiting)?;
        let mut pages = BTreeMap::new();
        while let Some(path) = waiting.pop() {
            if pages.contains_key(&path) {
                continue;
            }
            let text = fs::read_to_string(root.join(&path));
            let page = Page::parse(&text.with_context(|| format!("cannot read {path:?}"))?);
            let targets = page.links.iter().filter_map(|link| local(&path, &link.target));
            let is_page = |path: &PathBuf| is_markdown(path) && root.join(path).is_file();
            waiting.extend(targets.map(|(path, _)| path).filter(is_page));
            pages.insert(path, page);
        }
        Ok(Self { root: root.to_owned(), pages })
    }

    /// Links that lead nowhere, and pages that the index lacks; one line for each.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (path, page) in &self.pages {
            for link in &page.links {
                if let Some(reason) = self.problem(path, &link.target) {
                    let place = path.display();
                    problems.push(format!("{place}:{}: {}: {reason}", link.line, link.target));
                }
            }
        }
        let known = self.indexed();
        let missing = self.pages.keys().filter(|path| {
            path.starts_with("docs") && !known.contains(*path) && *path != Path::new(INDEX)
        });
        problems.extend(missing.map(|path| format!("{INDEX} does not list {}", path.display())));
        problems
    }

    fn problem(&self, page: &Path, target: &str) -> Option<&'static str> {
        if is_external(target) {
            return None;
        }
        let Some((path, anchor)) = local(page, target) else {
            return Some("leads out of the repository");
        };
        if !self.root.join(&path).is_file() {
            return Some("there is no such file");
        }
        match (self.pages.get(&path), anchor) {
            (_, None) => None,
            (None, Some(_)) => Some("only pages have anchors"),
            (Some(page), Some(anchor)) => {
                (!page.anchors.contains(anchor)).then_some("there is no such heading")
            }
        }
    }

    /// The headings of the index with the pages below each. A page in a folder below `docs` stands
    /// after the page that links to it.
    pub fn sections(&self) -> Vec<(String, Vec<PathBuf>)> {
        let mut sections: Vec<(String, Vec<PathBuf>)> = Vec::new();
        let mut seen = BTreeSet::from([PathBuf::from(INDEX), PathBuf::from(FRONT)]);
        for link in self.pages.get(Path::new(INDEX)).map_or(&[][..], |index| &index.links) {
            let page = local(Path::new(INDEX), &link.target).map(|(path, _)| path);
            let page = page.filter(|path| self.pages.contains_key(path) && !seen.contains(path));
            let Some(page) = page.filter(|_| !link.section.is_empty()) else { continue };
            if sections.last().is_none_or(|(title, _)| *title != link.section) {
                sections.push((link.section.clone(), Vec::new()));
            }
            if let Some((_, pages)) = sections.last_mut() {
                self.add(page, &mut seen, pages);
            }
        }
        sections
    }

    /// Adds a page, and then those of deeper folders of `docs` that it links to.
    fn add(&self, page: PathBuf, seen: &mut BTreeSet<PathBuf>, pages: &mut Vec<PathBuf>) {
        if !seen.insert(page.clone()) {
            return;
        }
        let links = self.pages.get(&page).map_or(&[][..], |page| &page.links);
        let below = links.iter().filter_map(|link| local(&page, &link.target));
        let below = below.map(|(path, _)| path).filter(|path| {
            let is_deeper = path.starts_with("docs") && path.parent() != Some(Path::new("docs"));
            is_deeper && self.pages.contains_key(path)
        });
        let below: Vec<PathBuf> = below.collect();
        pages.push(page);
        for page in below {
            self.add(page, seen, pages);
        }
    }

    fn indexed(&self) -> BTreeSet<PathBuf> {
        self.sections().into_iter().flat_map(|(_, pages)| pages).collect()
    }
}

impl Page {
    /// Reads a page.
    pub fn parse(text: &str) -> Self {
        let mut page = Self::default();
        let (mut heading, mut section) = (None::<String>, String::new());
        let mut block = None::<Block>;
        let line = |offset: usize| text[..offset].matches('\n').count() + 1;
        for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::Start(Tag::Link { dest_url, .. }) => page.links.push(Link {
                    target: dest_url.into_string(),
                    section: section.clone(),
                    line: line(range.start),
                }),
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                    let (language, line) = (language.into_string(), line(range.start));
                    block = Some(Block { language, code: String::new(), line });
                }
                Event::Text(text) | Event::Code(text) => {
                    if let Some(block) = &mut block {
                        block.code.push_str(&text);
                    } else if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                Event::End(TagEnd::CodeBlock) => page.blocks.extend(block.take()),
                Event::End(TagEnd::Heading(level)) => {
                    let title = heading.take().unwrap_or_default();
                    page.add_anchor(&title);
                    match level {
                        pulldown_cmark::HeadingLevel::H1 => page.title = title,
                        pulldown_cmark::HeadingLevel::H2 => section = title,
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        page
    }

    /// As GitHub and mdBook name headings.
    fn add_anchor(&mut self, title: &str) {
        let kept = |c: &char| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ');
        let name: String = title.chars().filter(kept).collect();
        let name = name.to_lowercase().replace(' ', "-");
        let numbered = (1..).map(|number| format!("{name}-{number}"));
        let mut names = [name.clone()].into_iter().chain(numbered);
        self.anchors.extend(names.find(|name| !self.anchors.contains(name)));
    }
}

/// Whether a link leads to another site, which is not checked.
pub fn is_external(target: &str) -> bool {
    ["https://", "http://", "mailto:"].iter().any(|scheme| target.starts_with(scheme))
}

/// The path in the repository, and the anchor, of a link in a page. `None` if it leads elsewhere.
pub fn local<'a>(page: &Path, target: &'a str) -> Option<(PathBuf, Option<&'a str>)> {
    if is_external(target) {
        return None;
    }
    let (path, anchor) = match target.split_once('#') {
        Some((path, anchor)) => (path, Some(anchor)),
        None => (target, None),
    };
    if path.is_empty() {
        return Some((page.to_owned(), anchor));
    }
    let mut found = page.parent()?.to_owned();
    for part in Path::new(path).components() {
        match part {
            Component::Normal(name) => found.push(name),
            Component::ParentDir => found.pop().then_some(())?,
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some((found, anchor))
}

fn is_markdown(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "md")
}

/// The pages in a folder and in those below it.
fn find(root: &Path, folder: &Path, pages: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            find(root, &path, pages)?;
        } else if is_markdown(&path) {
            pages.push(path);
        }
    }
    Ok(())
}
