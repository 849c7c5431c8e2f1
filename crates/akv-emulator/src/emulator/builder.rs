//! Options of an emulator, and its start.

use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener as StdListener},
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::net::TcpListener;
use uuid::Uuid;

use super::{Emulator, Error};
use crate::{
    applications::{Application, Registry},
    arc_agent::Agent,
    assigned::Assigned,
    auth::{CLIENT_ID, Tokens},
    clock::Clock,
    connections::Connections,
    faults::Faults,
    identity,
    latency::Pace,
    permissions::Permissions,
    persona::Persona,
    recovery::{RETENTION_DAYS, Recovery, Rules},
    server,
    state::State,
    stats::Counters,
    store::Store,
    throttle::Throttle,
    tls::Tls,
};

/// Access tokens of the service are valid for about a day.
const TOKEN_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// Options of an emulator; see [`Emulator::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    persona: Persona,
    listen: SocketAddr,
    identity_listen: SocketAddr,
    fixed_tokens: HashMap<String, String>,
    recovery: Recovery,
    token_lifetime: Duration,
    state_dir: Option<PathBuf>,
    names: Vec<String>,
    applications: Vec<Application>,
    arc_folder: Option<PathBuf>,
    control_interface: bool,
    worker_threads: usize,
}

impl Default for Builder {
    fn default() -> Self {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            persona: Persona::Vault,
            listen: loopback,
            identity_listen: loopback,
            fixed_tokens: HashMap::new(),
            recovery: Recovery::default(),
            token_lifetime: TOKEN_LIFETIME,
            state_dir: None,
            names: Vec::new(),
            applications: Vec::new(),
            arc_folder: None,
            control_interface: false,
            worker_threads: std::thread::available_parallelism().map_or(1, |n| n.get().min(4)),
        }
    }
}

impl Builder {
    /// The service under host names that do not belong to a known service, such as `127.0.0.1`.
    /// Names such as `x.managedhsm.azure.net` determine the service themselves.
    pub const fn persona(mut self, persona: Persona) -> Self {
        self.persona = persona;
        self
    }

    /// Address of the HTTPS listener, `127.0.0.1:0` by default.
    pub const fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Address of the plain HTTP listener of the identity endpoints, `127.0.0.1:0` by default.
    pub const fn identity_listen(mut self, address: SocketAddr) -> Self {
        self.identity_listen = address;
        self
    }

    /// A token that is valid for every vault and never expires.
    pub fn fixed_token(self, token: impl Into<String>) -> Self {
        self.named_token(CLIENT_ID, token)
    }

    /// The same for a separate identity, which can be given permissions by name.
    pub fn named_token(mut self, identity: impl Into<String>, token: impl Into<String>) -> Self {
        self.fixed_tokens.insert(token.into(), identity.into());
        self
    }

    /// Days for which the vaults keep deleted keys, 7 to 90; 90 by default.
    pub const fn retention_days(mut self, days: u32) -> Self {
        self.recovery.days = days;
        self
    }

    /// Forbids purging of deleted keys before the vault does so itself.
    pub const fn purge_protection(mut self, on: bool) -> Self {
        self.recovery.purge_protection = on;
        self
    }

    /// How long issued tokens are valid, a day by default.
    pub const fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.token_lifetime = lifetime;
        self
    }

    /// A folder that keeps the CA and the keys, including their private parts, across restarts.
    pub fn state_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.state_dir = Some(directory.into());
        self
    }

    /// Adds a DNS name or IP address to the server certificate.
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.names.push(name.into());
        self
    }

    /// Registers an application in Microsoft Entra ID; see [`Emulator::register`].
    pub fn application(mut self, application: Application) -> Self {
        self.applications.push(application);
        self
    }

    /// Makes the machine an Azure Arc server; see [`Emulator::set_arc_folder`].
    pub fn arc_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.arc_folder = Some(folder.into());
        self
    }

    /// Serves the control interface under `/__emulator/`, off by default.
    pub const fn control_interface(mut self, on: bool) -> Self {
        self.control_interface = on;
        self
    }

    /// Threads that serve connections; by default one per CPU, four at most.
    pub fn worker_threads(mut self, threads: usize) -> Self {
        self.worker_threads = threads.max(1);
        self
    }

    /// Starts the emulator on its own threads. When this returns, it accepts connections.
    ///
    /// # Errors
    /// [`Error::Io`] if an address is in use or the state folder cannot be used, and
    /// [`Error::Refused`] for an application whose certificate cannot be read and for an invalid
    /// retention period.
    pub fn start(self) -> Result<Emulator, Error> {
        if !(7..=RETENTION_DAYS).contains(&self.recovery.days) {
            let text = format!("a vault keeps deleted keys for 7 to {RETENTION_DAYS} days");
            return Err(Error::Refused(text));
        }
        let tls = Tls::new(self.state_dir.as_deref(), &self.names)?;
        let store = match self.state_dir {
            Some(directory) => Store::open(directory)?,
            None => Store::default(),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(self.worker_threads)
            .thread_name("akv-emulator")
            .enable_all()
            .build()?;
        let guard = runtime.enter();
        let (https, identity) = (bind(self.listen)?, bind(self.identity_listen)?);
        let (address, identity_address) = (https.local_addr()?, identity.local_addr()?);
        drop(guard);
        let entra = Registry::default();
        for application in self.applications {
            entra.add(application).map_err(Error::Refused)?;
        }
        let arc = Agent::default();
        arc.set_folder(self.arc_folder);
        let state = Arc::new(State {
            persona: self.persona,
            store,
            recovery: Rules::new(self.recovery),
            tokens: Tokens::new(self.fixed_tokens, self.token_lifetime),
            clock: Clock::default(),
            faults: Faults::default(),
            permissions: Permissions::default(),
            latency: Pace::default(),
            throttle: Throttle::default(),
            connections: Connections::default(),
            counters: Counters::default(),
            tls,
            entra,
            arc,
            assigned: Assigned::default(),
            identity_header: Uuid::new_v4().to_string(),
            control_interface: self.control_interface,
        });
        let accepting = vec![
            runtime.spawn(server::serve_https(https, Arc::clone(&state))),
            runtime.spawn(server::serve_identity(identity, Arc::clone(&state))),
        ];
        Ok(Emulator {
            endpoint: format!("https://{address}"),
            imds_endpoint: format!("http://{identity_address}"),
            arc_endpoint: format!("http://{identity_address}{}", identity::IMDS),
            identity_endpoint: format!("http://{identity_address}{}", identity::APP_SERVICE),
            address,
            state,
            accepting: Mutex::new(accepting),
            runtime: Mutex::new(Some(runtime)),
        })
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = StdListener::bind(address)?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}
