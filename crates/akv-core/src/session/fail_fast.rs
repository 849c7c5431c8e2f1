//! The setting `fail-fast`: the [circuits](super::circuit) of a session's vaults, and how
//! operations use them.

use std::{
    fmt,
    future::Future,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use arc_swap::ArcSwap;
use azure_core::time::OffsetDateTime;
use futures::{TryFutureExt as _, future::BoxFuture};

use super::{
    Session, VaultClient,
    circuit::{Admission, Circuit},
};
use crate::{
    Error, ErrorKind, KeyReference, Result, process::runs_in_background, transport::Failure,
};

/// How long an operation is tried while the circuit is open, if no thread could continue it after
/// its caller has received the error.
const FOREGROUND: Duration = Duration::from_millis(500);

/// A kind of operation. Operations that change a vault have none: they always run normally, since
/// their result would be lost after the caller received an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Sign,
    Encrypt,
    Decrypt,
    WrapKey,
    UnwrapKey,
    GetKey,
    GetCertificate,
    ListKeys,
}

impl Kind {
    const COUNT: usize = Self::ListKeys as usize + 1;
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sign => "sign",
            Self::Encrypt => "encrypt",
            Self::Decrypt => "decrypt",
            Self::WrapKey => "wrap key",
            Self::UnwrapKey => "unwrap key",
            Self::GetKey => "get key",
            Self::GetCertificate => "get certificate",
            Self::ListKeys => "list keys",
        })
    }
}

/// The circuits of all vaults. A list that only grows, without a lock, so that a child of `fork`
/// can read it regardless of what its parent was doing.
#[derive(Default)]
pub(super) struct Circuits(ArcSwap<Vec<Arc<VaultCircuits>>>);

impl Circuits {
    /// The circuits of the vault that `reference` names.
    pub(crate) fn of(&self, reference: &KeyReference) -> Arc<VaultCircuits> {
        let vault = reference.vault();
        let find = |all: &Vec<Arc<VaultCircuits>>| {
            all.iter().find(|circuits| circuits.vault == vault).cloned()
        };
        if let Some(known) = find(&self.0.load()) {
            return known;
        }
        let fresh = Arc::new(VaultCircuits::new(vault.clone()));
        self.0.rcu(|all| match find(all) {
            Some(_) => Vec::clone(all),
            None => all.iter().cloned().chain([Arc::clone(&fresh)]).collect(),
        });
        find(&self.0.load()).unwrap_or(fresh)
    }
}

/// The circuits of one vault.
pub(crate) struct VaultCircuits {
    vault: KeyReference,
    /// The start of the circuits' clock, also for children of `fork`.
    start: Instant,
    kinds: [Circuit; Kind::COUNT],
}

impl VaultCircuits {
    fn new(vault: KeyReference) -> Self {
        let kinds = std::array::from_fn(|_| Circuit::new());
        Self { vault, start: Instant::now(), kinds }
    }

    fn of(&self, kind: Kind) -> &Circuit {
        &self.kinds[kind as usize]
    }

    /// A time on the circuits' clock.
    fn at(&self, time: Instant) -> u64 {
        let millis = time.saturating_duration_since(self.start).as_millis();
        u64::try_from(millis).unwrap_or(u64::MAX - 1) + 1
    }
}

/// One attempt of an operation that borrows nothing from its caller. Only the presence of a
/// response matters.
pub(crate) type Probe =
    Box<dyn Fn(Arc<VaultClient>) -> BoxFuture<'static, Result<(), Failure>> + Send + Sync>;

/// The circuit of an operation.
#[derive(Clone)]
pub(crate) struct Watch {
    pub(crate) circuits: Arc<VaultCircuits>,
    pub(crate) kind: Kind,
}

