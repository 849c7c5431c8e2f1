//! The RSA key exchange of TLS: off by default; when on, nothing reveals the vault's result.

use std::time::{Duration, Instant};

use akv_core::{EncryptionAlgorithm::Rsa15, ErrorKind, Key};
use akv_emulator::{Fault, Latency, NewKey, Operation};

use super::{Vault, run};

const TLS_1_2: &[u16] = &[0x0303];
const GRID: Duration = Duration::from_millis(100);

fn key(vault: &Vault, options: &[(&str, &str)]) -> Key {
    let client = akv_core::Client::new(vault.settings(options));
    run(async { client.key(&client.reference("vault:myVault:rsa")?).await }).unwrap()
}

fn start() -> Vault {
    let vault = Vault::start();
    vault.emulator.create_key(NewKey::rsa("rsa", 2048)).unwrap();
    vault
}

fn secret(version: [u8; 2]) -> Vec<u8> {
    [&version[..], &[0x5a; 46]].concat()
}

#[test]
fn is_refused_before_any_request_without_the_setting() {
    let vault = start();
    for options in [&[][..], &[("rsa-key-exchange", "no")]] {
        let key = key(&vault, options);
        let ciphertext = key.encrypt(Rsa15, &secret([3, 3])).unwrap();
        vault.emulator.reset_stats();
        let refused = [
            run(key.tls_premaster(&ciphertext, TLS_1_2)).unwrap_err(),
            run(key.tls_premaster_block(&ciphertext)).unwrap_err(),
        ];
        for error in refused {
            assert_eq!(error.kind(), ErrorKind::NotAllowed, "{error}");
            assert!(error.to_string().contains("rsa-key-exchange"), "{error}");
        }
        assert_eq!(vault.emulator.stats().requests, 0);
        // Other decryptions are not affected.
        assert_eq!(*run(key.decrypt(Rsa15, &ciphertext)).unwrap(), secret([3, 3]));
    }
}

#[test]
fn a_refusal_becomes_random_bytes_without_a_second_request() {
    let vault = start();
    let key = key(&vault, &[("rsa-key-exchange", "yes")]);
    let right = key.encrypt(Rsa15, &secret([3, 3])).unwrap();
    let premaster = |ciphertext: &[u8]| {
        vault.emulator.reset_stats();
        let (start, secret) =
            (Instant::now(), run(key.tls_premaster(ciphertext, TLS_1_2)).unwrap());
        assert!(start.elapsed() >= GRID, "a response before the first release time");
        assert_eq!(vault.emulator.stats().operation(Operation::Decrypt), 1, "no retry");
        secret.to_vec()
    };
    assert_eq!(premaster(&right), secret([3, 3]));
    let wrong_version = key.encrypt(Rsa15, &secret([3, 1])).unwrap();
    assert_ne!(premaster(&wrong_version)[2..], [0x5a; 46]);
    for status in [400, 405, 409, 422, 499] {
        vault.emulator.fault(Fault::status(status).on(Operation::Decrypt));
        let (first, second) = (premaster(&right), premaster(&[&[0], &[0x11; 255][..]].concat()));
        assert!(first != secret([3, 3]) && first != second, "{status}");
    }
    let block = run(key.tls_premaster_block(&[&[0], &[0x11; 255][..]].concat())).unwrap();
    let separator = block[2..].iter().position(|byte| *byte == 0).map(|at| at + 2);
    assert_eq!((block.len(), &block[..2], separator), (256, &[0, 2][..], Some(256 - 49)));
}

#[test]
fn failures_unrelated_to_the_ciphertext_are_errors_within_the_deadline() {
    let vault = start();
    let key = key(&vault, &[("rsa-key-exchange", "yes"), ("timeout", "1s")]);
    let ciphertext = key.encrypt(Rsa15, &secret([3, 3])).unwrap();
    for status in [403, 404, 503] {
        vault.emulator.fault(Fault::status(status).on(Operation::Decrypt).forever());
        let start = Instant::now();
        let error = run(key.tls_premaster(&ciphertext, TLS_1_2)).unwrap_err();
        assert_eq!(error.status(), Some(status), "{error}");
        assert!(start.elapsed() < Duration::from_millis(1_250), "{:?}", start.elapsed());
        vault.emulator.clear_faults();
    }
}

