//! Programs and headers that the demo and the tests require, and their installation.

#[cfg(test)]
mod tests;

use std::path::Path;

use akv_tests::{Task, process::which};
use anyhow::{Result, bail};
use clap::Args;
use nix::unistd::geteuid;
use xshell::{Shell, cmd};

/// A requirement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Need {
    /// A program, a file with its path, or a Python module.
    pub(crate) name: &'static str,
    /// The Debian package that contains it.
    pub(crate) package: &'static str,
    /// Its purpose.
    pub(crate) purpose: &'static str,
}

pub(crate) const OPENSSL: Need =
    Need { name: "openssl", package: "openssl", purpose: "keys, certificates and TLS clients" };
pub(crate) const NGINX: Need =
    Need { name: "nginx", package: "nginx", purpose: "the TLS server whose key is in the vault" };
const HAPROXY: Need = Need {
    name: "haproxy",
    package: "haproxy",
    purpose: "a TLS server that must not start threads",
};
const DOVECOT: Need = Need {
    name: "dovecot",
    package: "dovecot-imapd",
    purpose: "a mail server whose login processes must not start threads",
};
const GIT: Need =
    Need { name: "git", package: "git", purpose: "the list of files that the tidy test reads" };
const CURL: Need = Need { name: "curl", package: "curl", purpose: "a second TLS client" };
const CC: Need = Need { name: "cc", package: "gcc", purpose: "C programs that load the module" };
/// Recommended by Debian's compiler, but not installed with it when recommendations are off.
const LIBC: Need = Need {
    name: "/usr/include/stdio.h",
    package: "libc6-dev",
    purpose: "compiling and linking C and Rust programs",
};
const READELF: Need =
    Need { name: "readelf", package: "binutils", purpose: "what the module links and exports" };
const AR: Need = Need { name: "ar", package: "binutils", purpose: "static libraries" };
const UNSHARE: Need = Need {
    name: "unshare",
    package: "util-linux",
    purpose: "a network namespace with the service's real host names",
};
const IP: Need =
    Need { name: "ip", package: "iproute2", purpose: "the loopback device of that network" };
pub(crate) const VALGRIND: Need =
    Need { name: "valgrind", package: "valgrind", purpose: "leaks and misuse of memory" };
const POSTGRESQL: Need = Need {
    name: "/usr/lib/postgresql",
    package: "postgresql",
    purpose: "a server that forks a process for each connection",
};
const HEADERS: Need = Need {
    name: "/usr/include/openssl/core_dispatch.h",
    package: "libssl-dev",
    purpose: "C programs that load the module",
};

/// Programs of a minimal Debian, with their packages: tests and commands may use them without
/// listing them. `cargo xtask hosts --minimal` checks this.
pub(crate) const ESSENTIAL: [(&str, &str); 20] = [
    ("apt-get", "apt"),
    ("bash", "bash"),
    ("chmod", "coreutils"),
    ("chroot", "coreutils"),
    ("cp", "coreutils"),
    ("env", "coreutils"),
    ("getconf", "libc-bin"),
    ("grep", "grep"),
    ("mkdir", "coreutils"),
    ("mkfifo", "coreutils"),
    ("mount", "mount"),
    ("perl", "perl-base"),
    ("rm", "coreutils"),
    ("setpriv", "util-linux"),
    ("sh", "dash"),
    ("sha256sum", "coreutils"),
    ("sleep", "coreutils"),
    ("tar", "tar"),
    ("true", "coreutils"),
    ("umount", "mount"),
];

const OLD_PROGRAMS: &str = "a program that reads the structures of its keys";

/// Everything that `cargo xtask test` requires.
pub(crate) const FOR_TESTS: [Need; 21] = [
    OPENSSL,
    NGINX,
    HAPROXY,
    DOVECOT,
    GIT,
    CURL,
    CC,
    LIBC,
    READELF,
    AR,
    UNSHARE,
    IP,
    VALGRIND,
    HEADERS,
    POSTGRESQL,
    Need {
        name: "osslsigncode",
        package: "osslsigncode",
        purpose: "the recipes that sign programs in pipelines",
    },
    Need { name: "ruby", package: "ruby", purpose: OLD_PROGRAMS },
    Need { name: "node", package: "nodejs", purpose: OLD_PROGRAMS },
    Need { name: "ssh-keygen", package: "openssh-client", purpose: OLD_PROGRAMS },
    // The system's Python, even if another one is first in `PATH`.
    Need {
        name: "/usr/lib/python3/dist-packages/cryptography",
        package: "python3-cryptography",
        purpose: OLD_PROGRAMS,
    },
    Need {
        name: "/usr/share/doc/libcrypt-openssl-rsa-perl/copyright",
        package: "libcrypt-openssl-rsa-perl",
        purpose: OLD_PROGRAMS,
    },
];

/// Packages that start a server when they are installed, with its systemd name.
const SERVERS: [(Need, &str); 4] =
    [(NGINX, "nginx"), (HAPROXY, "haproxy"), (DOVECOT, "dovecot"), (POSTGRESQL, "postgresql")];

/// Requirements of `cargo xtask hosts --openssl`: it builds OpenSSL, and also runs the engine's
/// tests with nginx.
pub(crate) const FOR_OPENSSL: [Need; 8] = [
    OPENSSL,
    NGINX,
    CC,
    LIBC,
    READELF,
    HEADERS,
    Need { name: "make", package: "make", purpose: "building OpenSSL" },
    // Part of the full package; missing on machines with only the essential perl.
    Need { name: "pod2man", package: "perl", purpose: "building OpenSSL" },
];

const BUILDS_AWS_LC: &str = "building AWS-LC";

