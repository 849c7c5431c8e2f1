//! Runs the program.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Instant,
};

use akv_core::VaultKind;
use akv_tests::{modules, process::interrupted};
use anyhow::{Context as _, Result, bail};
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::{
    arguments::Arguments,
    case::{CannotRun, Case, Outcome, Stopwatch},
    emulated::Emulated,
    plan, preflight,
    record::Recorder,
    report::{Entry, Report},
    stage::Stage,
    target::Target,
};

const KINDS: [(VaultKind, &str); 2] = [(VaultKind::Vault, "vault"), (VaultKind::ManagedHsm, "hsm")];

/// Runs the selected cases. Returns whether every case passed.
///
/// # Errors
/// The arguments are invalid, or nothing could be run.
pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    if arguments.list {
        for (kind, label) in KINDS {
            for case in plan::cases(kind, label, &arguments.only) {
                println!("{}", plan::line(label, &case));
            }
        }
        return Ok(true);
    }
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(interrupted()))?;
    }
    // Kept until the end: the cases need them.
    let mut emulated = Vec::new();
    let targets = match arguments.emulator {
        true => {
            for (kind, _) in KINDS {
                emulated.push(Emulated::start(kind).context("the embedded vault does not start")?);
            }
            emulated.iter().map(|vault| vault.target.clone()).collect()
        }
        false => plan::real(arguments)?,
    };
    // Detects wrong names and settings before any request.
    let stages: Vec<(Stage, Option<Recorder>)> =
        targets.into_iter().map(|target| prepare(target, arguments)).collect::<Result<_>>()?;
    if stages.iter().all(|(stage, _)| planned(stage, arguments).is_empty()) {
        bail!("no case matches `--only`; `cargo xtask e2e --list` prints them");
    }
    preflight::programs()?;
    let mut report = Report::new();
    for (stage, recorder) in &stages {
        run_all(stage, arguments, &mut report);
        if let Some(recorder) = recorder {
            println!("{}: {} exchanges recorded", stage.target.label(), recorder.finish()?);
        }
    }
    report.print();
    let beside_modules = || Ok(modules::folder()?.with_file_name("e2e"));
    let folder = arguments.report.clone().map_or_else(beside_modules, anyhow::Ok)?;
    report.write(&folder)?;
    Ok(report.is_good())
}

fn prepare(mut target: Target, arguments: &Arguments) -> Result<(Stage, Option<Recorder>)> {
    let recorder = match &arguments.record {
        Some(folder) => {
            let recorder = Recorder::start(&target, &folder.join(target.label()))?;
            target.set("endpoint", recorder.endpoint());
            target.set("ca-file", recorder.ca_file());
            Some(recorder)
        }
        None => None,
    };
    Ok((Stage::new(target)?, recorder))
}

fn planned(stage: &Stage, arguments: &Arguments) -> Vec<Case> {
    plan::cases(stage.target.kind, stage.target.label(), &arguments.only)
}

/// Runs the cases of one target, and removes its keys whatever happens.
fn run_all(stage: &Stage, arguments: &Arguments, report: &mut Report) {
    let cases = planned(stage, arguments);
    if cases.is_empty() {
        return;
    }
    println!("{}: run {}, {} cases", stage.target.reference(""), stage.keys.run(), cases.len());
    let usable = preflight::permissions(stage).map_err(|error| format!("{error:#}"));
    let number = cases.len();
    for (index, case) in cases.into_iter().enumerate() {
        let start = Instant::now();
        let watch = Stopwatch::default();
        let outcome = match &usable {
            _ if interrupted().load(Relaxed) => Outcome::NotRun { why: "interrupted".into() },
            // The full text is at the first one.
            Err(_) if index > 0 => Outcome::NotRun { why: "as above".into() },
            Err(error) => Outcome::NotRun { why: error.clone() },
            Ok(()) => attempt(&case, stage, &watch),
        };
        let entry = Entry::new(stage.target.label(), &case, outcome, start.elapsed(), watch);
        println!("[{}/{number}] {}", index + 1, entry.progress());
        report.add(entry);
    }
    // A second Ctrl-C also ends the cleanup; the names of the remaining keys are printed.
    interrupted().store(false, Relaxed);
    for line in stage.remove_keys(!arguments.no_purge) {
        println!("{}: {line}", stage.target.label());
    }
}

/// Runs one case; a panic counts as a failure.
fn attempt(case: &Case, stage: &Stage, watch: &Stopwatch) -> Outcome {
    match catch_unwind(AssertUnwindSafe(|| (case.body)(stage, watch))) {
        Ok(Ok(())) => Outcome::Passed,
        Ok(Err(_)) if interrupted().load(Relaxed) => CannotRun("interrupted".into()).into(),
        Ok(Err(error)) => error.into(),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            let why = format!("panicked: {}", text.unwrap_or("without a text"));
            Outcome::Failed { why, request_id: None }
        }
    }
}
