//! libakv-dev: a C program that is compiled and linked as pkg-config says.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use xshell::{Shell, cmd};

use crate::needs;

/// Unpacks the packages of libakv in a folder, and uses them there.
pub(super) fn check(packages: &Path) -> Result<()> {
    let missing = needs::install(&needs::FOR_DEVELOPMENT)?;
    ensure!(missing.is_empty(), "{}", needs::explain(&missing));
    let (shell, folder) = (Shell::new()?, tempfile::tempdir()?);
    let root = folder.path();
    for entry in shell.read_dir(packages)? {
        let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with("libakv") && name.ends_with(".deb") {
            cmd!(shell, "dpkg-deb --extract {entry} {root}").quiet().run()?;
        }
    }
    let libraries = root.join("usr/lib/x86_64-linux-gnu");
    shell.set_var("PKG_CONFIG_SYSROOT_DIR", root);
    shell.set_var("PKG_CONFIG_LIBDIR", libraries.join("pkgconfig"));
    // pkg-config leaves out the folders where the compiler looks by itself, which these are not.
    shell.set_var("PKG_CONFIG_ALLOW_SYSTEM_CFLAGS", "1");
    shell.set_var("PKG_CONFIG_ALLOW_SYSTEM_LIBS", "1");
    let flags = cmd!(shell, "pkg-config --cflags --libs akv").quiet().read()?;
    let flags = flags.split_whitespace().collect::<Vec<_>>();
    let flags = &flags;
    let program = root.join("sign_file");
    let source = root.join("usr/share/doc/libakv-dev/examples/sign_file.c");
    cmd!(shell, "cc -o {program} {source} {flags...}")
        .quiet()
        .run()
        .with_context(|| format!("with {flags:?}"))?;
    let output = cmd!(shell, "{program}")
        .env("LD_LIBRARY_PATH", &libraries)
        .quiet()
        .ignore_status()
        .output()?;
    // Without arguments it prints how it is used, and has found the library.
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(text.contains("usage:"), "the example does not run: {output:?}");
    println!("passed: the example of libakv-dev is compiled by pkg-config's flags, and runs");
    Ok(())
}
