//! The emulator as a program: starts, prints how to use it, and serves until it is stopped. Other
//! programs can include it as a subcommand.

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

/// The command-line arguments.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Address of the HTTPS listener; port 0 picks a free port.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Address of the identity endpoints' plain HTTP listener.
    #[arg(long, default_value = "127.0.0.1:0")]
    identity_listen: SocketAddr,
    /// The service under host names other than those of the real services.
    #[arg(long, value_enum, default_value = "vault")]
    persona: PersonaArgument,
    /// An access token that never expires, instead of a generated one.
    #[arg(long)]
    token: Option<String>,
    /// An additional token that never expires, for an identity that can be given permissions.
    #[arg(long = "named-token", value_name = "IDENTITY=TOKEN", value_parser = parse::named_token)]
    named_tokens: Vec<(String, String)>,
    /// Keeps the CA and the keys (unencrypted!) in this folder across restarts.
    #[arg(long)]
    state_dir: Option<PathBuf>,
    /// Creates a key: `rsa:NAME:BITS`, `ec:NAME:CURVE` or `oct:NAME:BITS`, with `-hsm` after the
    /// type for an HSM key, and `@HOST` at the end for a vault other than the default one. Existing
    /// keys are left unchanged.
    #[arg(long = "key", value_name = "SPEC")]
    keys: Vec<NewKey>,
    /// Creates a key with a self-signed certificate: as `--key`, `=` and the subject, such as
    /// `ec:web:P-256=CN=www.example.org`.
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
    /// Assigns a user-assigned managed identity to the machine: `client=ID` and, if requests use
    /// them, `object=ID` and `resource=/subscriptions/…`. Other identities are then refused.
    #[arg(long = "managed-identity", value_name = "SPEC", value_parser = parse::managed_identity)]
    managed_identities: Vec<AssignedIdentity>,
    /// Makes the machine an Azure Arc server whose agent keeps its secret files in this folder.
    #[arg(long, value_name = "FOLDER")]
    arc_folder: Option<PathBuf>,
    #[command(flatten)]
    behaviour: Box<Behaviour>,
    /// An additional DNS name or IP address for the server certificate.
    #[arg(long = "server-name", value_name = "NAME")]
    server_names: Vec<String>,
    /// Also writes the shell lines to this file, readable only by its owner.
    #[arg(long, value_name = "FILE")]
    write_env: Option<PathBuf>,
    /// The file for the CA's certificate; by default in the state folder, or a temporary file that
    /// is removed at the end.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Prints the variables as a JSON object on one line instead of shell lines.
    #[arg(skip)]
    json: bool,
}

/// The behaviour of the services, which the control interface can change later.
#[derive(Args, Debug)]
#[command(next_help_heading = "Behaviour")]
struct Behaviour {
    /// Latency of responses: `hsm-in-region` (4 ms), `vault-in-region` (p50 15 ms, p99 60 ms),
    /// `cross-region` (90 ms), or `P50,P99` in milliseconds.
    #[arg(long, value_name = "PROFILE", value_parser = parse::latency)]
    latency: Option<Latency>,
    /// Throttles as the service does, with all limits multiplied by this factor.
    #[arg(
        long,
        value_name = "FACTOR",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1",
        value_parser = parse::throttling,
    )]
    throttle: Option<Throttling>,
    /// Adds `Retry-After` to throttled responses.
    #[arg(long, requires = "throttle")]
    retry_after: bool,
    /// Queues a fault, in the JSON format of the control interface.
    #[arg(long = "fault", value_name = "JSON", value_parser = parse::fault)]
    faults: Vec<Fault>,
    /// Gives an identity a permission, and removes all that were not given explicitly:
    /// `identity=CLIENT_ID,operations=get+sign`, with `key=NAME` and `vault=HOST` to restrict it.
    /// The identity `*` stands for all others.
    #[arg(long = "permit", value_name = "SPEC")]
    permissions: Vec<Permission>,
    /// The access model of the vaults, which determines the errors of refused requests.
    #[arg(long, value_enum, default_value = "policies")]
    access_model: AccessModelArgument,
    /// The tenant of the vaults: tokens of other tenants are refused.
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,
    /// Lifetime of issued tokens in seconds.
    #[arg(long, value_name = "SECONDS")]
    token_lifetime: Option<u64>,
    /// Duration of a deletion in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "0")]
    deletion_delay: u64,
    /// Days for which the vaults keep deleted keys.
    #[arg(long, value_name = "DAYS", default_value = "90")]
    retention_days: u32,
    /// Forbids purging deleted keys.
    #[arg(long)]
    purge_protection: bool,
    /// Shift of the emulator's clock from the system's, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "0", allow_negative_numbers = true)]
    clock_shift: i64,
    /// Makes the Azure Arc agent name this file in its challenges instead of a new one.
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
    /// Prints the variables as a JSON object on one line instead of shell lines.
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

/// Serves until Ctrl-C or SIGTERM. Prints the variables that point a client at it.
///
/// # Errors
/// An address is in use, a file cannot be written, or the emulator refuses a key or an application.
pub fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Before anything is printed: the reader of the lines may send a signal at once.
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
