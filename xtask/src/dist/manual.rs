//! Man pages of sections 3 and 7, from the documentation.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};

use super::markdown;

/// A page, its section, and the file in `docs`.
const PAGES: [(&str, u8, &str); 3] =
    [("libakv", 3, "c.md"), ("akv_provider", 7, "provider.md"), ("e_akv", 7, "engine.md")];

/// Writes the pages into the folder of man pages.
pub(super) fn make(docs: &Path, manual: &Path) -> Result<()> {
    for (name, section, file) in PAGES {
        let text = fs::read_to_string(docs.join(file)).with_context(|| format!("no {file}"))?;
        let folder = manual.join(format!("man{section}"));
        fs::create_dir_all(&folder)?;
        let page = markdown::to_man(name, section, &text);
        fs::write(folder.join(format!("{name}.{section}")), page)?;
    }
    Ok(())
}
