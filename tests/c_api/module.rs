//! libakv as a file: what it exports and links.

use std::fs;

use akv_tests::{Task, elf, modules};
use anyhow::Result;

#[test]
fn it_exports_its_functions_under_a_version_and_links_no_openssl() -> Result<()> {
    let library = modules::folder()?.join("libakv.so");
    elf::stays_loaded_without_openssl(&library)?;
    let mut exported = elf::exports(&library)?;
    exported.sort();
    let map = fs::read_to_string(modules::workspace().join("ffi/libakv.map"))?;
    let names = map.lines().filter_map(|line| line.trim().strip_suffix(';'));
    let mut wanted: Vec<_> =
        names.filter(|n| n.starts_with("akv_")).map(|name| format!("{name}@@AKV_1")).collect();
    wanted.push("AKV_1".to_owned());
    wanted.sort();
    assert_eq!(exported, wanted);
    let dynamic = Task::new("readelf").args(["-d", "-W"]).arg(&library).ok()?.text();
    assert!(dynamic.contains("soname: [libakv.so.1]"), "{dynamic}");
    Ok(())
}