impl Session {
    /// Runs a read-only request on the vault that `reference` names. `attempt` owns its data, since
    /// it may continue after its caller has received an error.
    pub(crate) async fn read<T, F>(
        &self,
        reference: &KeyReference,
        kind: Kind,
        attempt: impl Fn(Arc<VaultClient>) -> F + Clone + Send + Sync + 'static,
    ) -> Result<T>
    where
        T: 'static,
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let vault = self.vault_client(reference)?;
        let probe = || -> Probe {
            let attempt = attempt.clone();
            Box::new(move |vault| Box::pin(attempt(vault).map_ok(drop)))
        };
        self.run_watched(&vault, (&self.circuits(reference), kind), probe, &attempt).await
    }

    /// Runs a read-only operation within the deadline, unless its vault does not respond. `probe`
    /// makes an attempt that can continue without the caller.
    pub(crate) async fn run_watched<T, F>(
        &self,
        vault: &Arc<VaultClient>,
        (circuits, kind): (&Arc<VaultCircuits>, Kind),
        probe: impl FnOnce() -> Probe,
        attempt: impl Fn(Arc<VaultClient>) -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let timeout = self.settings().timeout();
        if !self.settings().values().fail_fast {
            return self.run_on(vault, timeout, attempt).await.0;
        }
        let circuit = circuits.of(kind);
        let mut in_foreground = None;
        if circuit.is_open() {
            match circuit.admit(circuits.at(Instant::now())) {
                Admission::Normal => {}
                Admission::Refused(since) => {
                    drop(self.metrics().operation());
                    self.metrics().failure();
                    return Err(self.failing_fast(vault, circuits, kind, since));
                }
                Admission::Probe(since) if runs_in_background() => {
                    let watch = Watch { circuits: Arc::clone(circuits), kind };
                    tokio::spawn(self.clone().run_probe(Arc::clone(vault), watch, probe()));
                    return Err(self.failing_fast(vault, circuits, kind, since));
                }
                Admission::Probe(since) => in_foreground = Some(since),
            }
        }
        let began = Instant::now();
        let limit = in_foreground.map_or(timeout, |_| timeout.min(FOREGROUND));
        let (outcome, answered) = self.run_on(vault, limit, attempt).await;
        match (&outcome, in_foreground) {
            (_, None) if answered => circuit.answered(circuits.at(began)),
            (_, Some(_)) if answered => {
                circuit.close(circuits.at(Instant::now()));
                tracing::info!(host = vault.host, %kind, "the vault responds again");
            }
            (Err(error), Some(since)) if error.kind() == ErrorKind::Timeout => {
                return Err(self.failing_fast(vault, circuits, kind, since));
            }
            (Err(error), None)
                if error.kind() == ErrorKind::Timeout
                    && circuit.unanswered(circuits.at(began), circuits.at(Instant::now())) =>
            {
                tracing::warn!(host = vault.host, %kind, "no response; failing fast");
            }
            _ => {}
        }
        outcome
    }

    /// Runs an operation after its caller has received an error.
    async fn run_probe(self, vault: Arc<VaultClient>, watch: Watch, probe: Probe) {
        let Watch { circuits, kind } = watch;
        let (_, answered) = self.run_on(&vault, self.settings().timeout(), probe).await;
        if answered {
            circuits.of(kind).close(circuits.at(Instant::now()));
            tracing::info!(host = vault.host, %kind, "the vault responds again");
        }
    }

    /// The error of an operation that fails fast.
    #[cold]
    fn failing_fast(
        &self,
        vault: &VaultClient,
        circuits: &VaultCircuits,
        kind: Kind,
        since: u64,
    ) -> Error {
        let ago = Duration::from_millis(circuits.at(Instant::now()).saturating_sub(since));
        let since = OffsetDateTime::from(SystemTime::now() - ago);
        let text = format!(
            "{} has not responded to this kind of operation ({kind}) since {} {:02}:{:02}:{:02} \
             UTC; until it does, such operations fail immediately (setting fail-fast), except for \
             one probe a second",
            vault.host,
            since.date(),
            since.hour(),
            since.minute(),
            since.second(),
        );
        Error::new(ErrorKind::Network, text)
            .hint("check the vault and the network; with fail-fast = no, each operation waits")
    }
}
