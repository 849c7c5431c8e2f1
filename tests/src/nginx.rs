//! The system's nginx, with its own folder, port and log.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::{Pid, geteuid},
};
use tempfile::TempDir;

use crate::{
    process::{Task, wait_until, which},
    root::Root,
    site::worker_user,
};

/// How long starting, reloading and stopping may take.
const LIMIT: Duration = Duration::from_secs(30);
/// Another program may take the free port before nginx does.
const ATTEMPTS: u32 = 5;

/// The configuration of nginx.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// Pairs of certificate file and key (a file or any other value of `ssl_certificate_key`).
    pub certificates: Vec<(String, String)>,
    /// The configuration file of OpenSSL.
    pub openssl_config: PathBuf,
    /// More variables, which the modules read when they are loaded.
    pub variables: Vec<(String, String)>,
    /// Whether it becomes a daemon, as started by packages.
    pub daemon: bool,
    /// More lines for the `server` block.
    pub server_lines: String,
    /// Another site on the same port: its name, its certificate file and its key.
    pub neighbour: Option<[String; 3]>,
    /// The protocols, as `ssl_protocols` takes them; TLS 1.2 and 1.3 by default.
    pub protocols: Option<&'static str>,
    /// Runs the nginx of this system instead of the machine's.
    pub root: Option<Root>,
}

/// A running nginx: a master with two workers, killed when it is dropped.
#[derive(Debug)]
pub struct Nginx {
    program: PathBuf,
    root: Option<Root>,
    openssl_config: PathBuf,
    variables: Vec<(String, String)>,
    folder: TempDir,
    port: u16,
    stopped: bool,
}

impl Nginx {
    /// The program, if it is installed.
    pub fn program() -> Option<PathBuf> {
        which("nginx")
    }

    /// Starts it. When this returns, it accepts connections.
    ///
    /// # Errors
    /// It is not installed, refuses its configuration or does not start; the error includes its
    /// log.
    pub fn start(setup: &Setup) -> Result<Self> {
        let program = match setup.root {
            Some(_) => "nginx".into(),
            None => Self::program().context("nginx is not installed")?,
        };
        let mut failure = None;
        for _ in 0..ATTEMPTS {
            let nginx = Self::prepare(&program, setup)?;
            match nginx.launch(setup) {
                Ok(()) => return Ok(nginx),
                Err(error) if nginx.error_log().contains("Address already in use") => {
                    failure = Some(error);
                }
                Err(error) => return Err(error.context(nginx.error_log())),
            }
        }
        Err(failure.context("no port for nginx")?)
    }

