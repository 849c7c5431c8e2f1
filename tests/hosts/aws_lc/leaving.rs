//! Clients that leave during their handshakes.

use akv_emulator::{Curve, Fault, FaultKind, Operation};
use akv_tests::{Server, process::wait_until};
use anyhow::{Context as _, Result};
use nix::sys::signal::Signal;

use crate::stage::{Kind, LIMIT, Running, Stage};

/// The number of clients that leave at the same time.
const CLIENTS: usize = 16;

/// Clients whose signatures never come.
fn waiting_clients(running: &Running<'_>) -> Result<Vec<Server>> {
    let clients = (0..CLIENTS).map(|_| running.impatient_client()).collect::<Result<_>>()?;
    running.wait_for_faults(CLIENTS)?;
    Ok(clients)
}

#[test]
fn clients_that_leave_cancel_their_signatures_and_leave_nothing_behind() -> Result<()> {
    let stage = Stage::open(Kind::Ec(Curve::P256))?;
    // Longer than this test, so that nothing ends by itself.
    let running = stage.serve(&[], &[("AKV_TIMEOUT", "600s")])?;
    running.connect("-tls1_3")?;
    let before = running.descriptors()?;
    for _ in 0..3 {
        stage.site.vault().reset_stats();
        stage.site.vault().fault(Fault::new(FaultKind::Hang).on(Operation::Sign).forever());
        let clients = waiting_clients(&running)?;
        // A socket and an event descriptor for each.
        assert!(running.descriptors()? >= before + 2 * CLIENTS);
        drop(clients);
        let closed = || running.descriptors().ok().filter(|open| *open <= before);
        wait_until("the server closes the connections", LIMIT, closed)
            .with_context(|| format!("{before}, then {:?}", running.descriptors()))?;
        stage.site.vault().clear_faults();
        running.connect("-tls1_2")?;
    }
    Ok(())
}

#[test]
fn the_server_ends_with_signatures_in_flight() -> Result<()> {
    let stage = Stage::open(Kind::Ec(Curve::P256))?;
    let running = stage.serve(&[], &[("AKV_TIMEOUT", "600s")])?;
    stage.site.vault().fault(Fault::new(FaultKind::Hang).on(Operation::Sign).forever());
    let clients = waiting_clients(&running)?;
    running.server.signal(Signal::SIGTERM)?;
    running.server.finish(LIMIT)?;
    drop(clients);
    Ok(())
}
