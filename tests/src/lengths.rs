//! Responses with results of the wrong length, for the C programs that guard their buffers
//! (`tests/c/guard.h`).

use std::ops::RangeInclusive;

use akv_emulator::{Fault, Operation};
use anyhow::{Context as _, Result, ensure};

use crate::{Site, Task};

/// Longer than any buffer of a caller.
const HUGE: usize = 8_000;

/// An operation of a program.
pub struct Case<'a> {
    /// The operation of the service.
    pub on: Operation,
    /// The lengths that the service's result may have.
    pub lengths: RangeInclusive<usize>,
    /// Whether arbitrary bytes of the right length are accepted.
    pub passes: bool,
    /// The program with its arguments.
    pub program: &'a dyn Fn() -> Result<Task>,
}

impl Case<'_> {
    /// Runs the program with the correct response, then with empty, short, right, long and huge
    /// results.
    ///
    /// # Errors
    /// It writes beyond its buffer, crashes, accepts a bad result, or refuses a good one.
    pub fn check(&self, site: &Site) -> Result<()> {
        let (min, max) = (*self.lengths.start(), *self.lengths.end());
        ensure!(self.run()?.is_some(), "refused without a fault");
        for length in [0, min.saturating_sub(1), min, max, max + 1, HUGE] {
            site.vault().fault(Fault::result_of(length).on(self.on).forever());
            let given = self.run();
            site.vault().clear_faults();
            let given = given.with_context(|| format!("a result of {length} bytes"))?;
            let taken = self.passes && self.lengths.contains(&length);
            ensure!(given.is_some() == taken, "{length} bytes: {given:?}, taken should be {taken}");
        }
        Ok(())
    }

    /// The length that the program prints; `None` if the operation was refused.
    fn run(&self) -> Result<Option<usize>> {
        let output = (self.program)()?.ok()?;
        match output.text().trim() {
            "refused" => Ok(None),
            length => Ok(Some(length.parse().with_context(|| output.describe())?)),
        }
    }
}
