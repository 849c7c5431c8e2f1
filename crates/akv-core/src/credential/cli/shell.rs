//! Runs a tool inside a host process: with a time limit, and without touching the host's signals,
//! children or standard streams.

use std::{
    ffi::OsStr,
    fmt,
    io::{self, Read},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::process::{CommandExt as _, ExitStatusExt as _},
    },
    process::{Child, Command, ExitStatus, Output, Stdio},
    time::{Duration, Instant},
};

use azure_identity::Executor;
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use process_abi::descriptor::{StandardStreams, inherit_only_standard_streams};

use super::answer;
use crate::process::driver::run_blocking;

/// Maximum output that is read; a token has some two thousand bytes.
const MAX_OUTPUT: usize = 64 * 1024;

/// How often to poll whether the program has ended, in case a process that it left behind keeps its
/// output open.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Runs commands for the official crate, whose own implementation waits for ever and looks programs
/// up in the current environment of the process.
pub(super) struct Shell {
    /// Variables as they were when the settings were built.
    variables: Vec<(&'static str, String)>,
    limit: Duration,
}

impl Shell {
    pub(super) fn new(variables: Vec<(&'static str, String)>, limit: Duration) -> Self {
        Self { variables, limit }
    }
}

impl fmt::Debug for Shell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shell").field("limit", &self.limit).finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl Executor for Shell {
    async fn run(&self, program: &OsStr, args: &[&OsStr]) -> io::Result<Output> {
        let mut command = Command::new(program);
        command.args(args).envs(self.variables.iter().map(|(name, value)| (name, value)));
        let limit = self.limit;
        // If no thread can be started, no process can be started either.
        let ran = run_blocking(move || run(&mut command, limit)).await.map_err(|error| {
            let text = format!("cannot start a thread to run it: {error}");
            io::Error::new(error.kind(), text)
        })?;
        Ok(only_token(ran?))
    }
}

/// Output in the form that the official client can parse, without anything else that the program
/// printed.
fn only_token(output: Output) -> Output {
    let Output { mut status, stdout, mut stderr } = output;
    let stdout = zeroize::Zeroizing::new(stdout);
    let mut token = None;
    if status.success() {
        token = answer::token(&stdout);
        if token.is_none() {
            status = ExitStatus::from_raw(1 << 8);
            stderr = b"the program printed no access token".to_vec();
        }
    } else {
        stderr = answer::reason(&stderr).into_bytes();
    }
    let stdout = token.map(|mut text| std::mem::take(&mut *text)).unwrap_or_default();
    Output { status, stdout, stderr }
}

/// Runs the command. After `limit`, kills it with everything that it started.
fn run(command: &mut Command, limit: Duration) -> io::Result<Output> {
    let deadline = Instant::now() + limit;
    // In its own process group, so that the shell's children can be killed with it.
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let command = command.process_group(0);
    inherit_only_standard_streams(command);
    let mut child = {
        let _streams = StandardStreams::hold();
        command.spawn()?
    };
    let result = watch(&mut child, deadline);
    if result.is_err() {
        if let Ok(group) = i32::try_from(child.id()) {
            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
        let _ = child.wait();
    }
    result.map_err(|error| match error.kind() {
        io::ErrorKind::TimedOut => {
            io::Error::new(error.kind(), format!("the program did not finish within {limit:?}"))
        }
        _ => error,
    })
}

/// Reads what the program prints until it ends.
fn watch(child: &mut Child, deadline: Instant) -> io::Result<Output> {
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    loop {
        let ended = ended(child)?;
        // Everything that it printed before it ended is available by now.
        let pause = if ended.is_some() { Duration::ZERO } else { POLL_INTERVAL };
        let mut moved = read_some(&mut out, &mut stdout, pause)?;
        moved |= read_some(&mut err, &mut stderr, Duration::ZERO)?;
        match ended {
            Some(status) if !moved => {
                // Without a status, its output decides.
                let code = if stdout.is_empty() { 1 } else { 0 };
                let status = status.unwrap_or_else(|| ExitStatus::from_raw(code << 8));
                return Ok(Output { status, stdout, stderr });
            }
            Some(_) => {}
            None if Instant::now() >= deadline => return Err(io::ErrorKind::TimedOut.into()),
            None if out.is_none() && !moved => std::thread::sleep(POLL_INTERVAL / 10),
            None => {}
        }
    }
}

/// Whether the program has ended. If the host ignores its children, or waits for all of them
/// itself, there is no status for us.
fn ended(child: &mut Child) -> io::Result<Option<Option<ExitStatus>>> {
    match child.try_wait() {
        Ok(status) => Ok(status.map(Some)),
        Err(error) if error.raw_os_error() == Some(Errno::ECHILD as i32) => Ok(Some(None)),
        Err(error) => Err(error),
    }
}

/// Reads once what is available or arrives within `pause`. A pipe at its end becomes `None`.
fn read_some<T: Read + AsFd>(
    pipe: &mut Option<T>,
    into: &mut Vec<u8>,
    pause: Duration,
) -> io::Result<bool> {
    let Some(open) = pipe else { return Ok(false) };
    if !is_readable(open.as_fd(), pause)? {
        return Ok(false);
    }
    let mut piece = zeroize::Zeroizing::new([0; 4096]);
    let length = open.read(&mut piece[..])?;
    if length == 0 {
        *pipe = None;
    }
    if into.len() + length > MAX_OUTPUT {
        let text = format!("the program printed more than {MAX_OUTPUT} bytes");
        return Err(io::Error::other(text));
    }
    into.extend_from_slice(&piece[..length]);
    Ok(length > 0)
}

fn is_readable(pipe: BorrowedFd<'_>, pause: Duration) -> io::Result<bool> {
    let mut pipes = [PollFd::new(pipe, PollFlags::POLLIN)];
    let pause = PollTimeout::try_from(pause).unwrap_or(PollTimeout::ZERO);
    match poll(&mut pipes, pause) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::EINTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, limit: Duration) -> io::Result<Output> {
        run(Command::new("/bin/sh").args(["-c", script]), limit)
    }

    #[test]
    fn output_and_status_are_complete() {
        let output =
            sh("seq 5000 | head -c 20000; echo bad >&2; exit 7", Duration::from_secs(30)).unwrap();
        assert_eq!((output.stdout.len(), output.status.code()), (20_000, Some(7)));
        assert_eq!(output.stderr, b"bad\n");
    }

    #[test]
    fn a_hanging_program_is_killed_with_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let script = format!("sleep 600 & echo $! > {}; wait", file.display());
        let error = sh(&script, Duration::from_millis(500)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let grandchild = std::fs::read_to_string(file).unwrap();
        let status = format!("/proc/{}/stat", grandchild.trim());
        let start = Instant::now();
        // The process that inherits it needs a moment to reap it.
        while std::fs::read_to_string(&status).is_ok_and(|stat| !stat.contains(") Z ")) {
            assert!(start.elapsed() < Duration::from_secs(10), "the child still runs");
            std::thread::yield_now();
        }
    }

    #[test]
    fn background_processes_are_not_waited_for() {
        let start = Instant::now();
        let output = sh("echo token; sleep 5 & exit 0", Duration::from_secs(30)).unwrap();
        assert_eq!(output.stdout, b"token\n");
        assert!(start.elapsed() < Duration::from_secs(4));
    }

    #[test]
    fn a_program_inherits_no_descriptor_of_the_host() {
        use nix::fcntl::{FcntlArg, FdFlag, fcntl};
        let (reader, _writer) = io::pipe().unwrap();
        // Like the descriptors of many hosts: inherited by every child.
        fcntl(&reader, FcntlArg::F_SETFD(FdFlag::empty())).unwrap();
        let script = "cd /proc/self/fd && for f in *; do readlink $f; done";
        let output = sh(script, Duration::from_secs(30)).unwrap();
        let listed = String::from_utf8(output.stdout).unwrap();
        let pipes = listed.lines().filter(|file| file.starts_with("pipe:")).count();
        assert!(pipes >= 2, "{listed}");
        let inode = nix::sys::stat::fstat(&reader).unwrap().st_ino;
        assert!(!listed.contains(&format!("pipe:[{inode}]")), "{listed}");
    }

    #[test]
    fn endless_output_is_refused() {
        let error = sh("yes", Duration::from_secs(30)).unwrap_err();
        assert!(error.to_string().contains("more than 65536 bytes"), "{error}");
    }
}
