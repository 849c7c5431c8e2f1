//! Everything, in one run, with one report.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use akv_tests::{Task, modules};
use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use time::{OffsetDateTime, macros::format_description};

use crate::{
    measure::{Bench, SUBJECTS, Subject},
    model::{FORMAT, Goal, Machine, Report, Run, Section},
    plan::{Effort, Plan},
    programs::Programs,
    report,
};

/// More of the processors than this, in percent, is used by other programs that matter.
const BUSY: f64 = 10.0;

/// Arguments of `all`.
#[derive(Args)]
pub(crate) struct All {
    /// The folder with the modules, in a release build.
    #[arg(long, required_unless_present = "render")]
    modules: Option<PathBuf>,
    /// The folder with modules for systems with an older C library.
    #[arg(long)]
    old_modules: Option<PathBuf>,
    /// Another system with hosts, such as `debian13=FOLDER`; may be repeated.
    #[arg(long, value_parser = root)]
    root: Vec<(String, PathBuf)>,
    /// The folder for `report.json` and `report.html`.
    #[arg(long)]
    output: PathBuf,
    /// Measures little and for a short time, to see that everything works.
    #[arg(long)]
    quick: bool,
    /// Measures only this, such as `epoll` or `nginx`; may be repeated.
    #[arg(long)]
    only: Vec<String>,
    /// Measures nothing: renders this `report.json`.
    #[arg(long, value_name = "FILE")]
    render: Option<PathBuf>,
    #[command(flatten)]
    effort: Effort,
}

fn root(text: &str) -> Result<(String, PathBuf)> {
    let (name, folder) = text.split_once('=').context("NAME=FOLDER is expected")?;
    Ok((name.to_owned(), folder.into()))
}

impl All {
    pub(crate) fn run(&self) -> Result<()> {
        if let Some(file) = &self.render {
            return self.finish(&report::read(file)?);
        }
        let unknown = self.only.iter().find(|name| SUBJECTS.iter().all(|one| one.id != *name));
        if let Some(unknown) = unknown {
            let known: Vec<_> = SUBJECTS.iter().map(|one| one.id).collect();
            bail!("nothing is called {unknown:?}; there are {}", known.join(", "));
        }
        let bench = Bench {
            plan: Plan::new(self.quick, &self.effort),
            programs: Programs::build()?,
            modules: self.modules.clone().context("--modules")?,
            old_modules: self.old_modules.clone(),
            roots: self.root.clone(),
        };
        let (started, mut report) = (Instant::now(), self.empty(&bench.plan)?);
        for subject in SUBJECTS.iter().filter(|subject| self.wants(subject)) {
            let Subject { id, title, measure, .. } = *subject;
            let section = measure(&bench).unwrap_or_else(|error| {
                eprintln!("{id} was not measured: {error:#}");
                let missing = Some(format!("{error:#}"));
                Section { id: id.into(), title: title.into(), missing, ..Section::default() }
            });
            report.sections.push(section);
            report.goals = Goal::of(&report);
            report.run.minutes = minutes(started.elapsed());
            // After each section, so that an interrupted run is not lost.
            report::write(&report, &self.output)?;
        }
        self.finish(&report)?;
        let missing = report.sections.iter().filter(|section| section.missing.is_some());
        let missing: Vec<_> = missing.map(|section| section.id.as_str()).collect();
        ensure!(missing.is_empty(), "not measured: {}", missing.join(", "));
        Ok(())
    }

    /// Systems that are not named are not measured, unless that was asked for.
    fn wants(&self, subject: &Subject) -> bool {
        if self.only.is_empty() {
            subject.system.is_none_or(|system| self.root.iter().any(|(name, _)| name == system))
        } else {
            self.only.iter().any(|only| only == subject.id)
        }
    }

    fn finish(&self, finished: &Report) -> Result<()> {
        let [json, page] = report::write(finished, &self.output)?;
        println!("{}\n{}\n{}", report::markdown(finished), json.display(), page.display());
        Ok(())
    }

    fn empty(&self, plan: &Plan) -> Result<Report> {
        let machine = Machine::read()?;
        let mut caveats = Vec::new();
        if self.quick {
            caveats.push("a quick run: its figures show only that everything works".to_owned());
        }
        if cfg!(debug_assertions) {
            caveats.push(
                "the vault and the bare client are unoptimized builds, which are slow".to_owned(),
            );
        }
        if machine.busy > BUSY {
            caveats.push(format!("other programs were running: {:.0} % busy", machine.busy));
        }
        Ok(Report {
            format: FORMAT,
            machine,
            run: Run {
                commit: commit()?,
                started: now()?,
                minutes: 0.0,
                rounds: plan.rounds,
                seconds: plan.seconds,
                caveats,
            },
            goals: Vec::new(),
            sections: Vec::new(),
        })
    }
}

/// The sources, as git describes them.
fn commit() -> Result<String> {
    let task = Task::new("git").dir(modules::workspace());
    let described = task.args(["describe", "--always", "--dirty", "--abbrev=12"]).run()?;
    // Without a repository, as in an archive of the sources, there is no commit.
    Ok(match described.status.success() {
        true => described.text().trim().to_owned(),
        false => "unknown".to_owned(),
    })
}

fn now() -> Result<String> {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    Ok(OffsetDateTime::now_utc().format(format)?)
}

fn minutes(time: Duration) -> f64 {
    time.as_secs_f64() / 60.0
}
