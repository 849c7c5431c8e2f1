//! Checks of module files: what they link and export.

use std::path::Path;

use anyhow::{Result, ensure};

use crate::process::Task;

/// Checks that a module links no OpenSSL and is never unloaded, since its threads outlive `dlclose`.
///
/// # Errors
/// The module does not meet this.
pub fn stays_loaded_without_openssl(module: &Path) -> Result<()> {
    let dynamic = Task::new("readelf").args(["-d", "-W"]).arg(module).ok()?.text();
    let needed: Vec<&str> = dynamic.lines().filter(|line| line.contains("(NEEDED)")).collect();
    ensure!(!needed.is_empty(), "{dynamic}");
    for library in needed {
        ensure!(!library.contains("libcrypto") && !library.contains("libssl"), "{library}");
    }
    ensure!(dynamic.contains("NODELETE"), "threads outlive dlclose: {dynamic}");
    Ok(())
}

/// The names that a module exports.
///
/// # Errors
/// `readelf` fails.
pub fn exports(module: &Path) -> Result<Vec<String>> {
    let symbols = Task::new("readelf").args(["--dyn-syms", "-W"]).arg(module).ok()?.text();
    let exported = symbols.lines().filter_map(|line| {
        // Number, value, size, type, binding, visibility, section, name.
        let fields: Vec<&str> = line.split_whitespace().collect();
        match fields[..] {
            [_, _, _, "FUNC" | "OBJECT" | "NOTYPE" | "TLS", _, _, section, name, ..]
                if section != "UND" =>
            {
                Some(name.to_owned())
            }
            _ => None,
        }
    });
    Ok(exported.collect())
}
