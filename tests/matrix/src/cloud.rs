//! The other end of the network: a namespace with the embedded vault under the service's host names,
//! and the identity endpoint of an Azure virtual machine. The machine reaches it by its default
//! route, and has all ports for itself.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};

use akv_emulator::Emulator;
use akv_tests::Task;
use anyhow::{Context as _, Result};
use nix::sched::{CloneFlags, unshare};

/// The address of the vault.
pub(crate) const VAULT: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
/// Where Azure's virtual machines find their identity.
const IDENTITY: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
/// The address of the machine.
const MACHINE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 2);

/// The thread in that namespace, which starts vaults.
pub(crate) struct Cloud {
    orders: Sender<()>,
    vaults: Receiver<Result<Emulator>>,
}

impl Cloud {
    /// Connects this namespace of the network, which belongs to the machine, with a new one.
    pub(crate) fn connect() -> Result<Self> {
        let (orders, received) = channel();
        let (sender, vaults) = channel();
        let (ready, connected) = channel();
        thread::spawn(move || {
            // Its threads and programs inherit the namespace.
            let _ = ready.send(build());
            for () in received {
                let vault = Emulator::builder()
                    .listen(SocketAddr::from((VAULT, 443)))
                    .identity_listen(SocketAddr::from((IDENTITY, 80)))
                    .start();
                if sender.send(vault.map_err(Into::into)).is_err() {
                    break;
                }
            }
        });
        connected.recv().context("the other end of the network panicked")??;
        ip("link set lo up")?;
        ip(&format!("address add {MACHINE}/24 dev eth0"))?;
        ip("link set eth0 up")?;
        ip(&format!("route add default via {VAULT}"))?;
        Ok(Self { orders, vaults })
    }

    /// A new vault. The one before must have ended.
    pub(crate) fn vault(&self) -> Result<Emulator> {
        self.orders.send(()).context("the other end of the network is gone")?;
        self.vaults.recv().context("the other end of the network is gone")?
    }
}

fn build() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNET).context("no namespace for the network")?;
    let machine = std::process::id();
    ip(&format!("link add cloud type veth peer name eth0 netns {machine}"))?;
    ip("link set lo up")?;
    for address in [VAULT, IDENTITY] {
        ip(&format!("address add {address}/24 dev cloud"))?;
    }
    ip("link set cloud up")
}

fn ip(arguments: &str) -> Result<()> {
    Task::new("ip").args(arguments.split(' ')).ok()?;
    Ok(())
}
