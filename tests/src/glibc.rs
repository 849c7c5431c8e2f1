//! Versions of the GNU C library: the one that a module requires, and the one of a machine.

use std::{fmt, path::Path, str::FromStr};

use anyhow::{Context as _, Error, Result, ensure};

use crate::process::Task;

/// A version of the GNU C library, such as 2.17.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Glibc {
    major: u32,
    minor: u32,
    /// 2.2.5 is where x86_64 begins; nothing later has a third number.
    patch: u32,
}

impl Glibc {
    /// Version `major.minor`.
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor, patch: 0 }
    }

    /// The version of this machine.
    ///
    /// # Errors
    /// It has another C library.
    pub fn of_this_machine() -> Result<Self> {
        let said = Task::new("getconf").arg("GNU_LIBC_VERSION").ok()?.text();
        let version = said.trim().strip_prefix("glibc ");
        version.with_context(|| format!("not the GNU C library: {said:?}"))?.parse()
    }

    /// The oldest with which a module loads: the newest version that one of its symbols names.
    ///
    /// # Errors
    /// `readelf` fails, or the module names no version.
    pub fn needed_by(module: &Path) -> Result<Self> {
        let printed = Task::new("readelf").args(["-V", "-W"]).arg(module).ok()?.text();
        newest(&printed).with_context(|| format!("what {} needs of glibc", module.display()))
    }
}

impl FromStr for Glibc {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let numbers = text.split('.').map(str::parse).collect::<Result<Vec<u32>, _>>();
        match numbers.as_deref() {
            Ok([major, minor]) => Ok(Self::new(*major, *minor)),
            Ok([major, minor, patch]) => Ok(Self { patch: *patch, ..Self::new(*major, *minor) }),
            _ => Err(Error::msg(format!("{text:?} is not a glibc version such as 2.17"))),
        }
    }
}

impl fmt::Display for Glibc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        if self.patch > 0 {
            write!(f, ".{}", self.patch)?;
        }
        Ok(())
    }
}

/// The newest version among the required ones that `readelf -V` prints.
fn newest(printed: &str) -> Result<Glibc> {
    let mut newest = None;
    let needs = printed.lines().skip_while(|line| !line.starts_with("Version needs section"));
    for line in needs {
        let Some((_, name)) = line.split_once("Name: GLIBC_") else { continue };
        let name = name.split_whitespace().next().unwrap_or_default();
        let version = match name {
            // Not a version of a symbol: relocations that older loaders do not support.
            "ABI_DT_RELR" => Glibc::new(2, 36),
            name => name.parse()?,
        };
        newest = newest.max(Some(version));
    }
    ensure!(newest.is_some(), "it names no version:\n{printed}");
    newest.context("a version")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "Version symbols section '.gnu.version' contains 163 entries:\n \
         Name: GLIBC_2.99\nVersion needs section '.gnu.version_r' contains 1 entry:\n";

    fn needs(names: &[&str]) -> Result<Glibc> {
        let line = |name: &&str| format!("  0x0010:   Name: {name}  Flags: none  Version: 2\n");
        newest(&(HEAD.to_owned() + &names.iter().map(line).collect::<String>()))
    }

    #[test]
    fn versions_are_compared_by_their_numbers() -> Result<()> {
        assert_eq!(needs(&["GLIBC_2.9", "GLIBC_2.17", "GLIBC_2.2.5"])?.to_string(), "2.17");
        assert_eq!(needs(&["GLIBC_2.2.5", "GCC_4.2.0"])?.to_string(), "2.2.5");
        assert_eq!(needs(&["GLIBC_ABI_DT_RELR", "GLIBC_2.34"])?, Glibc::new(2, 36));
        assert!("2.17".parse::<Glibc>()? < "2.31".parse()?);
        Ok(())
    }

    #[test]
    fn invalid_versions_are_refused() {
        for names in [&["GLIBC_PRIVATE"][..], &["GCC_3.0"], &[]] {
            needs(names).expect_err("no version");
        }
        for text in ["", "2", "2.x", "2.17.1.1", "latest"] {
            text.parse::<Glibc>().expect_err(text);
        }
    }

    #[test]
    fn a_program_of_this_machine_needs_no_more_than_it_has() -> Result<()> {
        let needed = Glibc::needed_by(&std::env::current_exe()?)?;
        assert!(needed <= Glibc::of_this_machine()?, "{needed}");
        Ok(())
    }
}
