//! The emulator as a program: starts, prints how to use it, serves until it is told to stop. It is
//! here for programs that have it as one of their commands.

mod output;
mod parse;

use std::{
    io::{self, Write as _},
    net::SocketAddr,
    path::PathBuf,
    time::Duration,
};

use clap::{Args, ValueEnum};
use serde_json::json;

use self::output::{CaFile, shell_lines, variables};
use crate::{
    AccessModel, Application, AssignedIdentity, Emulator, Error, Fault, Latency, NewKey,
    Permission, Persona, Throttling,
    files::{named, write_private},
};

/// What the program can be told on its command line.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Address of the HTTPS listener; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Address of the identity endpoints' plain HTTP listener.
    #[arg(long, default_value = "127.0.0.1:0")]
    identity_listen: SocketAddr,
    /// Which service answers under host names other than the real services'.
    #[arg(long, value_enum, default_value = "vault")]
    persona: PersonaArgument,
    /// An access token to accept for ever, instead of a generated one.
    #[arg(long)]
    token: Option<String>,
    /// One more token to accept for ever, for an identity that can be given permissions.
    #[arg(long = "named-token", value_name = "IDENTITY=TOKEN", value_parser = parse::named_token)]
    named_tokens: Vec<(String, String)>,
    /// Keeps the CA and the keys (readable!) in this folder across restarts.
    #[arg(long)]
    state_dir: Option<PathBuf>,
    /// Creates a key: `rsa:NAME:BITS`, `ec:NAME:CURVE` or `oct:NAME:BITS`, with `-hsm` after the
    /// type for an HSM key, and `@HOST` at the end for another vault than the default one.
    /// Keys that exist already are left alone.
    #[arg(long = "key", value_name = "SPEC")]
    keys: Vec<NewKey>,
    /// Creates a key with a certificate that it signs itself: as `--key`, `=` and the subject,
    /// such as `ec:web:P-256=CN=www.example.org`.
    #[arg(
        long = "certificate",
        value_name = "SPEC=SUBJECT",
        value_parser = parse::certificate,
    )]
    certificates: Vec<(NewKey, String)>,
    /// Registers an application in Microsoft Entra ID: `tenant=ID,client=ID` and at least one of
    /// `secret=TEXT`, `certificate=FILE` (PEM), `federated-token=FILE`.
    #[arg(long = "application", value_name = "SPEC", value_parser = parse::application)]
    applications: Vec<Application>,
    /// Gives the machine a user-assigned managed identity: `client=ID` and, where it is asked for by
    /// them, `object=ID` and `resource=/subscriptions/…`. Others are refused from then on.
    #[arg(long = "managed-identity", value_name = "SPEC", value_parser = parse::managed_identity)]
    managed_identities: Vec<AssignedIdentity>,
    /// Makes the machine an Azure Arc server whose agent keeps its secret files in this folder.
    #[arg(long, value_name = "FOLDER")]
    arc_folder: Option<PathBuf>,
    #[command(flatten)]
    behaviour: Box<Behaviour>,
    /// One more DNS name or IP address for the server certificate.
    #[arg(long = "server-name", value_name = "NAME")]
    server_names: Vec<String>,
    /// Writes the shell lines to this file, too, readable for its owner only.
    #[arg(long, value_name = "FILE")]
    write_env: Option<PathBuf>,
    /// Where the CA's certificate is written; by default into the state folder or a file of its
    /// own among the temporary files, which is removed at the end.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Prints the variables as a JSON object in one line instead of shell lines.
    #[arg(skip)]
    json: bool,
}

/// How the services behave; all of it can be changed later through the control interface.
#[derive(Args, Debug)]
#[command(next_help_heading = "Behaviour")]
struct Behaviour {
    /// How long answers take: `hsm-in-region` (4 ms), `vault-in-region` (15 ms, 60 ms for one of a
    /// hundred), `cross-region` (90 ms), or `P50,P99` in milliseconds.
    #[arg(long, value_name = "PROFILE", value_parser = parse::latency)]
    latency: Option<Latency>,
    /// Throttles as the service does, all limits multiplied by this factor.
    #[arg(
        long,
        value_name = "FACTOR",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1",
        value_parser = parse::throttling,
    )]
    throttle: Option<Throttling>,
    /// Has throttled answers say when there is room again.
    #[arg(long, requires = "throttle")]
    retry_after: bool,
    /// Queues a fault, in JSON as the control interface has it.
    #[arg(long = "fault", value_name = "JSON", value_parser = parse::fault)]
    faults: Vec<Fault>,
    /// Gives an identity a permission, and so takes all others from it:
    /// `identity=CLIENT_ID,operations=get+sign`, with `key=NAME` and `vault=HOST` if it is not for
    /// all of them. The identity `*` is everybody else.
    #[arg(long = "permit", value_name = "SPEC")]
    permissions: Vec<Permission>,
    /// How the vaults decide who may do what, which shows in refusals.
    #[arg(long, value_enum, default_value = "policies")]
    access_model: AccessModelArgument,
    /// The tenant of the vaults: tokens of others are refused.
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,
    /// How many seconds the tokens are valid that are issued.
    #[arg(long, value_name = "SECONDS")]
    token_lifetime: Option<u64>,
    /// How many seconds a deletion takes.
    #[arg(long, value_name = "SECONDS", default_value = "0")]
    deletion_delay: u64,
    /// How many days the vaults keep what is deleted.
    #[arg(long, value_name = "DAYS", default_value = "90")]
    retention_days: u32,
    /// Nobody may purge what is deleted.
    #[arg(long)]
    purge_protection: bool,
    /// By how many seconds the emulator's clock differs from the system's.
    #[arg(long, value_name = "SECONDS", default_value = "0", allow_negative_numbers = true)]
    clock_shift: i64,
    /// Has the Azure Arc agent name this file in its challenges instead of a fresh one.
    #[arg(long, value_name = "FILE")]
    arc_challenge: Option<PathBuf>,
}

