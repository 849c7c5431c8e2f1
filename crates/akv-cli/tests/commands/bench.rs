//! `akv bench`: its numbers match the vault's, and it stops when throttling starts.

use std::time::Duration;

use akv_emulator::{Fault, Operation};
use akv_tests::Server;
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::World;

#[test]
fn numbers_match_the_vaults() {
    let world = World::with_keys();
    // Fixes the latencies.
    world.vault.fault(Fault::latency(Duration::from_millis(20)).on(Operation::Sign).forever());
    let report = world.json("bench vault:my-vault:p256 --seconds 1 --at-once 1,4 --plot steps.svg");
    let steps = report["steps"].as_array().unwrap();
    let number = |step: usize, name: &str| steps[step][name].as_f64().unwrap();
    assert_eq!((steps.len(), number(0, "atOnce"), number(1, "atOnce")), (2, 1.0, 4.0));
    for step in [0, 1] {
        let (p50, p99) = (number(step, "p50Milliseconds"), number(step, "p99Milliseconds"));
        assert!(20.0 <= p50 && p50 <= p99, "{report:#}");
        assert!(number(step, "seconds") >= 1.0, "{report:#}");
    }
    // Without concurrency the rate is limited by the latency.
    assert!(number(0, "signaturesPerSecond") <= 50.0, "{report:#}");
    // Those of the steps, and one warm-up.
    let signatures = number(0, "signatures") + number(1, "signatures") + 1.0;
    assert_eq!(signatures, world.vault.stats().sign as f64, "{report:#}");
    assert_eq!(
        (&report["throttling"], &report["algorithm"]),
        (&Value::Null, &Value::from("ES256"))
    );
    assert!(report["counters"]["operations"].as_f64() >= Some(signatures), "{report:#}");
    let drawing = String::from_utf8(world.read("steps.svg")).unwrap();
    assert!(drawing.starts_with("<svg") && drawing.trim_end().ends_with("</svg>"), "{drawing}");
    assert!(drawing.contains("vault:my-vault:p256") && drawing.contains("signatures per second"));
    // The file is not overwritten, and nothing is measured.
    let before = world.vault.stats().sign;
    let text = world.fails("bench vault:my-vault:p256 --plot steps.svg", 3);
    assert!(text.contains("--force"), "{text}");
    assert_eq!(world.vault.stats().sign, before);
}

#[test]
fn stops_when_throttling_starts() {
    let world = World::with_keys();
    let throttled = Fault::throttled().on(Operation::Sign).probability(0.2).forever();
    world.vault.fault(throttled);
    let line = "bench vault:my-vault:p256 --seconds 1 --at-once 32,33";
    let report = world.json(line);
    assert_eq!(report["steps"].as_array().unwrap().len(), 1, "{report:#}");
    assert_eq!(report["throttling"]["atOnce"], 32, "{report:#}");
    assert!(report["throttling"]["requestsPerSecond"].as_f64() > Some(0.0), "{report:#}");
    assert!(report["steps"][0]["throttled"].as_u64() > Some(0), "{report:#}");
    let text = world.ok(&format!("{line} --keep-going")).text();
    assert!(text.contains("Throttling starts at 32 at once"), "{text}");
    assert!(text.lines().any(|line| line.trim_start().starts_with("33 ")), "{text}");
    // Progress bar and colours are only for terminals.
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[test]
fn a_key_that_never_signs_is_an_error() {
    let world = World::with_keys();
    world.vault.fault(Fault::new(akv_emulator::FaultKind::Forbidden).on(Operation::Sign).forever());
    let text = world.fails("bench vault:my-vault:p256 --seconds 1", 5);
    assert!(text.contains("403"), "{text}");
}

#[test]
fn an_interrupt_prints_the_completed_steps() {
    let world = World::with_keys();
    let limit = Duration::from_secs(60);
    let bench = world.akv("bench vault:my-vault:p256 --seconds 1 --at-once 1,2,3");
    let second = |line: &str| line.trim_start().starts_with("2 ").then_some(());
    let (bench, ()) = Server::start(bench, limit, second).unwrap();
    bench.signal(Signal::SIGINT).unwrap();
    let report = bench.finish(limit).unwrap_err().to_string();
    for part in ["exit status: 130", "did not throttle", "Counters:", "akv: interrupted"] {
        assert!(report.contains(part), "{report}");
    }
    assert!(!report.lines().any(|line| line.trim_start().starts_with("3 ")), "{report}");
}