/// Requirements of `cargo xtask hosts --aws-lc`.
pub(crate) const FOR_AWS_LC: [Need; 8] = [
    OPENSSL,
    CC,
    LIBC,
    READELF,
    VALGRIND,
    Need { name: "c++", package: "g++", purpose: BUILDS_AWS_LC },
    Need { name: "cmake", package: "cmake", purpose: BUILDS_AWS_LC },
    Need { name: "make", package: "make", purpose: BUILDS_AWS_LC },
];

/// Requirements of Debian systems in folders.
pub(crate) const FOR_DEBIAN: [Need; 2] = [
    UNSHARE,
    Need {
        name: "debootstrap",
        package: "debootstrap",
        purpose: "building a Debian system in a folder",
    },
];

/// Requirements of `cargo xtask hosts --debian11`, besides those of a system in a folder.
pub(crate) const FOR_DEBIAN11: [Need; 3] = [OPENSSL, READELF, IP];

/// Requirements of `cargo xtask hosts --debian12` and so on, besides those of a system in a folder.
pub(crate) const FOR_PROGRAMS: [Need; 2] = [OPENSSL, IP];

const SIGNATURES: &str = "signatures of releases";

/// Requirements of signatures.
pub(crate) const FOR_SIGNATURES: [Need; 3] = [
    Need { name: "gpg", package: "gpg", purpose: SIGNATURES },
    Need { name: "gpgconf", package: "gpgconf", purpose: SIGNATURES },
    Need { name: "gpg-agent", package: "gpg-agent", purpose: SIGNATURES },
];

/// Requirements of programs with libakv.
pub(crate) const FOR_DEVELOPMENT: [Need; 4] = [
    CC,
    LIBC,
    Need { name: "pkg-config", package: "pkg-config", purpose: "the flags of libakv" },
    Need { name: "dpkg-deb", package: "dpkg", purpose: "the files of libakv" },
];

/// Requirements of `cargo xtask hosts --packages`, besides those of systems in folders.
pub(crate) const FOR_PACKAGES: [Need; 2] = [OPENSSL, IP];

/// Requirements of `cargo xtask bench all`.
pub(crate) const FOR_BENCH: [Need; 6] = [OPENSSL, NGINX, HAPROXY, CC, LIBC, HEADERS];

/// Requirements of `cargo xtask hosts --sdk`.
pub(crate) const FOR_SDK: [Need; 4] = [
    OPENSSL,
    UNSHARE,
    IP,
    // The part that Debian leaves out of Python and that `venv` requires.
    Need {
        name: "python3 -m ensurepip",
        package: "python3-venv",
        purpose: "the clients for Python",
    },
];

impl Need {
    pub(crate) fn is_there(&self) -> bool {
        if let Some(module) = self.name.strip_prefix("python3 -m ") {
            let arguments = ["-c", &format!("import {module}")];
            return Task::new("python3").args(arguments).ok().is_ok();
        }
        match self.name.starts_with('/') {
            true => Path::new(self.name).exists(),
            false => which(self.name).is_some(),
        }
    }
}

/// Arguments of `cargo xtask setup`.
#[derive(Args)]
pub(crate) struct Setup {}

impl Setup {
    pub(crate) fn run(&self) -> Result<()> {
        let missing = install(&FOR_TESTS)?;
        if missing.is_empty() {
            println!("nothing is missing");
            return Ok(());
        }
        bail!("{}", explain(&missing))
    }
}

/// Installs missing requirements if possible, and returns those still missing.
pub(crate) fn install(needs: &[Need]) -> Result<Vec<Need>> {
    let missing: Vec<Need> = needs.iter().filter(|need| !need.is_there()).copied().collect();
    if missing.is_empty() || which("apt-get").is_none() || !geteuid().is_root() {
        return Ok(missing);
    }
    for need in &missing {
        println!("installing the package {} for {}", need.package, need.purpose);
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    let shell = Shell::new()?;
    shell.set_var("DEBIAN_FRONTEND", "noninteractive");
    let options = ["-qq", "-o", "Dpkg::Use-Pty=0", "-o", "DPkg::Lock::Timeout=120"];
    // Package scripts are verbose; their output matters only when they fail.
    let get = |arguments: &[&str]| {
        let command = cmd!(shell, "apt-get {options...} {arguments...}");
        let output = command.quiet().ignore_status().output()?;
        if output.status.success() {
            return Ok(());
        }
        bail!("apt-get: {}", String::from_utf8_lossy(&output.stderr).trim())
    };
    let mut install = vec!["install", "--yes", "--no-install-recommends"];
    install.extend(&packages);
    // A machine with current package lists needs no update; most new machines have no lists.
    if get(&install).is_err() {
        println!("fetching the package lists first");
        let installed = get(&["update"]).and_then(|()| get(&install));
        if let Err(error) = installed {
            println!("{error:#}");
        }
    }
    let started = SERVERS.iter().filter(|(server, _)| packages.contains(&server.package));
    for (Need { package, .. }, name) in started {
        if Path::new("/run/systemd/system").exists() {
            println!(
                "the package {package} started a server of its own: stopping and disabling it"
            );
            cmd!(shell, "systemctl disable --quiet --now {name}").quiet().ignore_status().run()?;
        }
    }
    Ok(missing.into_iter().filter(|need| !need.is_there()).collect())
}

/// One sentence with the missing requirements and advice.
pub(crate) fn explain(missing: &[Need]) -> String {
    let names: Vec<&str> = missing.iter().map(|need| need.name).collect();
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    let names = names.join(", ");
    if which("apt-get").is_none() {
        return format!("missing: {names}; install them with this system's package manager");
    }
    let reason = if geteuid().is_root() { "apt-get could not" } else { "only root may" };
    format!("missing: {names}; {reason} install them: `apt-get install {}`", packages.join(" "))
}
