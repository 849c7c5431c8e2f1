//! `akv bench`: signatures per second, their latency, and where throttling starts.

mod load;
mod plot;

use std::{
    io::{self, Write as _},
    path::PathBuf,
    time::Duration,
};

use akv_core::{Client, SignatureAlgorithm};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

use self::load::{Load, Step};
use super::sign::algorithm;
use crate::{
    exit::{Failure, Result},
    key::Named,
    output::{Destination, Secrecy, Show, counters_json, words},
    settings::SettingsArguments,
    text::duration,
};

/// Measure signatures: how many per second, their latency, and where throttling starts.
///
/// Signs random bytes with more and more concurrency, until the service throttles (HTTP 429). These
/// are normal requests: they count against the vault's limits, which other programs share, and are
/// billed.
#[derive(Args, Debug)]
pub(crate) struct Bench {
    /// The key.
    key: String,
    /// The algorithm; by default that of `akv sign`.
    #[arg(short, long, value_name = "NAME", value_parser = algorithm)]
    algorithm: Option<SignatureAlgorithm>,
    /// The number of concurrent signatures in each step.
    #[arg(
        long,
        value_name = "NUMBERS",
        value_delimiter = ',',
        default_value = "1,2,4,8,16,32,64",
        value_parser = clap::value_parser!(u32).range(1..=1024)
    )]
    at_once: Vec<u32>,
    /// How long each step takes.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "5",
        value_parser = clap::value_parser!(u32).range(1..=3600)
    )]
    seconds: u32,
    /// Continue with the next step when the service throttles.
    #[arg(long)]
    keep_going: bool,
    /// Plot the steps to this file, as SVG.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Replace an existing file.
    #[arg(short, long, requires = "plot")]
    force: bool,
    #[command(flatten)]
    settings: SettingsArguments,
}

impl Bench {
    pub(crate) async fn run(self, show: Show) -> Result<()> {
        let drawing = self.plot.clone().map(|file| Destination::new(file, self.force));
        if let Some(drawing) = &drawing {
            drawing.check()?;
        }
        let client = self.settings.client()?;
        let key = Named::read(&client, &self.key)?.open(&client).await?;
        let algorithm =
            self.algorithm.unwrap_or_else(|| SignatureAlgorithm::default_for(key.public_key()));
        let load = Load::new(&client, key, algorithm)?;
        // Gets token and connection before the measurement, and reports a refusal at once.
        load.once().await?;
        let (steps, interrupted) = self.steps(&load, show).await?;
        if steps.is_empty() {
            return Err(Failure::Interrupted);
        }
        let reference = load.reference();
        if let Some(drawing) = drawing {
            let title = format!("{reference}, {algorithm}");
            drawing.write(plot::draw(&title, &steps)?.as_bytes(), Secrecy::Public)?;
        }
        let value = json!({
            "reference": reference,
            "algorithm": algorithm.name(),
            "steps": steps.iter().map(Step::to_json).collect::<Vec<_>>(),
            "throttling": throttling(&steps),
            "interrupted": interrupted,
            "plot": self.plot,
            "counters": counters_json(client.counters()),
        });
        show.result(&value, |out| self.conclude(out, &client, &steps))?;
        if interrupted { Err(Failure::Interrupted) } else { Ok(()) }
    }

    /// The completed steps, and whether another one was interrupted by Ctrl-C.
    async fn steps(&self, load: &Load, show: Show) -> Result<(Vec<Step>, bool)> {
        let length = Duration::from_secs(self.seconds.into());
        let bar = bar(self.at_once.len(), length, show);
        let say = |line: String| {
            bar.suspend(|| match show.json {
                true => Ok(()),
                false => writeln!(anstream::stdout().lock(), "{line}"),
            })
        };
        say(Step::HEAD.to_owned())?;
        // One listener for all steps, so that an interrupt between two of them is not lost.
        let mut interrupts = signal(SignalKind::interrupt())
            .map_err(|error| Failure::System(format!("cannot wait for Ctrl-C: {error}")))?;
        let (mut steps, mut interrupted) = (Vec::new(), false);
        for (&at_once, begun) in self.at_once.iter().zip(0..) {
            let progress = async {
                let mut tick = tokio::time::interval(Duration::from_millis(100));
                let start = tokio::time::Instant::now();
                loop {
                    let now = tick.tick().await;
                    let done = length * begun + (now - start).min(length);
                    bar.set_position(u64::try_from(done.as_millis()).unwrap_or(u64::MAX));
                }
            };
            bar.set_message(format!("{at_once} at once"));
            let step = tokio::select! {
                step = load.run(at_once, length) => step?,
                () = progress => continue,
                _ = interrupts.recv() => {
                    interrupted = true;
                    break;
                }
            };
            say(step.to_string())?;
            let throttled = step.throttled > 0;
            steps.push(step);
            if throttled && !self.keep_going {
                break;
            }
        }
        bar.finish_and_clear();
        Ok((steps, interrupted))
    }

    fn conclude(&self, out: &mut dyn io::Write, client: &Client, steps: &[Step]) -> io::Result<()> {
        match steps.iter().find(|step| step.throttled > 0) {
            Some(step) => writeln!(
                out,
                "\nThrottling starts at {} at once ({:.0} requests per second).",
                step.at_once,
                step.requests_per_second()
            )?,
            None => writeln!(out, "\nThe service did not throttle.")?,
        }
        for step in steps {
            if let Some(error) = &step.first_error {
                writeln!(out, "The first failure, at {} at once: {error}", step.at_once)?;
                break;
            }
        }
        writeln!(out, "Counters: {}.", words(client.counters()))?;
        match &self.plot {
            Some(file) => writeln!(out, "The plot is in {}.", file.display()),
            None => Ok(()),
        }
    }
}

/// Hidden if standard error is not a terminal.
fn bar(steps: usize, length: Duration, show: Show) -> ProgressBar {
    if show.json {
        return ProgressBar::hidden();
    }
    let whole = length.as_millis().saturating_mul(steps as u128);
    let bar = ProgressBar::new(u64::try_from(whole).unwrap_or(u64::MAX));
    match ProgressStyle::with_template("{msg:>12} {wide_bar} {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// The first throttled step.
fn throttling(steps: &[Step]) -> Value {
    let first = steps.iter().find(|step| step.throttled > 0);
    first.map_or(
        Value::Null,
        |step| json!({ "atOnce": step.at_once, "requestsPerSecond": step.requests_per_second() }),
    )
}

impl Step {
    const HEAD: &str = "at once  signatures/s        p50        p99  throttled  failed";

    fn to_json(&self) -> Value {
        let ms = |took: Duration| took.as_secs_f64() * 1e3;
        json!({
            "atOnce": self.at_once,
            "seconds": self.took.as_secs_f64(),
            "signatures": self.signatures,
            "signaturesPerSecond": self.per_second(),
            "p50Milliseconds": ms(self.p50),
            "p99Milliseconds": ms(self.p99),
            "maxMilliseconds": ms(self.longest),
            "throttled": self.throttled,
            "retries": self.retries,
            "failures": self.failures,
            "firstError": self.first_error.as_ref().map(ToString::to_string),
        })
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:>7}  {:>12.1} {:>10} {:>10}  {:>9}  {:>6}",
            self.at_once,
            self.per_second(),
            duration(self.p50),
            duration(self.p99),
            self.throttled,
            self.failures
        )
    }
}

/// An error of the plot or of the histogram, which no input can cause.
fn internal(error: &dyn std::fmt::Display) -> Failure {
    Failure::System(error.to_string())
}
