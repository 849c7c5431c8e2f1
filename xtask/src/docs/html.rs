//! Links of the rendered site, where a renderer may have changed them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use akv_tests::docs::{is_external, local};
use anyhow::Result;

/// Links and references that lead nowhere, one line for each.
///
/// # Errors
/// The site cannot be read.
pub(super) fn problems(site: &Path) -> Result<Vec<String>> {
    let mut pages = BTreeMap::new();
    read(site, Path::new(""), &mut pages)?;
    let mut problems = Vec::new();
    for (path, text) in &pages {
        let targets = ["href=\"", "src=\""].iter().flat_map(|name| values(text, name));
        for target in targets.filter(|target| !is_external(target)) {
            let Some((to, anchor)) = local(path, target) else {
                problems.push(format!("{}: {target}: leads out of the site", path.display()));
                continue;
            };
            let is_there = site.join(&to).is_file();
            let anchors = pages.get(&to).map(|text| values(text, "id=\"").collect::<BTreeSet<_>>());
            let has_anchor = match (anchor, anchors) {
                (None | Some(""), _) => true,
                (Some(anchor), Some(anchors)) => anchors.contains(anchor),
                (Some(_), None) => false,
            };
            if !is_there || !has_anchor {
                problems.push(format!("{}: {target}: is not there", path.display()));
            }
        }
    }
    Ok(problems)
}

/// What attributes of one name are set to.
fn values<'a>(text: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    text.split(name).skip(1).filter_map(|rest| rest.split('"').next())
}

/// The pages of a folder and of those below it.
fn read(site: &Path, folder: &Path, pages: &mut BTreeMap<PathBuf, String>) -> Result<()> {
    for entry in fs::read_dir(site.join(folder))? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            read(site, &path, pages)?;
        } else if path.extension().is_some_and(|extension| extension == "html") {
            pages.insert(path, fs::read_to_string(entry.path())?);
        }
    }
    Ok(())
}
