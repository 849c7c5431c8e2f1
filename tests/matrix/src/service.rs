//! A service, started, reloaded and stopped as systemd would by its unit. Of the unit's other
//! settings, only users, variables and folders are applied: nothing is sandboxed.

use std::{
    fs::{self, File},
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
};

use akv_tests::{Task, process::wait_until};
use anyhow::{Context as _, Result, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    machine::{LIMIT, Machine, PATH},
    unit::{CommandLine, Unit},
};

/// The running service.
pub(crate) struct Service<'a> {
    machine: &'a Machine,
    name: String,
    unit: Unit,
    variables: Vec<(String, String)>,
    output: PathBuf,
    main: Option<Child>,
}

impl<'a> Service<'a> {
    /// Starts a unit.
    ///
    /// # Errors
    /// One of its commands fails.
    pub(crate) fn start(machine: &'a Machine, name: &str) -> Result<Self> {
        let unit = Unit::read(machine.root(), name)?;
        let mut service = Self {
            machine,
            name: name.to_owned(),
            variables: variables(machine, &unit)?,
            unit,
            output: machine.outside().join(format!("{name}.log")),
            main: None,
        };
        service.make_folders()?;
        service.bind()?;
        service.run_all("ExecStartPre")?;
        let kind = service.unit.last("Type").unwrap_or("simple");
        if ["forking", "oneshot"].contains(&kind) {
            service.run_all("ExecStart")?;
        } else {
            let line = service.unit.last("ExecStart").context("no ExecStart")?;
            let line = CommandLine::parse(line, &service.variables);
            service.main = Some(service.spawn(&line)?);
            if kind.starts_with("notify") {
                let what = format!("{name} is ready");
                let ready = || machine.has_ready_service() || service.ended().is_some();
                wait_until(&what, LIMIT, || ready().then_some(()))?;
            }
        }
        service.run_all("ExecStartPost")?;
        Ok(service)
    }

    /// Reloads it.
    pub(crate) fn reload(&self) -> Result<()> {
        ensure!(!self.unit.all("ExecReload").is_empty(), "{} cannot reload", self.name);
        self.run_all("ExecReload")
    }

    /// Its output, if it has ended although it was not asked to.
    pub(crate) fn ended(&self) -> Option<String> {
        let main = self.main.as_ref()?;
        let stat = fs::read_to_string(format!("/proc/{}/stat", main.id())).unwrap_or_default();
        // The state follows the name in parentheses.
        let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
        matches!(state, None | Some('Z')).then(|| self.output())
    }

    /// What it has printed.
    pub(crate) fn output(&self) -> String {
        fs::read_to_string(&self.output).unwrap_or_default()
    }

    /// Stops it, and waits until none of its processes is left.
    pub(crate) fn stop(mut self) -> Result<()> {
        if let Some(main) = &mut self.main {
            let early = main.try_wait()?;
            ensure!(early.is_none(), "{} ended early: {early:?}\n{}", self.name, self.output());
        }
        self.run_all("ExecStop")?;
        if !self.machine.processes().is_empty() {
            match self.unit.last("KillMode").unwrap_or("control-group") {
                "control-group" => self.machine.signal_all(Signal::SIGTERM),
                _ => {
                    // It may have ended in the meantime.
                    let _ = kill(Pid::from_raw(self.main_id()?), Signal::SIGTERM);
                }
            }
        }
        if let Some(mut main) = self.main.take() {
            let ended = || main.try_wait().transpose();
            let status = wait_until(&format!("{} stops", self.name), LIMIT, ended)??;
            ensure!(stopped(status), "{} ended with {status}\n{}", self.name, self.output());
        }
        self.machine.wait_for_end().with_context(|| format!("{} does not stop", self.name))?;
        self.run_all("ExecStopPost")
    }

    /// The process id of its main process.
    fn main_id(&self) -> Result<i32> {
        if let Some(main) = &self.main {
            return Ok(i32::try_from(main.id())?);
        }
        if let Some(file) = self.unit.last("PIDFile") {
            let text = self.machine.read(file)?;
            return text.trim().parse().with_context(|| format!("{file} has {text:?}"));
        }
        // The first one, of which the others are children.
        let processes = self.machine.processes();
        processes.iter().map(|(id, _)| *id).min().context("no process")
    }