impl Behaviour {
    fn start(&self, emulator: &Emulator) {
        emulator.shift_clock(self.clock_shift);
        emulator.set_latency(self.latency);
        emulator.set_throttling(self.throttle.map(|limits| limits.retry_after(self.retry_after)));
        emulator.set_deletion_delay(Duration::from_secs(self.deletion_delay));
        emulator.set_tenant(self.tenant.clone());
        emulator.set_arc_challenge(self.arc_challenge.clone());
        emulator.set_access_model(match self.access_model {
            AccessModelArgument::Policies => AccessModel::Policies,
            AccessModelArgument::Roles => AccessModel::Roles,
        });
        for permission in &self.permissions {
            emulator.permit(permission.clone());
        }
        for fault in &self.faults {
            emulator.fault(fault.clone());
        }
    }
}

impl Arguments {
    /// Has the variables printed as a JSON object in one line, instead of shell lines.
    #[must_use]
    pub fn json(self, json: bool) -> Self {
        Self { json, ..self }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PersonaArgument {
    Vault,
    #[value(alias = "managedhsm", alias = "hsm")]
    ManagedHsm,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum AccessModelArgument {
    /// Access policies: `ForbiddenByPolicy`.
    Policies,
    /// Roles of Azure's access control: `ForbiddenByRbac`.
    Roles,
}

/// Serves until Ctrl-C or SIGTERM. Standard output gets the variables that point a client at it.
///
/// # Errors
/// An address is taken, a file cannot be written, or the emulator refuses a key or an application.
pub fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Before anything is printed: whoever reads the lines may send a signal at once.
    let mut stop = runtime.block_on(async { Stop::new() })?;
    let emulator = start(&arguments)?;
    let token = arguments.token.unwrap_or_else(|| emulator.token());
    let ca = CaFile::write(&emulator, arguments.ca_file, arguments.state_dir.as_deref())?;
    let variables = variables(&emulator, ca.path(), &token);
    let lines = shell_lines(&emulator, &variables);
    if let Some(file) = &arguments.write_env {
        write_private(file, lines.as_bytes()).map_err(|error| named(file, &error))?;
    }
    let mut stdout = io::stdout().lock();
    match arguments.json {
        true => writeln!(stdout, "{}", json!(variables))?,
        false => stdout.write_all(lines.as_bytes())?,
    }
    stdout.flush()?;
    drop(stdout);
    runtime.block_on(stop.wait());
    emulator.shutdown();
    Ok(())
}

fn start(arguments: &Arguments) -> Result<Emulator, Error> {
    let behaviour = &arguments.behaviour;
    let mut builder = Emulator::builder()
        .listen(arguments.listen)
        .identity_listen(arguments.identity_listen)
        .control_interface(true)
        .retention_days(behaviour.retention_days)
        .purge_protection(behaviour.purge_protection)
        .persona(match arguments.persona {
            PersonaArgument::Vault => Persona::Vault,
            PersonaArgument::ManagedHsm => Persona::ManagedHsm,
        });
    if let Some(directory) = &arguments.state_dir {
        builder = builder.state_dir(directory);
    }
    for name in &arguments.server_names {
        builder = builder.server_name(name);
    }
    for application in &arguments.applications {
        builder = builder.application(application.clone());
    }
    if let Some(folder) = &arguments.arc_folder {
        builder = builder.arc_folder(folder);
    }
    if let Some(token) = &arguments.token {
        builder = builder.fixed_token(token);
    }
    for (identity, token) in &arguments.named_tokens {
        builder = builder.named_token(identity, token);
    }
    if let Some(seconds) = behaviour.token_lifetime {
        builder = builder.token_lifetime(Duration::from_secs(seconds));
    }
    let emulator = builder.start()?;
    behaviour.start(&emulator);
    for identity in &arguments.managed_identities {
        emulator.assign_identity(identity.clone());
    }
    for key in &arguments.keys {
        emulator.ensure_key(key.clone())?;
    }
    for (key, subject) in &arguments.certificates {
        emulator.ensure_certificate(key.clone(), subject)?;
    }
    Ok(emulator)
}

/// Ctrl-C and SIGTERM.
struct Stop {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Stop {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
