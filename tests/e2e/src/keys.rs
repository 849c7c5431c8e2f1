//! The keys of a run: created under unique names, and deleted at the end.

use std::sync::atomic::Ordering::Relaxed;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use akv_core::{
    AesSize, Curve, Key, NewKey, RsaSize, SignatureAlgorithm, SymmetricKey, Vault, VaultKind,
};
use akv_tests::process::interrupted;

use crate::case::CannotRun;

/// The prefix of all key names of this program.
pub(crate) const PREFIX: &str = "akv-e2e-";

/// How long a vault may take to delete a key, before it can be purged.
const DELETION: Duration = Duration::from_secs(90);

/// The key pairs that most cases share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Pair {
    Rsa,
    Ec(Curve),
}

impl Pair {
    pub(crate) const ALL: [Self; 5] = [
        Self::Rsa,
        Self::Ec(Curve::P256),
        Self::Ec(Curve::P384),
        Self::Ec(Curve::P521),
        Self::Ec(Curve::P256K),
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rsa => "RSA-2048",
            Self::Ec(Curve::P256) => "P-256",
            Self::Ec(Curve::P384) => "P-384",
            Self::Ec(Curve::P521) => "P-521",
            Self::Ec(Curve::P256K) => "P-256K",
        }
    }

    pub(crate) fn new_key(self) -> NewKey<Key> {
        match self {
            Self::Rsa => NewKey::rsa(RsaSize::Bits2048),
            Self::Ec(curve) => NewKey::ec(curve),
        }
    }

    /// The algorithms of the service for such keys.
    pub(crate) fn algorithms(self, kind: VaultKind) -> Vec<SignatureAlgorithm> {
        use SignatureAlgorithm::{Ps256, Ps384, Ps512, Rs256, Rs384, Rs512, RsNull};
        match (self, kind) {
            (Self::Ec(curve), _) => vec![SignatureAlgorithm::ecdsa(curve)],
            (Self::Rsa, VaultKind::Vault) => {
                vec![Rs256, Rs384, Rs512, Ps256, Ps384, Ps512, RsNull]
            }
            (Self::Rsa, VaultKind::ManagedHsm) => vec![Rs256, Rs384, Rs512, Ps256, Ps384, Ps512],
        }
    }
}

/// The keys created so far.
#[derive(Default)]
pub(crate) struct Keys {
    run: String,
    /// Every name under which a key may have been created, whatever the result of the request.
    names: Mutex<Vec<String>>,
    pairs: Mutex<HashMap<Pair, Key>>,
    aes: Mutex<Option<SymmetricKey>>,
}

impl Keys {
    pub(crate) fn new() -> Self {
        let run = format!("{:012x}", fastrand::u64(..) >> 16);
        Self { run, ..Self::default() }
    }

    /// The unique id of this run.
    pub(crate) fn run(&self) -> &str {
        &self.run
    }

    /// A name for a key that is about to be created in any way; it is deleted at the end.
    pub(crate) fn name(&self, purpose: &str) -> String {
        let name = format!("{PREFIX}{}-{}", self.run, purpose.to_ascii_lowercase());
        let mut names = lock(&self.names);
        if !names.contains(&name) {
            names.push(name.clone());
        }
        name
    }

    /// Creates one of the shared pairs.
    pub(crate) async fn make(&self, vault: &Vault, pair: Pair) -> akv_core::Result<Key> {
        let new = pair.new_key().tag("made-by", "akv-e2e");
        let key = vault.create(&self.name(pair.name()), new).await?;
        lock(&self.pairs).insert(pair, key.clone());
        Ok(key)
    }

    /// Creates the shared AES key, which only a Managed HSM supports.
    pub(crate) async fn make_aes(&self, vault: &Vault) -> akv_core::Result<SymmetricKey> {
        let new = NewKey::aes(AesSize::Bits256).tag("made-by", "akv-e2e");
        let key = vault.create(&self.name("aes-256"), new).await?;
        *lock(&self.aes) = Some(key.clone());
        Ok(key)
    }

    /// A shared pair.
    pub(crate) fn pair(&self, pair: Pair) -> Result<Key, CannotRun> {
        let made = lock(&self.pairs).get(&pair).cloned();
        made.ok_or_else(|| CannotRun(format!("its key ({}) was not made", pair.name())))
    }

    /// The shared AES key.
    pub(crate) fn aes(&self) -> Result<SymmetricKey, CannotRun> {
        lock(&self.aes).clone().ok_or_else(|| CannotRun("its key (AES-256) was not made".into()))
    }

    /// Deletes everything, and purges it if `purge`. Returns messages for the user.
    pub(crate) async fn remove(&self, vault: &Vault, purge: bool) -> Vec<String> {
        let names = std::mem::take(&mut *lock(&self.names));
        let mut said = Vec::new();
        let mut deleted = Vec::new();
        for name in names {
            if interrupted().load(Relaxed) {
                said.push(format!("interrupted: {name} may be left"));
                continue;
            }
            match vault.delete(&name).await {
                Ok(()) => deleted.push((name, true)),
                // A case deleted it, or it was never created.
                Err(error) if error.status() == Some(404) => deleted.push((name, false)),
                Err(error) => said.push(format!("{name} may be left: {error}")),
            }
        }
        if !purge {
            said.push("the deleted keys stay recoverable (--no-purge)".to_owned());
            return said;
        }
        let limit = Instant::now() + DELETION;
        for (name, certain) in deleted {
            match purge_until(vault, &name, limit, certain).await {
                Err(error) if certain || error.status() != Some(404) => {
                    said.push(format!("{name} is deleted but not purged: {error}"));
                }
                _ => {}
            }
        }
        said
    }
}

/// Purges a key as soon as the vault has finished deleting it. Unless there certainly is something
/// to purge, the first "not found" ends this.
async fn purge_until(
    vault: &Vault,
    name: &str,
    limit: Instant,
    certain: bool,
) -> akv_core::Result<()> {
    loop {
        let result = vault.purge(name).await;
        let status = result.as_ref().err().and_then(akv_core::Error::status);
        let may_come = status == Some(409) || (certain && status == Some(404));
        if !may_come || Instant::now() >= limit || interrupted().load(Relaxed) {
            return result;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
