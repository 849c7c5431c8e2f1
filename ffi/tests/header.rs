//! Checks that `include/akv.h` and `libakv.map` match the source.

use std::{collections::BTreeSet, env, fs, path::Path};

fn generated() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml");
    let bindings = cbindgen::generate_with_config(root, config).expect("a header");
    let mut header = Vec::new();
    bindings.write(&mut header);
    String::from_utf8(header).expect("text")
}

/// The names of the functions that a text declares.
fn functions(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '(');
    let declared = words.filter_map(|word| word.split_once('(')).map(|(name, _)| name);
    declared.filter(|name| name.starts_with("akv_")).map(str::to_owned).collect()
}

/// If `AKV_WRITE_HEADER` is set, writes the header first.
#[test]
fn the_header_is_that_of_the_source() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/akv.h");
    let header = generated();
    if env::var_os("AKV_WRITE_HEADER").is_some() {
        fs::write(&path, &header).expect("the header is written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == header,
        "ffi/include/akv.h is stale; run AKV_WRITE_HEADER=1 cargo test -p akv-ffi --test header"
    );
}

#[test]
fn the_library_exports_what_the_header_declares() {
    let map = include_str!("../libakv.map");
    let exported: BTreeSet<_> = map
        .lines()
        .filter_map(|line| line.trim().strip_suffix(';'))
        .filter(|name| name.starts_with("akv_"))
        .map(str::to_owned)
        .collect();
    let code =
        generated().lines().filter(|line| !line.starts_with(" *")).collect::<Vec<_>>().join("\n");
    let declared = functions(&code);
    assert!(declared.len() >= 25, "{declared:?}");
    assert_eq!(exported, declared);
}
