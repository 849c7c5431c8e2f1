//! The emulator as a program: starts, prints how to use it, serves until it is told to stop. It is
//! here for programs that have it as one of their commands.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    net::SocketAddr,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::{Application, Curve, Emulator, NewKey, Persona};

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
    /// Keeps the CA and the keys (readable!) in this folder across restarts.
    #[arg(long)]
    state_dir: Option<PathBuf>,
    /// Creates a key: `rsa:NAME:BITS`, `ec:NAME:CURVE` or `oct:NAME:BITS`, with `-hsm` after the
    /// type for an HSM key, and `@HOST` at the end for another vault than the default one.
    /// Keys that exist already are left alone.
    #[arg(long = "key", value_name = "SPEC", value_parser = parse_key)]
    keys: Vec<NewKey>,
    /// Registers an application in Microsoft Entra ID: `tenant=ID,client=ID` and at least one of
    /// `secret=TEXT`, `certificate=FILE` (PEM), `federated-token=FILE`.
    #[arg(long = "application", value_name = "SPEC", value_parser = parse_application)]
    applications: Vec<Application>,
    /// Makes the machine an Azure Arc server whose agent keeps its secret files in this folder.
    #[arg(long, value_name = "FOLDER")]
    arc_folder: Option<PathBuf>,
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

/// Serves until Ctrl-C or SIGTERM. Standard output gets the variables that point a client at it.
///
/// # Errors
/// An address is taken, a file cannot be written, or the emulator refuses a key or an application.
pub fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Before anything is printed: whoever reads the lines may send a signal at once.
    let mut stop = runtime.block_on(async { Stop::new() })?;
    let mut builder = Emulator::builder()
        .listen(arguments.listen)
        .identity_listen(arguments.identity_listen)
        .control_interface(true)
        .persona(match arguments.persona {
            PersonaArgument::Vault => Persona::Vault,
            PersonaArgument::ManagedHsm => Persona::ManagedHsm,
        });
    if let Some(directory) = &arguments.state_dir {
        builder = builder.state_dir(directory);
    }
    for name in arguments.server_names {
        builder = builder.server_name(name);
    }
    for application in arguments.applications {
        builder = builder.application(application);
    }
    if let Some(folder) = &arguments.arc_folder {
        builder = builder.arc_folder(folder);
    }
    let token = arguments.token.clone();
    if let Some(token) = arguments.token {
        builder = builder.fixed_token(token);
    }
    let emulator = builder.start()?;
    for key in arguments.keys {
        emulator.ensure_key(key)?;
    }
    let ca = CaFile::write(&emulator, arguments.ca_file, arguments.state_dir.as_deref())?;
    let variables = variables(&emulator, ca.path(), &token.unwrap_or_else(|| emulator.token()));
    let lines = shell_lines(&emulator, &variables);
    if let Some(file) = &arguments.write_env {
        write_private(file, &lines)?;
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

/// The file with the CA's certificate; a temporary one is removed at the end.
enum CaFile {
    Kept(PathBuf),
    Temporary(tempfile::NamedTempFile),
}

impl CaFile {
    fn write(
        emulator: &Emulator,
        asked: Option<PathBuf>,
        state_dir: Option<&Path>,
    ) -> io::Result<Self> {
        let kept = asked.or_else(|| state_dir.map(|directory| directory.join("ca.pem")));
        if let Some(file) = kept {
            fs::write(&file, emulator.ca_pem())?;
            return Ok(Self::Kept(fs::canonicalize(file)?));
        }
        // Public, and clients may run under other accounts.
        let file = tempfile::Builder::new()
            .prefix("akv-emulator-ca-")
            .suffix(".pem")
            .permissions(fs::Permissions::from_mode(0o644))
            .tempfile()?;
        file.as_file().write_all(emulator.ca_pem().as_bytes())?;
        Ok(Self::Temporary(file))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(file) => file.path(),
        }
    }
}

