//! The tests of this package are found by their paths.

use std::fs;

use akv_tests::modules;
use anyhow::{Context as _, Result};

/// The names and paths of the targets in `tests/Cargo.toml`.
fn targets() -> Result<Vec<(String, String)>> {
    let manifest = fs::read_to_string(modules::workspace().join("tests/Cargo.toml"))?;
    let value = |block: &str, key: &str| -> Result<String> {
        let line = block.lines().find_map(|line| line.strip_prefix(key));
        let quoted = line.and_then(|line| line.split('"').nth(1));
        Ok(quoted.with_context(|| format!("no {key} in {block}"))?.to_owned())
    };
    let blocks = manifest.split("[[test]]\n").skip(1);
    blocks.map(|block| Ok((value(block, "name = ")?, value(block, "path = ")?))).collect()
}

#[test]
fn targets_have_the_names_of_their_paths_and_a_line_in_the_documentation() -> Result<()> {
    let text = fs::read_to_string(modules::workspace().join("docs/testing.md"))?;
    let targets = targets()?;
    assert!(targets.len() > 10, "{targets:?}");
    for (name, path) in targets {
        let file = path.strip_suffix(".rs").context("a Rust file")?;
        let folder = file.strip_suffix("/main").unwrap_or(file);
        assert_eq!(name, folder.replace('/', "_"), "{path}");
        let command = match name.as_str() {
            "hosts_debian11" => "`cargo xtask hosts --debian11` |".to_owned(),
            "hosts_aws_lc" => "`cargo xtask hosts --aws-lc` |".to_owned(),
            _ => format!("`cargo test -p akv-tests --test {name}` |"),
        };
        let is_there = text.contains(&command);
        assert!(is_there, "docs/testing.md lacks {command}");
    }
    Ok(())
}