/// Response times by class of ciphertext, against a vault with the latency of one in the region:
/// `cargo test -p akv-core --test service --release -- --ignored --nocapture
/// timing_of_the_rsa_key_exchange`. `docs/security.md` has its result.
#[test]
#[ignore = "a measurement of some minutes"]
fn timing_of_the_rsa_key_exchange() {
    const EACH: usize = 10_000;
    // Not a multiple of three: each class takes each place in a batch equally often.
    const AT_ONCE: usize = 25;
    let vault = start();
    vault.emulator.set_latency(Some(Latency::VAULT_IN_REGION));
    let options = [("rsa-key-exchange", "yes"), ("max-concurrency", "64")];
    let key = key(&vault, &options);
    let good = key.encrypt(Rsa15, &secret([3, 3])).unwrap();
    let version = key.encrypt(Rsa15, &secret([3, 1])).unwrap();
    let padding = [&[0], &[0x11; 255][..]].concat();
    let classes = [("good padding", good), ("bad padding", padding), ("wrong version", version)];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut times: [Vec<f64>; 3] = Default::default();
    runtime.block_on(async {
        let mut left = 3 * EACH;
        while left > 0 {
            // One of each class, interleaved, so that other load affects all of them alike.
            let batch: Vec<_> = (0..AT_ONCE.min(left)).map(|index| (index + left) % 3).collect();
            left -= batch.len();
            let asked = batch.into_iter().map(|class| {
                let (key, ciphertext) = (&key, &classes[class].1);
                async move {
                    let start = Instant::now();
                    key.tls_premaster(ciphertext, TLS_1_2).await.unwrap();
                    (class, start.elapsed().as_secs_f64() * 1e3)
                }
            });
            for (class, took) in futures::future::join_all(asked).await {
                times[class].push(took);
            }
        }
    });
    for ((name, _), times) in classes.iter().zip(&mut times) {
        times.sort_by(f64::total_cmp);
        let (mean, deviation) = moments(times);
        let late = times.iter().filter(|took| **took > 150.0).count();
        let median = times[times.len() / 2];
        println!(
            "{name}: n {}, mean {mean:.3} ms, sd {deviation:.3}, median {median:.3} ms, \
             after the first line {late}",
            times.len()
        );
    }
    for (one, other) in [(0, 1), (0, 2), (1, 2)] {
        let (first, second) = (&times[one], &times[other]);
        println!(
            "{} and {}: difference of medians {:.3} ms, t {:.2}, Kolmogorov-Smirnov {:.4} \
             (1 in 20 by chance: {:.4})",
            classes[one].0,
            classes[other].0,
            first[first.len() / 2] - second[second.len() / 2],
            welch(first, second),
            kolmogorov(first, second),
            1.36 * (2.0 / first.len().min(second.len()) as f64).sqrt(),
        );
    }
}

fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, variance.sqrt())
}

/// Welch's t.
fn welch(first: &[f64], second: &[f64]) -> f64 {
    let ((one, deviation), (other, spread)) = (moments(first), moments(second));
    let error = deviation.powi(2) / first.len() as f64 + spread.powi(2) / second.len() as f64;
    (one - other) / error.sqrt()
}

/// The maximum distance between two distributions, given as sorted values.
fn kolmogorov(first: &[f64], second: &[f64]) -> f64 {
    let share = |values: &[f64], limit: f64| {
        values.partition_point(|value| *value <= limit) as f64 / values.len() as f64
    };
    let all = first.iter().chain(second);
    all.map(|limit| (share(first, *limit) - share(second, *limit)).abs()).fold(0.0, f64::max)
}