/// The lines hold a token: only their owner may read them.
fn write_private(file: &Path, lines: &str) -> io::Result<()> {
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file)?;
    file.write_all(lines.as_bytes())
}

fn variables(emulator: &Emulator, ca_file: &Path, token: &str) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("AKV_ENDPOINT", emulator.endpoint().to_owned()),
        ("AKV_CA_FILE", ca_file.to_string_lossy().into_owned()),
        ("AZURE_CLI_ACCESS_TOKEN", token.to_owned()),
    ])
}

fn shell_lines(emulator: &Emulator, variables: &BTreeMap<&str, String>) -> String {
    let mut lines = String::new();
    for (name, value) in variables {
        lines.push_str(&format!("export {name}={}\n", quote(value)));
    }
    lines.push_str(&format!(
        "# instead of the token, managed identity: IDENTITY_ENDPOINT={} IDENTITY_HEADER={}\n\
         # or a virtual machine's metadata service: IMDS_ENDPOINT={}\n\
         # or an application given as --application: AZURE_AUTHORITY_HOST={}\n",
        emulator.identity_endpoint(),
        emulator.identity_header(),
        emulator.imds_endpoint(),
        emulator.authority()
    ));
    lines
}

/// Quotes for a POSIX shell where the value needs it.
fn quote(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,[]".contains(c);
    if value.chars().all(plain) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// Reads `TYPE[-hsm]:NAME:SIZE[@HOST]`.
fn parse_key(text: &str) -> Result<NewKey, String> {
    let (text, host) = match text.split_once('@') {
        Some((text, host)) => (text, Some(host)),
        None => (text, None),
    };
    let [kind, name, size] = text.split(':').collect::<Vec<_>>()[..] else {
        return Err("expected TYPE:NAME:SIZE, for example rsa:web:2048 or ec:web:P-256".into());
    };
    let bits = || size.parse::<usize>().map_err(|_| format!("`{size}` is not a key size"));
    let (kind, hsm) = match kind.strip_suffix("-hsm") {
        Some(kind) => (kind, true),
        None => (kind, false),
    };
    let key = match kind {
        "rsa" => NewKey::rsa(name, bits()?),
        "oct" => NewKey::oct(name, bits()?),
        "ec" => {
            let curve = Curve::from_name(size).ok_or_else(|| format!("`{size}` is no curve"))?;
            NewKey::ec(name, curve)
        }
        other => return Err(format!("`{other}` is no key type: rsa, ec or oct")),
    };
    Ok(match host {
        Some(host) => key.hsm(hsm).vault_host(host),
        None => key.hsm(hsm),
    })
}

/// Reads `tenant=ID,client=ID,secret=TEXT,certificate=FILE,federated-token=FILE`.
fn parse_application(text: &str) -> Result<Application, String> {
    let fields: Vec<(&str, &str)> = text
        .split(',')
        .map(|field| field.split_once('=').ok_or_else(|| format!("`{field}` has no `=`")))
        .collect::<Result<_, _>>()?;
    let one = |name: &str| {
        let found = fields.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| *value).ok_or_else(|| format!("`{name}=` is missing"))
    };
    let read = |file: &str| {
        fs::read_to_string(file).map_err(|error| format!("`{file}` cannot be read: {error}"))
    };
    let mut application = Application::new(one("tenant")?, one("client")?);
    let mut proofs = 0;
    for (name, value) in &fields {
        application = match *name {
            "tenant" | "client" => continue,
            "secret" => application.secret(*value),
            "certificate" => application.certificate(read(value)?),
            "federated-token" => application.federated_token(read(value)?.trim()),
            other => return Err(format!("`{other}` is no part of an application")),
        };
        proofs += 1;
    }
    match proofs {
        0 => Err("expected `secret=`, `certificate=` or `federated-token=`".into()),
        _ => Ok(application),
    }
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
