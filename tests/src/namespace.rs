//! A separate network and mount namespace for a test, in which the service's real host names and
//! port 443 belong to the embedded vault.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use nix::unistd::geteuid;

use crate::{
    modules,
    process::{Task, which},
};

/// Set in the inner run.
const INSIDE: &str = "AKV_TEST_INSIDE";

/// The address of the embedded vault inside.
pub const HTTPS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 443);

/// Files that stand in for the machine's own inside the namespace.
#[derive(Clone, Copy, Debug, Default)]
pub struct Files<'a> {
    /// `/etc/hosts`.
    pub hosts: &'a str,
    /// `/etc/resolv.conf`; `None` leaves the machine's.
    pub resolv_conf: Option<&'a str>,
}

/// Runs the test `name` again inside such namespaces, where it must call `inside`.
///
/// # Errors
/// The namespaces cannot be created (they require root, or unprivileged user namespaces), or the
/// test fails in them.
pub fn run_inside(name: &str, files: Files<'_>, inside: fn() -> Result<()>) -> Result<()> {
    if std::env::var_os(INSIDE).is_some() {
        return inside();
    }
    let folder = tempfile::tempdir()?;
    let prefix = command(files, folder.path(), "true")?;
    let output = Task::new(&prefix[0])
        .args(&prefix[1..])
        .limit(Duration::from_secs(120))
        .arg(std::env::current_exe()?)
        .args(["--exact", name, "--nocapture"])
        .env(INSIDE, "1")
        .env(modules::VARIABLE, modules::folder()?)
        .run()?;
    ensure!(
        !output.stderr.contains("unshare: "),
        "this needs the right to make namespaces (root, or unprivileged user namespaces): {}",
        output.describe()
    );
    ensure!(output.status.success(), "inside of the namespaces: {}", output.describe());
    ensure!(output.text().contains("1 passed"), "{}", output.describe());
    Ok(())
}

/// Refuses a root directory that is not a mount point, as in a `chroot`: mounts below it cannot be
/// hidden from the rest of the system there, since propagation belongs to mount points.
///
/// # Errors
/// It is not a mount point, or that cannot be determined.
pub fn check_root() -> Result<()> {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo")
        .context("/proc is needed, to see what is mounted: mount it")?;
    ensure!(
        has_root(&mounts),
        "the root directory of this process is not a mount point (it was changed by chroot), so \
         its mounts cannot be made private. Privileges do not help: before changing into the \
         folder, run `mount --bind FOLDER FOLDER`"
    );
    Ok(())
}

/// Whether one of these mounts (proc(5)) is at `/`, the fifth field.
fn has_root(mounts: &str) -> bool {
    mounts.lines().any(|line| line.split(' ').nth(4) == Some("/"))
}

/// The start of a command line that runs the program after it inside such namespaces. `files` are
/// written to `folder` first; `set_up` is a shell line that runs before the program, as root of the
/// namespaces.
///
/// # Errors
/// A program is not installed, the root directory is not a mount point, or a file cannot be
/// written.
pub fn command(files: Files<'_>, folder: &Path, set_up: &str) -> Result<Vec<String>> {
    for (program, package) in [("ip", "iproute2"), ("unshare", "util-linux")] {
        ensure!(which(program).is_some(), "`{program}` (package {package}) is not installed");
    }
    check_root()?;
    let mut script = "ip link set lo up".to_owned();
    let mut bind = |content: Option<&str>, file: &str| -> Result<()> {
        if let Some(content) = content {
            let source = folder.join(Path::new(file).file_name().unwrap_or_default());
            std::fs::write(&source, content)?;
            // Minimal systems lack such files: a copy of the folder contains them.
            let etc = folder.join("etc").display().to_string();
            script += &format!(
                " && {{ test -e {file} || {{ cp -a /etc '{etc}' 2>/dev/null; \
                 mount --bind '{etc}' /etc && : > {file}; }}; }} && mount --bind '{}' {file}",
                source.display()
            );
        }
        Ok(())
    };
    bind(Some(files.hosts), "/etc/hosts")?;
    bind(files.resolv_conf, "/etc/resolv.conf")?;
    script += &format!(" && {set_up} && exec \"$@\"");
    let mut command = vec!["unshare"];
    if !geteuid().is_root() {
        command.extend(["--user", "--map-root-user"]);
    }
    command.extend([
        "--net",
        "--mount",
        "--propagation",
        "private",
        "--",
        "sh",
        "-c",
        &script,
        "sh",
    ]);
    Ok(command.into_iter().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_directory_that_is_not_a_mount_point_is_detected() {
        let line =
            |point: &str| format!("22 1 254:0 /a {point} rw,relatime shared:1 - ext4 / rw\n");
        assert!(has_root(&(line("/proc") + &line("/"))));
        assert!(!has_root(&(line("/proc") + &line("/dev"))));
        assert!(!has_root(""));
    }
}
