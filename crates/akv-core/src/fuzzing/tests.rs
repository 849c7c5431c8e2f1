//! A short, repeatable run of every entry point. libFuzzer does the long run, with the same
//! examples: `tests/fuzz/README.md`.

use std::path::Path;

use super::mutate::Mutator;

/// Inputs for each entry point.
const INPUTS: usize = 100_000;

fn run(target: &str, entry: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus").join(target);
    let mut mutator = Mutator::new(&folder, 42);
    mutator.corpus().iter().for_each(|example| entry(example));
    for _ in 0..INPUTS {
        entry(&mutator.input());
    }
}

#[test]
fn key_references() {
    run("key_reference", super::key_reference);
}

#[test]
fn key_files() {
    run("key_file", super::key_file);
}

#[test]
fn answers() {
    run("answer", super::answer);
}

#[test]
fn settings() {
    run("settings", super::settings);
}

#[test]
fn ecdsa_signatures() {
    run("ecdsa_signature", super::ecdsa_signature);
}
