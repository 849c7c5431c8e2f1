//! `libakv.so`, linked from the static library: rustc cannot give symbols a version, and its own
//! version script does not allow a second one.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use tempfile::TempDir;
use xshell::Cmd;

use super::audit::Audit;

/// The cargo package.
pub(super) const PACKAGE: &str = "akv-ffi";

/// The name with which programs are linked.
pub(super) const NAME: &str = "libakv.so";

/// The name that programs load at run time; the number is that of the binary interface.
const SONAME: &str = "libakv.so.1";

/// The files to install, with their names.
pub(super) struct Library {
    pub(super) files: Vec<(PathBuf, &'static str)>,
    _folder: TempDir,
}

/// Links the library from the parts in this folder, and writes the files that belong to it.
pub(super) fn make(
    linker: Cmd<'_>,
    parts: &Path,
    release: bool,
    audit: Option<&Audit>,
) -> Result<Library> {
    let source = akv_tests::modules::workspace().join("ffi");
    let archive = parts.join("libakv_ffi.a");
    let folder = tempfile::tempdir()?;
    let shared = folder.path().join(NAME);
    let mut linker = linker.args(["-shared", "-pthread", "-o"]).arg(&shared);
    linker = linker.arg(format!("-Wl,-soname,{SONAME}"));
    linker = linker.arg(format!("-Wl,--version-script={}", source.join("libakv.map").display()));
    linker = linker.arg("-Wl,--whole-archive").arg(&archive);
    linker = linker.args(["-Wl,--no-whole-archive", "-Wl,--gc-sections", "-lgcc_s", "-lm", "-ldl"]);
    if let Some(audit) = audit {
        linker = linker.arg(audit.path()).arg(format!("-Wl,-u,{}", Audit::SYMBOL));
    }
    // Threads of the runtime may outlive `dlclose`: the code they run must stay mapped.
    linker = linker.args(["-Wl,-z,nodelete", "-Wl,-z,defs", "-Wl,-z,relro", "-Wl,-z,now"]);
    linker = linker.args(release.then_some("-Wl,--strip-all"));
    linker.quiet().run().context("libakv.so cannot be linked")?;
    let pkg_config = folder.path().join("akv.pc");
    let template = fs::read_to_string(source.join("akv.pc.in"))?;
    // For a folder that contains library, header and this file.
    let text = pkg_config_file(&template, "${pcfiledir}", "${prefix}", "${prefix}");
    fs::write(&pkg_config, text)?;
    let mut files = vec![
        (shared.clone(), NAME),
        (shared, SONAME),
        (source.join("include/akv.h"), "akv.h"),
        (pkg_config, "akv.pc"),
    ];
    if release || audit.is_some() {
        // With debug information it has 200 MB, and no test links it.
        files.push((archive, "libakv.a"));
    }
    Ok(Library { files, _folder: folder })
}

/// `akv.pc` with these folders.
pub(crate) fn pkg_config_file(
    template: &str,
    prefix: &str,
    libraries: &str,
    headers: &str,
) -> String {
    let values = [
        ("@prefix@", prefix),
        ("@libdir@", libraries),
        ("@includedir@", headers),
        ("@version@", env!("CARGO_PKG_VERSION")),
    ];
    values.into_iter().fold(template.to_owned(), |text, (name, value)| text.replace(name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_the_template_is_filled_in() {
        let template = fs::read_to_string(akv_tests::modules::workspace().join("ffi/akv.pc.in"));
        let text = pkg_config_file(&template.unwrap(), "/usr", "/usr/lib64", "/usr/include");
        assert!(!text.contains('@') && text.contains("libdir=/usr/lib64"), "{text}");
    }
}
