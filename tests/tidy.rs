//! What a reviewer would check: dependency directions, where `unsafe` is, what libraries print.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use akv_tests::{Task, modules};
use anyhow::{Context as _, Result};

/// Runs `cargo tree`, over normal and build dependencies, and returns the names in it.
fn tree(arguments: &[&str]) -> Result<BTreeSet<String>> {
    let mut task = Task::new(modules::cargo()).dir(modules::workspace());
    for name in ["CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"] {
        if let Some(value) = std::env::var_os(name) {
            task = task.env(name, value);
        }
    }
    let options = ["tree", "--locked", "--edges", "normal,build", "--prefix", "none"];
    let printed = task.args(options).args(arguments).ok()?.text();
    let names = printed.lines().filter_map(|line| line.split_whitespace().next());
    Ok(names.map(str::to_owned).collect())
}

#[test]
fn dependencies_go_in_the_permitted_directions() -> Result<()> {
    // An empty tree would satisfy everything below.
    assert!(tree(&["--package", "provider-shim"])?.contains("akv-core"));
    for (package, forbidden) in [
        ("akv-core", ["ossl-abi", "akv-emulator", "akv-tests", "xtask"].as_slice()),
        ("ossl-abi", &["akv-core", "akv-emulator"]),
        ("akv-emulator", &["akv-core", "ossl-abi"]),
        ("akv-tests", &["akv-core", "ossl-abi"]),
        ("provider-shim", &["akv-emulator", "akv-tests", "xtask"]),
        ("engine-shim", &["akv-emulator", "akv-tests", "provider-shim", "xtask"]),
    ] {
        let tree = tree(&["--package", package])?;
        for name in forbidden {
            assert!(!tree.contains(*name), "{package} must not depend on {name}");
        }
    }
    for shim in ["engine-shim", "provider-shim"] {
        let users = tree(&["--workspace", "--invert", shim])?;
        assert_eq!(users, BTreeSet::from([shim.to_owned()]), "nothing uses a shim");
    }
    Ok(())
}

#[test]
fn nothing_that_is_shipped_brings_openssl() -> Result<()> {
    for package in ["akv-core", "akv-emulator", "engine-shim", "ossl-abi", "provider-shim"] {
        let tree = tree(&["--package", package])?;
        for name in ["openssl", "openssl-sys", "openssl-src", "native-tls", "ring"] {
            assert!(!tree.contains(name), "{package} brings {name}");
        }
    }
    Ok(())
}

/// The fuzz targets have a workspace, and so a lock file, of their own.
#[test]
fn fuzz_targets_have_what_the_crates_depend_on() -> Result<()> {
    let lock = fs::read_to_string(modules::workspace().join("tests/fuzz/Cargo.lock"))?;
    for (package, there) in [("akv-core", "akv-core"), ("provider-shim", "akv-provider-rlib")] {
        let start = lock.find(&format!("name = \"{there}\"")).context("the package")?;
        let block = lock[start..].split("\n\n").next().unwrap_or_default();
        for name in tree(&["--package", package, "--depth", "1"])? {
            let known = [format!("\"{name}\""), format!("\"{name} ")];
            assert!(
                name == package || known.iter().any(|known| block.contains(known.as_str())),
                "tests/fuzz lacks {name}, on which {package} depends"
            );
        }
    }
    Ok(())
}

/// The Rust files under the folders of the workspace, with their text.
fn sources(folders: &[&str]) -> Result<Vec<(PathBuf, String)>> {
    let mut files = Vec::new();
    let mut waiting: Vec<PathBuf> =
        folders.iter().map(|folder| modules::workspace().join(folder)).collect();
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("{}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path)?;
                files.push((path, text));
            }
        }
    }
    assert!(!files.is_empty());
    Ok(files)
}

const LIBRARIES: [&str; 5] = [
    "crates/akv-core/src",
    "crates/akv-emulator/src",
    "crates/ossl-abi/src",
    "engine-shim/src",
    "provider-shim/src",
];

#[test]
fn libraries_print_nothing() -> Result<()> {
    for (path, text) in sources(&LIBRARIES)? {
        for line in text.lines().map(str::trim_start).filter(|line| !line.starts_with("//")) {
            for macro_name in ["println!(", "print!(", "dbg!("] {
                assert!(!line.contains(macro_name), "{}: {line}", path.display());
            }
        }
    }
    Ok(())
}

#[test]
fn unsafe_code_is_in_the_abi_only() -> Result<()> {
    let safe = ["crates/akv-emulator/src", "crates/akv-core/src", "tests/src", "xtask/src"];
    for (path, text) in sources(&safe)? {
        for line in text.lines().map(str::trim_start).filter(|line| !line.starts_with("//")) {
            let found = ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern"];
            assert!(!found.iter().any(|word| line.contains(word)), "{}: {line}", path.display());
        }
    }
    Ok(())
}

#[test]
fn no_file_names_the_machine_it_was_made_on() -> Result<()> {
    let root = modules::workspace();
    let listed = Task::new("git").dir(root).args(["ls-files", "-z"]).ok()?.text();
    let home = std::env::var("HOME").unwrap_or_default();
    // A folder such as `/` or `/root` would be found in honest texts.
    let places: Vec<String> = [root.display().to_string(), home]
        .into_iter()
        .filter(|place| Path::new(place).components().count() > 2)
        .collect();
    assert!(!listed.is_empty());
    for file in listed.split_terminator('\0') {
        let Ok(text) = fs::read_to_string(root.join(file)) else { continue };
        for place in &places {
            assert!(!text.contains(place.as_str()), "{file} names {place}");
        }
    }
    Ok(())
}
