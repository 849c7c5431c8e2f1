//! What a run measured: all measurements have this form, and the reports show nothing else.

mod goal;
mod machine;
mod number;

use serde::{Deserialize, Serialize};

pub(crate) use self::{
    goal::Goal,
    machine::{Machine, system},
    number::{Unit, ratio},
};

/// The format's version in JSON.
pub(crate) const FORMAT: u32 = 1;

/// Everything that one run measured on one machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) format: u32,
    pub(crate) machine: Machine,
    pub(crate) run: Run,
    pub(crate) goals: Vec<Goal>,
    pub(crate) sections: Vec<Section>,
}

/// How it was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Run {
    /// The sources, as git describes them.
    pub(crate) commit: String,
    /// In UTC.
    pub(crate) started: String,
    pub(crate) minutes: f64,
    /// Rounds of each measurement; all contenders take turns in each.
    pub(crate) rounds: usize,
    /// Seconds of each round of handshakes.
    pub(crate) seconds: f64,
    /// What makes its figures unfit for quoting, if anything does.
    pub(crate) caveats: Vec<String>,
}

/// The measurements of one subject.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Section {
    pub(crate) id: String,
    pub(crate) title: String,
    /// Paragraphs: what was done, and with what.
    pub(crate) text: Vec<String>,
    pub(crate) tables: Vec<Table>,
    /// Why nothing was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) missing: Option<String>,
}

/// Measurements of one unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) id: String,
    pub(crate) caption: String,
    pub(crate) unit: Unit,
    pub(crate) rows: Vec<Row>,
}

/// Contenders that took turns under the same conditions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) label: String,
    pub(crate) cells: Vec<Cell>,
    pub(crate) ratios: Vec<Ratio>,
}

/// What was measured of one contender.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cell {
    pub(crate) contender: String,
    /// In the order of the rounds.
    pub(crate) rounds: Vec<f64>,
    #[serde(flatten)]
    pub(crate) summary: Summary,
}

/// One contender compared with another, round by round: other load on the machine affects both
/// alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ratio {
    pub(crate) of: String,
    pub(crate) to: String,
    #[serde(flatten)]
    pub(crate) summary: Summary,
}

/// The median of all rounds, and the extremes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Summary {
    pub(crate) fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or_default();
        let last = sorted.len().saturating_sub(1);
        Self { median: at(sorted.len() / 2), low: at(0), high: at(last) }
    }

    /// By how much the rounds differ from the median, in percent of it; `None` for one round.
    pub(crate) fn spread(&self) -> Option<f64> {
        let most = (self.high - self.median).max(self.median - self.low);
        (self.high > self.low && self.median > 0.0).then(|| most / self.median * 100.0)
    }
}

impl Row {
    /// A row with ratios between pairs of its contenders.
    pub(crate) fn new<'a>(
        label: impl Into<String>,
        cells: impl IntoIterator<Item = (&'a str, Vec<f64>)>,
        ratios: &[(&str, &str)],
    ) -> Self {
        let cell = |(contender, rounds): (&str, Vec<f64>)| Cell {
            contender: contender.to_owned(),
            summary: Summary::of(&rounds),
            rounds,
        };
        let mut row = Self {
            label: label.into(),
            cells: cells.into_iter().map(cell).collect(),
            ratios: Vec::new(),
        };
        row.ratios = ratios.iter().filter_map(|(of, to)| row.compare(of, to)).collect();
        row
    }

    pub(crate) fn cell(&self, contender: &str) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.contender == contender)
    }

    pub(crate) fn ratio(&self, of: &str, to: &str) -> Option<&Ratio> {
        self.ratios.iter().find(|ratio| ratio.of == of && ratio.to == to)
    }

    fn compare(&self, of: &str, to: &str) -> Option<Ratio> {
        let pairs = self.cell(of)?.rounds.iter().zip(&self.cell(to)?.rounds);
        let ratios: Vec<f64> = pairs.filter(|(_, to)| **to > 0.0).map(|(of, to)| of / to).collect();
        (!ratios.is_empty()).then(|| Ratio {
            of: of.to_owned(),
            to: to.to_owned(),
            summary: Summary::of(&ratios),
        })
    }
}

impl Report {
    pub(crate) fn section(&self, id: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.id == id)
    }
}

impl Section {
    pub(crate) fn table(&self, id: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.id == id)
    }
}

impl Table {
    pub(crate) fn row(&self, label: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.label == label)
    }

    /// The names of all contenders, in the order of the columns.
    pub(crate) fn contenders(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for cell in self.rows.iter().flat_map(|row| &row.cells) {
            if !names.contains(&cell.contender.as_str()) {
                names.push(&cell.contender);
            }
        }
        names
    }

    /// The pairs of names of all ratios.
    pub(crate) fn comparisons(&self) -> Vec<(&str, &str)> {
        let mut pairs = Vec::new();
        for ratio in self.rows.iter().flat_map(|row| &row.ratios) {
            let pair = (ratio.of.as_str(), ratio.to.as_str());
            if !pairs.contains(&pair) {
                pairs.push(pair);
            }
        }
        pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_taken_round_by_round() {
        let cells = [("a", vec![10.0, 40.0, 30.0]), ("b", vec![10.0, 20.0, 10.0])];
        let row = Row::new("row", cells, &[("a", "b"), ("a", "absent")]);
        let summary = row.ratio("a", "b").expect("a ratio").summary;
        // The ratio of the medians is 3.
        assert_eq!((summary.median, summary.low, summary.high), (2.0, 1.0, 3.0));
        assert_eq!(row.ratios.len(), 1);
    }

    #[test]
    fn spread_is_the_largest_difference_from_the_median() {
        assert_eq!(Summary::of(&[90.0, 100.0, 130.0]).spread(), Some(30.0));
        assert_eq!(Summary::of(&[5.0]).spread(), None);
        assert_eq!(Summary::of(&[]).median, 0.0);
    }
}