    fn prepare(program: &Path, setup: &Setup) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("akv-nginx-").tempdir()?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        fs::write(folder.path().join("nginx.conf"), configuration(setup, port))?;
        Ok(Self {
            program: program.to_owned(),
            root: setup.root.clone(),
            openssl_config: setup.openssl_config.clone(),
            variables: setup.variables.clone(),
            folder,
            port,
            stopped: false,
        })
    }

    fn launch(&self, setup: &Setup) -> Result<()> {
        if setup.daemon {
            self.task().ok()?;
        } else {
            // The same process, detached from the terminal by its own process group.
            let log = fs::File::create(self.folder.path().join("output.txt"))?;
            let (mut command, line) = self.task().into_parts();
            let mut child = command
                .stdin(std::process::Stdio::null())
                .stdout(log.try_clone()?)
                .stderr(log)
                .spawn()
                .with_context(|| format!("cannot start `{line}`"))?;
            wait_until("nginx has written its pid or ended", LIMIT, || {
                let ended = child.try_wait().ok().flatten();
                (ended.is_some() || self.pid().is_some()).then_some(ended)
            })?
            .map_or(Ok(()), |status| {
                let output = fs::read_to_string(self.folder.path().join("output.txt"));
                bail!("nginx ended with {status}\n{}", output.unwrap_or_default())
            })?;
            // It is our child, so it must be reaped.
            std::thread::spawn(move || child.wait());
        }
        wait_until("nginx accepts connections", LIMIT, || {
            TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).ok()
        })?;
        self.wait_for_workers(&[])
    }

    fn task(&self) -> Task {
        let task = match &self.root {
            Some(root) => root.task(&self.program),
            // Before 1.19.5 there is no `-e`: nginx then also opens the log of its package.
            None => Task::new(&self.program).args(["-e", "error.log"]),
        };
        let variables = self.variables.iter();
        variables
            .fold(task, |task, (name, value)| task.env(name, value))
            .env("OPENSSL_CONF", &self.openssl_config)
            .arg("-p")
            .arg(self.folder.path())
            .args(["-c", "nginx.conf"])
            .limit(LIMIT)
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The log since the start.
    pub fn error_log(&self) -> String {
        fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default()
    }

    /// The lines of the log that indicate a problem.
    pub fn complaints(&self) -> Vec<String> {
        let unwanted = ["[warn]", "[error]", "[crit]", "[alert]", "[emerg]", "stale"];
        let log = self.error_log();
        let lines = log.lines().filter(|line| unwanted.iter().any(|word| line.contains(word)));
        lines.map(str::to_owned).collect()
    }

    /// The processes of the workers.
    pub fn workers(&self) -> Vec<i32> {
        self.pid().map(children).unwrap_or_default()
    }

    /// `nginx -s reload`; returns when new workers have replaced the old ones.
    ///
    /// # Errors
    /// nginx refuses or does not replace its workers in time.
    pub fn reload(&self) -> Result<()> {
        let old = self.workers();
        self.task().args(["-s", "reload"]).ok()?;
        self.wait_for_workers(&old).context(self.error_log())
    }

    /// Stops gracefully, as `systemctl stop` does, and checks the log.
    ///
    /// # Errors
    /// nginx does not end in time, or its log has complaints.
    pub fn stop(mut self) -> Result<()> {
        let pid = self.pid().context("nginx has no pid file")?;
        self.task().args(["-s", "quit"]).ok()?;
        wait_until("nginx has ended", LIMIT, || (!is_alive(pid)).then_some(()))?;
        self.stopped = true;
        let complaints = self.complaints();
        if !complaints.is_empty() {
            bail!("nginx logged:\n{}", complaints.join("\n"));
        }
        Ok(())
    }

    fn wait_for_workers(&self, old: &[i32]) -> Result<()> {
        wait_until("nginx has two new workers", LIMIT, || {
            let workers = self.workers();
            let new = workers.len() == 2 && workers.iter().all(|worker| !old.contains(worker));
            new.then_some(())
        })
    }

    fn pid(&self) -> Option<Pid> {
        let text = fs::read_to_string(self.folder.path().join("nginx.pid")).ok()?;
        text.trim().parse().ok().map(Pid::from_raw)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        if self.stopped {
            return;
        }
        if let Some(pid) = self.pid() {
            // TERM ends the workers too; KILL would leave them behind.
            let _ = kill(pid, Signal::SIGTERM);
            let limit = std::time::Instant::now() + Duration::from_secs(5);
            while is_alive(pid) && std::time::Instant::now() < limit {
                std::thread::park_timeout(Duration::from_millis(20));
            }
            for process in children(pid).into_iter().chain([pid.as_raw()]) {
                let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
            }
        }
    }
}

fn is_alive(pid: Pid) -> bool {
    kill(pid, None) != Err(Errno::ESRCH) && state_and_parent(pid.as_raw()).is_some()
}

/// The parent of a process that is not a zombie, from `/proc/PID/stat`.
fn state_and_parent(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    (state != "Z").then(|| fields.next()?.parse().ok())?
}

fn children(parent: Pid) -> Vec<i32> {
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid| state_and_parent(*pid) == Some(parent.as_raw()))
        .collect()
}

fn configuration(setup: &Setup, port: u16) -> String {
    let user = match worker_user() {
        Some(user) if geteuid().is_root() => format!("user {user};\n"),
        _ => String::new(),
    };
    let mut certificates = String::new();
    for (certificate, key) in &setup.certificates {
        certificates
            .push_str(&format!("ssl_certificate {certificate};\nssl_certificate_key {key};\n"));
    }
    let neighbour =
        setup.neighbour.as_ref().map_or_else(String::new, |[name, certificate, key]| {
            format!(
                "server {{\nlisten 127.0.0.1:{port} ssl;\nserver_name {name};\n\
             ssl_certificate {certificate};\nssl_certificate_key {key};\n\
             location / {{ return 200 \"signed here\\n\"; }}\n}}\n"
            )
        });
    format!(
        "{user}daemon {daemon};\nworker_processes 2;\npid nginx.pid;\n\
         error_log error.log info;\n\
         events {{ worker_connections 256; }}\n\
         http {{\n\
         access_log off;\n\
         client_body_temp_path body;\nproxy_temp_path proxy;\nfastcgi_temp_path fastcgi;\n\
         uwsgi_temp_path uwsgi;\nscgi_temp_path scgi;\n\
         server {{\n\
         listen 127.0.0.1:{port} ssl;\nserver_name localhost;\n\
         ssl_protocols {protocols};\n\
         {certificates}{lines}\n\
         location / {{ return 200 \"signed in the vault\\n\"; }}\n\
         }}\n{neighbour}}}\n",
        protocols = setup.protocols.unwrap_or("TLSv1.2 TLSv1.3"),
        daemon = if setup.daemon { "on" } else { "off" },
        lines = setup.server_lines,
    )
}
