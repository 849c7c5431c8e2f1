//! The doctor's report: checks and causes.

use std::io::{self, Write as _};

use akv_core::Counters;
use anstyle::{AnsiColor, Effects, Style};
use serde_json::{Map, Value, json};

use crate::output::{Show, words};

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Good,
    /// It works, with a note for the user.
    Note,
    Bad,
    /// An earlier check failed.
    Skipped,
}

/// One check.
#[derive(Debug)]
pub(super) struct Check {
    name: &'static str,
    state: State,
    text: String,
    lines: Vec<String>,
    cause: Option<Cause>,
    facts: Map<String, Value>,
}

/// Why it does not work, and how to fix it.
#[derive(Clone, Debug)]
pub(super) struct Cause {
    /// A stable identifier for programs.
    pub(super) id: &'static str,
    pub(super) text: String,
    pub(super) advice: String,
}

impl Cause {
    pub(super) fn new(
        id: &'static str,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { id, text: text.into(), advice: advice.into() }
    }
}

impl Check {
    fn new(name: &'static str, state: State, text: impl Into<String>) -> Self {
        let (lines, cause, facts) = (Vec::new(), None, Map::new());
        Self { name, state, text: text.into(), lines, cause, facts }
    }

    pub(super) fn good(name: &'static str, text: impl Into<String>) -> Self {
        Self::new(name, State::Good, text)
    }

    pub(super) fn note(name: &'static str, text: impl Into<String>) -> Self {
        Self::new(name, State::Note, text)
    }

    pub(super) fn bad(name: &'static str, text: impl Into<String>, cause: Cause) -> Self {
        Self { cause: Some(cause), ..Self::new(name, State::Bad, text) }
    }

    pub(super) fn skipped(name: &'static str, text: impl Into<String>) -> Self {
        Self::new(name, State::Skipped, text)
    }

    pub(super) fn line(mut self, line: impl Into<String>) -> Self {
        self.lines.push(line.into());
        self
    }

    pub(super) fn lines(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.lines.extend(lines);
        self
    }

    /// A value for programs.
    pub(super) fn fact(mut self, name: &str, value: Value) -> Self {
        self.facts.insert(name.to_owned(), value);
        self
    }

    fn to_json(&self) -> Value {
        let mut object = self.facts.clone();
        let state = match self.state {
            State::Good => "good",
            State::Note => "note",
            State::Bad => "bad",
            State::Skipped => "skipped",
        };
        object.insert("name".into(), json!(self.name));
        object.insert("state".into(), json!(state));
        object.insert("text".into(), json!(self.text));
        object.insert("lines".into(), json!(self.lines));
        object.insert("cause".into(), json!(self.cause.as_ref().map(|cause| cause.id)));
        Value::Object(object)
    }

    fn print(&self) -> io::Result<()> {
        let (sign, color) = match self.state {
            State::Good => ("✓", AnsiColor::Green),
            State::Note => ("!", AnsiColor::Yellow),
            State::Bad => ("✗", AnsiColor::Red),
            State::Skipped => ("-", AnsiColor::BrightBlack),
        };
        let style = color.on_default();
        let mut out = anstream::stdout().lock();
        writeln!(out, "{style}{sign}{style:#} {:<12} {}", self.name, self.text)?;
        for line in &self.lines {
            writeln!(out, "               {line}")?;
        }
        out.flush()
    }
}

/// The checks so far. The text output prints each as soon as it is done.
pub(super) struct Report {
    show: Show,
    checks: Vec<Check>,
}

impl Report {
    pub(super) fn new(show: Show) -> Self {
        Self { show, checks: Vec::new() }
    }

    pub(super) fn add(&mut self, check: Check) -> io::Result<()> {
        if !self.show.json {
            check.print()?;
        }
        self.checks.push(check);
        Ok(())
    }

    /// The causes, the first one first: later ones may be its consequence.
    pub(super) fn causes(&self) -> Vec<&Cause> {
        let mut causes: Vec<_> =
            self.checks.iter().filter_map(|check| check.cause.as_ref()).collect();
        // OpenSSL is checked first and needed last.
        causes.sort_by_key(|cause| usize::from(cause.id.starts_with("openssl")));
        causes
    }

    pub(super) fn to_json(&self, counters: Value) -> Value {
        let cause =
            |cause: &Cause| json!({ "id": cause.id, "text": cause.text, "advice": cause.advice });
        let causes: Vec<Value> = self.causes().into_iter().map(cause).collect();
        let checks: Vec<Value> = self.checks.iter().map(Check::to_json).collect();
        json!({
            "works": causes.is_empty(),
            "cause": causes.first(),
            "causes": causes,
            "checks": checks,
            "counters": counters,
        })
    }

    /// Prints the summary.
    pub(super) fn conclude(&self, counters: Counters) -> io::Result<()> {
        let mut out = anstream::stdout().lock();
        if counters.operations > 0 {
            writeln!(out, "  {:<12} {}", "counters", words(counters))?;
        }
        let bold = Style::new() | Effects::BOLD;
        let causes = self.causes();
        match causes.split_first() {
            None => writeln!(out, "\n{bold}Everything works.{bold:#}")?,
            Some((first, others)) => {
                writeln!(out, "\n{bold}The cause:{bold:#} {}", first.text)?;
                writeln!(out, "{bold}What to do:{bold:#} {}", first.advice)?;
                for other in others {
                    writeln!(out, "\n{bold}Also:{bold:#} {}", other.text)?;
                    writeln!(out, "{bold}What to do:{bold:#} {}", other.advice)?;
                }
            }
        }
        out.flush()
    }
}
