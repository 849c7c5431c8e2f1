//! A Debian system that is thrown away: a cached one, with everything that programs write in a layer
//! above it.

use std::{
    ffi::OsStr,
    fs,
    net::Ipv4Addr,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use akv_tests::{Output, Task, process::wait_until};
use anyhow::{Context as _, Result, bail, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::journal::Journal;

/// What systemd sets for services.
pub(crate) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How long anything in a machine may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Mounts the layers `$1` and `$2/upper` as `$3`, and what the kernel and the service manager
/// provide. Programs here must not reach the devices of the machine that runs the tests.
const BOOT: &str = r#"set -e; lower=$1; work=$2; root=$3
mount -t overlay -o "lowerdir=$lower,upperdir=$work/upper,workdir=$work/work" overlay "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty "$root/dev"
mkdir -p "$root/dev/shm" "$root/dev/pts" "$root/run/lock" "$root/run/systemd/system"
chmod 1777 "$root/dev/shm" "$root/run/lock"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr""#;

/// The running system.
pub(crate) struct Machine {
    work: PathBuf,
    root: PathBuf,
    journal: Journal,
    /// What its services tell the service manager.
    notices: Journal,
}

impl Machine {
    /// Boots a system of these layers, from the top, below a new one in `work`, which must not exist.
    pub(crate) fn boot(layers: [&Path; 2], work: &Path) -> Result<Self> {
        let root = work.join("root");
        for folder in ["upper", "work", "root"] {
            fs::create_dir_all(work.join(folder))?;
        }
        // Services that give up root look into it.
        fs::set_permissions(work, fs::Permissions::from_mode(0o755))?;
        let [top, bottom] = layers.map(Path::display);
        let layers = format!("{top}:{bottom}");
        Task::new("sh").args(["-c", BOOT, "sh", &layers]).arg(work).arg(&root).ok()?;
        let journal = Journal::listen(&root.join("dev/log"))?;
        let notices = Journal::listen(&root.join("run/systemd/notify"))?;
        let machine = Self { work: work.to_owned(), root, journal, notices };
        machine.make_temporary_files()?;
        Ok(machine)
    }

    /// Its messages.
    pub(crate) const fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Whether a service has told that it is ready.
    pub(crate) fn has_ready_service(&self) -> bool {
        self.notices.text().contains("READY=1")
    }

    /// Where this process sees one of its files.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.root.join(file.trim_start_matches('/'))
    }

    /// The folders with everything that was written since the boot.
    pub(crate) fn written(&self) -> [PathBuf; 2] {
        [self.work.join("upper"), self.path("/run")]
    }

    /// A folder next to the system, which its programs do not see.
    pub(crate) fn outside(&self) -> &Path {
        &self.work
    }

    /// A file as text.
    pub(crate) fn read(&self, file: &str) -> Result<String> {
        let bytes = fs::read(self.path(file)).with_context(|| format!("cannot read {file}"))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Writes a file, and creates its folder if necessary.
    pub(crate) fn write(&self, file: &str, content: impl AsRef<[u8]>) -> Result<()> {
        let path = self.path(file);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, content).with_context(|| format!("cannot write {file}"))
    }

    /// A path in which `*` stands for the only name in its folder, such as PostgreSQL's version. In
    /// the name of a unit, it stands for that of the only cluster of PostgreSQL.
    pub(crate) fn resolve(&self, path: &str) -> Result<String> {
        let Some((before, after)) = path.split_once('*') else { return Ok(path.to_owned()) };
        let folder = if path.starts_with('/') { before } else { "/etc/postgresql" };
        let entries = fs::read_dir(self.path(folder)).with_context(|| folder.to_owned())?;
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let [name] = &names.collect::<Vec<_>>()[..] else { bail!("{folder} has not one entry") };
        Ok(format!("{before}{name}{after}"))
    }

    /// Adds a root certificate to the system's.
    pub(crate) fn trust(&self, certificate: &str) -> Result<()> {
        let file = "/etc/ssl/certs/ca-certificates.crt";
        self.write(file, self.read(file)? + certificate)
    }

    /// Names the vault's host; there is no resolver.
    pub(crate) fn name_vault(&self, vault: Ipv4Addr) -> Result<()> {
        let own = fs::read_to_string("/proc/sys/kernel/hostname")?;
        self.write("/etc/resolv.conf", "")?;
        self.write(
            "/etc/hosts",
            format!(
                "127.0.0.1 localhost www.example.org api.example.org\n::1 localhost\n127.0.1.1 {}\n\
                 {vault} myvault.vault.azure.net myhsm.managedhsm.azure.net\n",
                own.trim()
            ),
        )
    }

    /// A program with the environment of a service and `more`.
    pub(crate) fn task(&self, program: impl AsRef<OsStr>, more: &[(&str, &str)]) -> Task {
        let variables = more.iter().map(|(name, value)| format!("{name}={value}"));
        Task::new("chroot")
            .arg(&self.root)
            .args(["env", "-i", "LC_ALL=C.UTF-8", "HOME=/root"])
            .arg(format!("PATH={PATH}"))
            .args(variables)
            .arg(program)
    }

    /// Shell lines, as an administrator would run them.
    pub(crate) fn shell(&self, lines: &str, more: &[(&str, &str)]) -> Result<Output> {
        self.task("sh", more).args(["-e", "-c", &format!("cd /root\n{lines}")]).ok()
    }

    /// Its root directory.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The processes in it, with their names.
    pub(crate) fn processes(&self) -> Vec<(i32, String)> {
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
        ids.filter_map(|id| {
            let root = fs::read_link(format!("/proc/{id}/root")).ok()?;
            let name = fs::read_to_string(format!("/proc/{id}/comm")).ok()?;
            root.starts_with(&self.root).then(|| (id, name.trim().to_owned()))
        })
        .collect()
    }

    /// Sends a signal to all its processes.
    pub(crate) fn signal_all(&self, signal: Signal) {
        for (id, _) in self.processes() {
            let _ = kill(Pid::from_raw(id), signal);
        }
    }

    /// Waits until no process is left.
    pub(crate) fn wait_for_end(&self) -> Result<()> {
        let ended = || self.processes().is_empty().then_some(());
        wait_until("all processes end", LIMIT, ended)
            .with_context(|| format!("left: {:?}", self.processes()))
    }

    /// The folders in `/run` that packages declare, as `systemd-tmpfiles` makes them at boot.
    fn make_temporary_files(&self) -> Result<()> {
        let mut lines = Vec::new();
        let Ok(entries) = fs::read_dir(self.path("/usr/lib/tmpfiles.d")) else { return Ok(()) };
        for entry in entries {
            let text = fs::read_to_string(entry?.path())?;
            lines.extend(text.lines().map(str::to_owned));
        }
        for line in lines {
            let words: Vec<&str> = line.split_whitespace().collect();
            let ["d" | "D", path, rest @ ..] = &words[..] else { continue };
            let path = path.replacen("/var/run/", "/run/", 1);
            if path.starts_with("/run/") {
                let field = |at: usize, default| match rest.get(at) {
                    None | Some(&"-") => default,
                    Some(value) => *value,
                };
                self.make_folder(&path, field(0, "0755"), field(1, "root"), field(2, "root"))?;
            }
        }
        Ok(())
    }

    /// Creates a folder of a user.
    pub(crate) fn make_folder(
        &self,
        path: &str,
        mode: &str,
        user: &str,
        group: &str,
    ) -> Result<()> {
        let owner = ["-o", user, "-g", group];
        self.task("install", &[]).args(["-d", "-m", mode]).args(owner).arg(path).ok()?;
        Ok(())
    }

    /// Ends everything, and removes the layer.
    pub(crate) fn shut_down(self) -> Result<()> {
        self.signal_all(Signal::SIGKILL);
        self.wait_for_end()?;
        Task::new("umount").args(["-R", "-l"]).arg(&self.root).ok()?;
        ensure!(!self.path("/etc").exists(), "{:?} is still mounted", self.root);
        fs::remove_dir_all(&self.work).context("cannot remove the layer")
    }
}
