//! The results of each version.

use anyhow::{Result, bail};

use super::suites::{NAMES, Outcome, Report};

/// One line per version.
#[derive(Default)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
    bad: Vec<String>,
}

impl Table {
    pub(super) fn add(&mut self, name: &str, report: Result<Report>) {
        let mut row = vec![name.to_owned()];
        match report {
            Ok(Report { version, outcomes }) => {
                if version != name {
                    row[0] = format!("{version} ({name})");
                }
                if !outcomes.iter().flatten().all(|outcome| outcome.is_good()) {
                    self.bad.push(row[0].clone());
                }
                let text =
                    |outcome: Option<Outcome>| outcome.map_or("–".into(), |o| o.to_string());
                row.extend(outcomes.into_iter().map(text));
            }
            Err(error) => {
                println!("== {name} did not run: {error:#}");
                self.bad.push(name.to_owned());
                row.extend(NAMES.map(|_| "not run".to_owned()));
            }
        }
        self.rows.push(row);
    }

    /// Prints the table, as Markdown.
    ///
    /// # Errors
    /// A case did not pass.
    pub(super) fn finish(self) -> Result<()> {
        println!("\n{}", self.text());
        if !self.bad.is_empty() {
            bail!("not everything passed with {}", self.bad.join(", "));
        }
        println!("everything passed");
        Ok(())
    }

    fn text(&self) -> String {
        let head = ["OpenSSL"].iter().chain(&NAMES).map(|&name| name.to_owned()).collect();
        let all: Vec<Vec<String>> = [vec![head], self.rows.clone()].concat();
        let width = |column: usize| {
            let cells = all.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..=NAMES.len()).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
        };
        let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
        let mut text = line(&all[0]);
        text.push_str(&line(&rule));
        text.extend(all[1..].iter().map(line));
        text
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    fn report(version: &str, failed: u32) -> Result<Report> {
        let outcome = Outcome { passed: 2, failed, ..Outcome::default() };
        Ok(Report { version: version.into(), outcomes: vec![Some(outcome); NAMES.len()] })
    }

    #[test]
    fn the_table_lists_what_failed() {
        let mut table = Table::default();
        table.add("system", report("3.0.19", 0));
        assert!(table.bad.is_empty());
        table.add("3.5.5", report("3.5.5", 1));
        table.add("4.0.3", Err(anyhow!("it does not build")));
        let text = table.text();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("| OpenSSL         | headers"), "{text}");
        assert!(lines[2].starts_with("| 3.0.19 (system) | 2 passed"), "{text}");
        assert!(lines[3].contains("2 passed, 1 failed"), "{text}");
        assert!(lines[4].contains("not run"), "{text}");
        let error = table.finish().expect_err("two are bad");
        assert_eq!(error.to_string(), "not everything passed with 3.5.5, 4.0.3");
    }
}