    fn run_all(&self, key: &str) -> Result<()> {
        let mut variables = self.variables.clone();
        if let Ok(id) = self.main_id() {
            variables.push(("MAINPID".into(), id.to_string()));
        }
        let all = self.unit.all(key);
        for line in all {
            let line = CommandLine::parse(line, &variables);
            let mut child = self.spawn(&line)?;
            let what = format!("{key} of {} ends", self.name);
            let status = wait_until(&what, LIMIT, || child.try_wait().transpose())??;
            ensure!(
                status.success() || line.may_fail,
                "{key} of {} ended with {status}: {:?}\n{}{}",
                self.name,
                line.words,
                self.output(),
                self.machine.journal().text()
            );
        }
        Ok(())
    }

    /// Starts a command with the variables and the user of the unit. Its output goes to a file:
    /// daemons keep it open.
    fn spawn(&self, line: &CommandLine) -> Result<Child> {
        let output = File::options().create(true).append(true).open(&self.output)?;
        let mut command = Command::new("chroot");
        command
            .arg(self.machine.root())
            .args(["env", "-i", "-C", self.unit.last("WorkingDirectory").unwrap_or("/")])
            .args(self.variables.iter().map(|(name, value)| format!("{name}={value}")))
            .args(if line.privileged { Vec::new() } else { self.give_up_root() })
            .args(&line.words)
            .env_clear()
            .env("PATH", PATH)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        command.spawn().with_context(|| format!("cannot start {:?}", line.words))
    }

    /// The start of a command line that runs as the unit's user.
    fn give_up_root(&self) -> Vec<String> {
        let Some(user) = self.unit.last("User") else { return Vec::new() };
        let group = self.unit.last("Group").unwrap_or(user);
        let mut words = vec!["setpriv".to_owned(), "--init-groups".into()];
        words.extend([format!("--reuid={user}"), format!("--regid={group}")]);
        let capabilities = self.unit.all("AmbientCapabilities").join(" ");
        let names = capabilities
            .split_whitespace()
            .map(|name| format!("+{}", name.trim_start_matches("CAP_").to_lowercase()));
        let names = names.collect::<Vec<_>>().join(",");
        if !names.is_empty() {
            words.extend([format!("--inh-caps={names}"), format!("--ambient-caps={names}")]);
        }
        words
    }

    /// The files that the unit has in other places too.
    fn bind(&self) -> Result<()> {
        let keys = ["BindPaths", "BindReadOnlyPaths"];
        let values = keys.iter().flat_map(|key| self.unit.all(key));
        for pair in values.flat_map(|values| values.split_whitespace()) {
            if let Some((from, to)) = pair.split_once(':') {
                self.machine.write(to, "")?;
                let [from, to] = [from, to].map(|path| self.machine.path(path));
                Task::new("mount").arg("--bind").arg(from).arg(to).ok()?;
            }
        }
        Ok(())
    }

    fn make_folders(&self) -> Result<()> {
        let user = self.unit.last("User").unwrap_or("root");
        let group = self.unit.last("Group").unwrap_or(user);
        for (key, parent) in [
            ("RuntimeDirectory", "/run"),
            ("StateDirectory", "/var/lib"),
            ("CacheDirectory", "/var/cache"),
            ("LogsDirectory", "/var/log"),
        ] {
            let mode = self.unit.last(&format!("{key}Mode")).unwrap_or("0755");
            for name in self.unit.all(key).iter().flat_map(|names| names.split_whitespace()) {
                self.machine.make_folder(&format!("{parent}/{name}"), mode, user, group)?;
            }
        }
        Ok(())
    }
}

/// What systemd sets, and what the unit sets.
fn variables(machine: &Machine, unit: &Unit) -> Result<Vec<(String, String)>> {
    let mut variables = vec![("PATH".to_owned(), PATH.to_owned())];
    variables.push(("LANG".into(), "C.UTF-8".into()));
    // Some programs look whether it is there.
    variables.push(("INVOCATION_ID".into(), "0123456789abcdef0123456789abcdef".into()));
    if unit.last("Type").is_some_and(|kind| kind.starts_with("notify")) {
        variables.push(("NOTIFY_SOCKET".into(), "/run/systemd/notify".into()));
    }
    if let Some(user) = unit.last("User") {
        variables.push(("USER".into(), user.into()));
    }
    variables.extend(unit.environment(machine.root())?);
    Ok(variables)
}

/// Whether a main process ended as services do that are asked to stop.
fn stopped(status: ExitStatus) -> bool {
    let terminated = 128 + Signal::SIGTERM as i32;
    status.success()
        || status.signal() == Some(Signal::SIGTERM as i32)
        || status.code() == Some(terminated)
}
