//! HAProxy as configured by its package: it changes its root directory, gives up root and, without
//! `insecure-fork-wanted`, forbids processes and so threads for itself.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use akv_emulator::{Fault, Operation};
use akv_tests::{Client, Server, Task, cc, process::wait_until};
use anyhow::{Context as _, Result, ensure};

use crate::stage::{LIMIT, Stage, descriptors, threads};

/// Starts HAProxy with more lines in its section `global`, and with the time that clients have.
fn start(stage: &Stage, global: &str, client: &str) -> Result<(Server, String)> {
    let pair = std::fs::read_to_string(&stage.certificate)? + &std::fs::read_to_string(&stage.key)?;
    std::fs::write(stage.site.path("both.pem"), pair)?;
    stage.serve("Loading success", |port| {
        let config = format!(
            "global\n chroot /var/lib/haproxy\n user haproxy\n group haproxy\n{global}\
             defaults\n mode http\n timeout connect 5s\n timeout client {client}\n timeout server 50s\n\
             frontend tls\n bind 127.0.0.1:{port} ssl crt {}\n \
             http-request return status 200 content-type text/plain string signed\n",
            stage.site.text("both.pem")
        );
        std::fs::write(stage.site.path("haproxy.cfg"), config)?;
        Ok(Task::new("haproxy").args(["-W", "-db", "-f"]).arg(stage.site.path("haproxy.cfg")))
    })
}

fn serves(rsa: bool) -> Result<()> {
    let stage = Stage::open(rsa)?;
    let (server, address) = start(&stage, "", "50s")?;
    stage.check_handshakes(&server, &address)?;
    let threads = threads(server.id());
    assert!(threads.len() > 1 && !threads.contains(&"akv".to_owned()), "{threads:?}");
    let log = server.output();
    assert!(!log.contains("ALERT") && !log.contains("panicked"), "{log}");
    Ok(())
}

#[test]
fn serves_rsa_keys_with_its_stock_settings() -> Result<()> {
    serves(true)
}

#[test]
fn serves_ec_keys_with_its_stock_settings() -> Result<()> {
    serves(false)
}

/// Number of clients whose handshakes are in progress at the same time.
const CLIENTS: usize = 8;

#[test]
fn one_thread_serves_many_handshakes_at_a_time_with_ssl_mode_async() -> Result<()> {
    let stage = Stage::open(true)?;
    let global = " nbthread 1\n insecure-fork-wanted\n ssl-mode-async\n";
    let (server, address) = start(&stage, global, "50s")?;
    // Long enough for all clients to start.
    stage.site.vault().fault(Fault::latency(Duration::from_secs(5)).on(Operation::Sign).forever());
    let ended = AtomicUsize::new(0);
    thread::scope(|scope| {
        let connect = || {
            let client = Client { address: &address, ca: &stage.certificate, arguments: "-tls1_3" };
            let handshake = client.connect(&stage.site.plain());
            ended.fetch_add(1, Ordering::SeqCst);
            handshake
        };
        let clients = [(); CLIENTS].map(|()| scope.spawn(connect));
        let start = Instant::now();
        while stage.site.vault().stats().faults < CLIENTS as u64 {
            ensure!(
                start.elapsed() < LIMIT,
                "{:?}\n{}",
                stage.site.vault().stats(),
                server.output()
            );
            thread::yield_now();
        }
        // With a blocked thread, seven of them would have ended before the last request.
        assert_eq!(ended.load(Ordering::SeqCst), 0, "{}", server.output());
        for client in clients {
            client.join().expect("no panic")?;
        }
        Ok(())
    })?;
    assert_eq!(stage.site.vault().stats().sign, CLIENTS as u64);
    Ok(())
}

/// Number of connections that HAProxy gives up during their handshakes, in each round.
const GIVEN_UP: usize = 60;

#[test]
fn handshakes_that_time_out_cost_no_descriptor_with_ssl_mode_async() -> Result<()> {
    let stage = Stage::open(false)?;
    let global = " nbthread 1\n insecure-fork-wanted\n ssl-mode-async\n";
    let (server, address) = start(&stage, global, "1s")?;
    let connect = || {
        let client = Client { address: &address, ca: &stage.certificate, arguments: "-tls1_3" };
        client.connect(&stage.site.plain())
    };
    connect()?;
    let before = descriptors(server.id());
    let port = address.rsplit(':').next().context("a port")?;
    let program = cc::compile("hosts/leave", stage.site.folder())?;
    let slow = Fault::latency(Duration::from_secs(5)).on(Operation::Sign);
    stage.site.vault().fault(slow.times(2 * GIVEN_UP as u32));
    for round in 1..=2 {
        let task = Task::new(&program).args([port, &GIVEN_UP.to_string()]);
        let ready = |line: &str| line.contains("waiting").then_some(());
        let (_clients, ()) = Server::start(task, LIMIT, ready)?;
        let requested = || stage.site.vault().stats().faults == (round * GIVEN_UP) as u64;
        wait_until("all are at the vault", LIMIT, || requested().then_some(()))?;
        // Until then each has a socket, and two descriptors of its event.
        let open = before + 2 * GIVEN_UP + GIVEN_UP / 4;
        wait_until("the server gives them up", LIMIT, || {
            (descriptors(server.id()) < open).then_some(())
        })?;
    }
    // The server and its connection to the vault may use a few more than before.
    wait_until("descriptors are closed", LIMIT, || {
        (descriptors(server.id()) < before + GIVEN_UP / 4).then_some(())
    })?;
    connect()?;
    assert!(!server.output().contains("ALERT"), "{}", server.output());
    Ok(())
}
