//! The output of commands: text or JSON, results to a file or standard output.

use std::{
    fs::{self, OpenOptions, Permissions},
    io::{self, IsTerminal as _, Write},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use akv_core::{Client, Counters};
use clap::Args;
use serde_json::{Value, json};

use crate::{
    exit::{Failure, Result},
    input::is_standard,
};

/// How results are shown; the same for all commands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Show {
    /// As JSON.
    pub(crate) json: bool,
    /// Also print the counters.
    pub(crate) verbose: bool,
}

impl Show {
    /// Prints a result: `value` as JSON, or the text that `human` writes.
    pub(crate) fn result(
        self,
        value: &Value,
        human: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<()> {
        let mut stdout = anstream::stdout().lock();
        match self.json {
            true => writeln!(stdout, "{value:#}")?,
            false => human(&mut stdout)?,
        }
        Ok(stdout.flush()?)
    }

    /// Prints the client's counters on standard error with `--verbose`.
    pub(crate) fn counters(self, client: &Client) {
        if self.verbose && !self.json {
            let text = words(client.counters());
            let _ = writeln!(anstream::stderr().lock(), "akv: {text}");
        }
    }
}

/// The counters as JSON.
pub(crate) fn counters_json(counters: Counters) -> Value {
    json!({
        "operations": counters.operations,
        "failures": counters.failures,
        "retries": counters.retries,
        "hedges": counters.hedges,
        "throttled": counters.throttled,
        "tokenRefreshes": counters.token_refreshes,
        "connections": counters.connections,
        "inFlight": counters.in_flight,
    })
}

/// The counters on one line.
pub(crate) fn words(now: Counters) -> String {
    format!(
        "{} operations, {} failed, {} retries, {} throttled, {} token refreshes, {} connections, \
         {} in flight",
        now.operations,
        now.failures,
        now.retries,
        now.throttled,
        now.token_refreshes,
        now.connections,
        now.in_flight
    )
}

/// The destination of a result.
#[derive(Args, Clone, Debug)]
pub(crate) struct Destination {
    /// The output file; standard output if missing or `-`.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace an existing file.
    #[arg(short, long)]
    force: bool,
}

/// Who may read an output file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Secrecy {
    /// Everyone, subject to the umask.
    Public,
    /// The owner only.
    Secret,
}

impl Destination {
    pub(crate) fn new(file: PathBuf, force: bool) -> Self {
        Self { out: Some(file), force }
    }

    /// The file, if it is not standard output.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.out.as_deref().filter(|path| !is_standard(Some(path)))
    }

    /// Whether the result goes to a terminal.
    pub(crate) fn is_terminal(&self) -> bool {
        self.file().is_none() && io::stdout().is_terminal()
    }

    /// Refuses to overwrite a file, before any request.
    pub(crate) fn check(&self) -> Result<()> {
        match self.file() {
            Some(path) if !self.force && fs::metadata(path).is_ok_and(|about| about.is_file()) => {
                Err(taken(path))
            }
            _ => Ok(()),
        }
    }

    /// Writes atomically: an existing file is replaced in one step.
    pub(crate) fn write(&self, content: &[u8], secrecy: Secrecy) -> Result<()> {
        let Some(path) = self.file() else {
            let mut stdout = io::stdout().lock();
            stdout.write_all(content)?;
            return Ok(stdout.flush()?);
        };
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => taken(path),
            _ => Failure::file("write", path, &error),
        };
        // A device or a pipe is opened for writing, not replaced.
        if fs::metadata(path).is_ok_and(|about| !about.is_file()) {
            let mut file = OpenOptions::new().write(true).open(path).map_err(failed)?;
            return file.write_all(content).map_err(failed);
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let mode = if secrecy == Secrecy::Secret { 0o600 } else { 0o666 };
        let mut file = tempfile::Builder::new()
            .prefix(".akv-")
            .permissions(Permissions::from_mode(mode))
            .tempfile_in(folder.unwrap_or(Path::new(".")))
            .map_err(failed)?;
        file.write_all(content).map_err(failed)?;
        match self.force {
            true => file.persist(path),
            false => file.persist_noclobber(path),
        }
        .map(drop)
        .map_err(|error| failed(error.error))
    }
}

fn taken(path: &Path) -> Failure {
    Failure::System(format!("{} already exists; use --force to replace it", path.display()))
}
