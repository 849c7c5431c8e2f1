//! Servers that run during a test: started, ready after their first output, killed at the end.

use std::{
    io::{BufRead as _, BufReader, Read},
    process::{Child, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow};
use nix::sys::signal::{Signal, kill, killpg};

use crate::process::{Task, group_of, wait_until, within};

/// A program that runs until it is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    line: String,
    output: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

impl Server {
    /// Starts it and waits until a line of its output contains what the caller needs, such as its
    /// port.
    ///
    /// # Errors
    /// It cannot be started, ends, or does not print such a line in time.
    pub fn start<T: Send + 'static>(
        task: Task,
        limit: Duration,
        ready: impl Fn(&str) -> Option<T> + Send + Sync + 'static,
    ) -> Result<(Self, T)> {
        let (mut command, line) = task.into_parts();
        let mut child = command
            // Kept open as long as the server runs: `s_server` ends when it is closed.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start `{line}`"))?;
        let output = Arc::new(Mutex::new(String::new()));
        let (sender, answers) = mpsc::channel();
        let ready = Arc::new(ready);
        let pipes = [
            child.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
            child.stderr.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
        ];
        let mut readers = Vec::new();
        for pipe in pipes.into_iter().flatten() {
            let (output, sender, ready) = (Arc::clone(&output), sender.clone(), Arc::clone(&ready));
            readers.push(thread::spawn(move || {
                let mut reader = BufReader::new(pipe);
                let mut bytes = Vec::new();
                while matches!(reader.read_until(b'\n', &mut bytes), Ok(1..)) {
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    output.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text);
                    if let Some(answer) = ready(text.trim_end()) {
                        let _ = sender.send(answer);
                    }
                    bytes.clear();
                }
            }));
        }
        drop(sender);
        let server = Self { child, line, output, readers };
        match within(limit, &answers) {
            Ok(answer) => Ok((server, answer)),
            Err(reason) => Err(anyhow!("`{}` {reason}\n{}", server.line, server.output())),
        }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its output so far.
    pub fn output(&self) -> String {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends it a signal, such as the one to reload.
    ///
    /// # Errors
    /// It has ended.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill(group_of(&self.child), signal)?)
    }

    /// Waits until it has printed `text`, and returns its output so far.
    ///
    /// # Errors
    /// It does not print it in time.
    pub fn wait_for(&self, text: &str, limit: Duration) -> Result<String> {
        let what = format!("`{}` prints {text:?}", self.line);
        wait_until(&what, limit, || Some(self.output()).filter(|output| output.contains(text)))
            .with_context(|| self.output())
    }

    /// Waits until it ends by itself, for servers with a limited number of connections.
    ///
    /// # Errors
    /// It does not end in time, or not with exit code 0.
    pub fn finish(mut self, limit: Duration) -> Result<String> {
        let line = self.line.clone();
        let child = &mut self.child;
        let status =
            wait_until(&format!("`{line}` ends"), limit, || child.try_wait().transpose())??;
        // Its last output may still be in the pipes.
        for reader in self.readers.drain(..) {
            reader.join().map_err(|_| anyhow!("the reader of `{line}` panicked"))?;
        }
        if status.success() {
            Ok(self.output())
        } else {
            Err(anyhow!("`{line}` ended with {status}\n{}", self.output()))
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After it was reaped, its process id may be reused.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = killpg(group_of(&self.child), Signal::SIGKILL);
            let _ = self.child.wait();
        }
    }
}
