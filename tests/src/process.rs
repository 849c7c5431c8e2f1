//! Programs with time limits: a program that runs longer is killed, which is a failure.

use std::{
    ffi::OsStr,
    fmt::Write as _,
    io::Write as _,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

/// The default time limit of a command.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Polling interval for conditions without an event.
const POLL: Duration = Duration::from_millis(20);

/// Variables of the caller that programs under test need; all others are removed.
const KEPT: [&str; 5] = ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "LLVM_PROFILE_FILE"];

/// Set it (from a signal handler) to end every wait in this process with an error.
pub fn interrupted() -> &'static Arc<AtomicBool> {
    static FLAG: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    FLAG.get_or_init(Arc::default)
}

/// A program to run, with its own environment and process group.
#[derive(Debug)]
pub struct Task {
    command: Command,
    input: Vec<u8>,
    limit: Duration,
}

/// The result of a program.
#[derive(Debug)]
pub struct Output {
    /// The command line, for messages.
    pub command: String,
    /// How it ended.
    pub status: ExitStatus,
    /// Standard output, as bytes: signatures are binary.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: String,
}

impl Task {
    /// A program with a cleared environment.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command.env_clear().env("LC_ALL", "C").process_group(0);
        for name in KEPT {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        Self { command, input: Vec::new(), limit: LIMIT }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs in this folder.
    #[must_use]
    pub fn dir(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Its standard input; empty by default.
    #[must_use]
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// Its time limit.
    #[must_use]
    pub const fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs it to the end.
    ///
    /// # Errors
    /// It cannot be started, or it does not end in time.
    pub fn run(mut self) -> Result<Output> {
        let line = self.line();
        let stdin = if self.input.is_empty() { Stdio::null() } else { Stdio::piped() };
        let mut child = self
            .command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start `{line}`"))?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that does not read everything is not an error of ours.
            thread::spawn(move || stdin.write_all(&self.input));
        }
        let group = group_of(&child);
        let (sender, ended) = mpsc::channel();
        thread::spawn(move || sender.send(child.wait_with_output()));
        let output = match within(self.limit, &ended) {
            Ok(output) => output?,
            Err(reason) => {
                let _ = killpg(group, Signal::SIGKILL);
                let left = ended.recv_timeout(Duration::from_secs(5)).ok().and_then(Result::ok);
                let left = left.map(|output| text_of(&output.stdout, &output.stderr));
                bail!("`{line}` {reason}\n{}", left.unwrap_or_default());
            }
        };
        Ok(Output {
            command: line,
            status: output.status,
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Runs it to the end; it must succeed.
    ///
    /// # Errors
    /// As [`Task::run`]; also if the exit code is not 0, with everything that it printed.
    pub fn ok(self) -> Result<Output> {
        let output = self.run()?;
        if !output.status.success() {
            bail!("{}", output.describe());
        }
        Ok(output)
    }

    pub(crate) fn into_parts(self) -> (Command, String) {
        let line = self.line();
        (self.command, line)
    }

    fn line(&self) -> String {
        let mut line = self.command.get_program().to_string_lossy().into_owned();
        for arg in self.command.get_args() {
            let _ = write!(line, " {}", arg.to_string_lossy());
        }
        line
    }
}

impl Output {
    /// Standard output as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// The command, its exit code and everything it printed.
    pub fn describe(&self) -> String {
        format!(
            "`{}` ended with {}\n{}",
            self.command,
            self.status,
            text_of(&self.stdout, self.stderr.as_bytes())
        )
    }
}

fn text_of(stdout: &[u8], stderr: &[u8]) -> String {
    format!("{}{}", String::from_utf8_lossy(stderr), String::from_utf8_lossy(stdout))
}

/// The process group that a child leads.
pub(crate) fn group_of(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX))
}

/// Waits for a message, a time limit or an interruption.
pub(crate) fn within<T>(limit: Duration, receiver: &mpsc::Receiver<T>) -> Result<T, String> {
    let deadline = Instant::now() + limit;
    loop {
        if interrupted().load(Ordering::Relaxed) {
            return Err("was interrupted".into());
        }
        let left = deadline.saturating_duration_since(Instant::now());
        match receiver.recv_timeout(left.min(POLL)) {
            Ok(message) => return Ok(message),
            Err(RecvTimeoutError::Timeout) if left.is_zero() => {
                return Err(format!("did not end or respond within {limit:?}"));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err("ended without a response".into()),
        }
    }
}

/// Waits until `ready` returns a value, for conditions of the operating system without an event.
///
/// # Errors
/// The time limit was reached or the process was interrupted; `what` names the condition.
pub fn wait_until<T>(
    what: &str,
    limit: Duration,
    mut ready: impl FnMut() -> Option<T>,
) -> Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = ready() {
            return Ok(value);
        }
        if interrupted().load(Ordering::Relaxed) {
            bail!("interrupted while waiting until {what}");
        }
        if Instant::now() >= deadline {
            bail!("timed out after {limit:?} waiting until {what}");
        }
        thread::park_timeout(POLL);
    }
}

/// Finds a program in `PATH` and in the folders of system programs.
pub fn which(program: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin", "/sbin"].map(Into::into))
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}
