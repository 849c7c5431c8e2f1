//! What is measured, one file for each subject.

mod front;
mod hanging;
mod haproxy;
mod nginx;
pub(crate) mod signatures;
mod small_server;

use std::path::PathBuf;

use akv_emulator::{Emulator, Persona};
use akv_tests::Site;
use anyhow::{Context as _, Result};

use crate::{
    contender::{ASYNC, BLOCKING, LOCAL},
    hosts::Place,
    model::Section,
    plan::Plan,
    programs::Programs,
    service::Key,
};

/// The ratios of every server with one thread.
const RATIOS: [(&str, &str); 2] = [(ASYNC, BLOCKING), (ASYNC, LOCAL)];

/// What all measurements use.
pub(crate) struct Bench {
    pub(crate) plan: Plan,
    pub(crate) programs: Programs,
    /// The folder with the modules.
    pub(crate) modules: PathBuf,
    /// Those for older systems.
    pub(crate) old_modules: Option<PathBuf>,
    /// Names and folders of other systems.
    pub(crate) roots: Vec<(String, PathBuf)>,
}

/// A subject of the report.
pub(crate) struct Subject {
    pub(crate) id: &'static str,
    /// If it cannot be measured.
    pub(crate) title: &'static str,
    /// The other system that it needs.
    pub(crate) system: Option<&'static str>,
    pub(crate) measure: fn(&Bench) -> Result<Section>,
}

/// All subjects, in the order of the report.
pub(crate) const SUBJECTS: [Subject; 9] = [
    Subject {
        id: "epoll",
        title: "Small server, P-256",
        system: None,
        measure: |bench| bench.small_server(Key::EcP256),
    },
    Subject {
        id: "haproxy-here",
        title: "HAProxy of this machine",
        system: None,
        measure: |bench| bench.haproxy("haproxy-here", Place::here()?),
    },
    Subject {
        id: "haproxy-debian13",
        title: "HAProxy of Debian 13",
        system: Some("debian13"),
        measure: |bench| bench.haproxy("haproxy-debian13", bench.place("debian13")?),
    },
    Subject {
        id: "haproxy-debian11",
        title: "HAProxy of Debian 11",
        system: Some("debian11"),
        measure: |bench| bench.haproxy("haproxy-debian11", bench.place("debian11")?),
    },
    Subject {
        id: "epoll-rsa",
        title: "Small server, RSA-2048",
        system: None,
        measure: |bench| bench.small_server(Key::Rsa2048),
    },
    Subject {
        id: "hanging",
        title: "One answer in ten hangs",
        system: None,
        measure: Bench::hanging,
    },
    Subject { id: "nginx", title: "nginx", system: None, measure: Bench::nginx },
    Subject {
        id: "front",
        title: "HAProxy in front of nginx",
        system: None,
        measure: Bench::front,
    },
    Subject {
        id: "signatures",
        title: "One signature after the other",
        system: None,
        measure: Bench::signatures,
    },
];

impl Bench {
    /// A vault with a folder of files.
    fn site(&self, persona: Persona) -> Result<Site> {
        Site::with(Emulator::builder(), persona, &self.provider())
    }

    fn provider(&self) -> PathBuf {
        self.modules.join("akv_provider.so")
    }

    /// Another system. Its hosts have the engine if they have OpenSSL 1.1.1.
    fn place(&self, name: &str) -> Result<Place> {
        let found = self.roots.iter().find(|(known, _)| known == name);
        let (_, folder) = found.with_context(|| {
            format!("no system was named: `--root {name}=FOLDER`, as `cargo xtask bench all` does")
        })?;
        let engine = match name {
            "debian11" => Some(self.old_modules.as_deref().context("no modules for it")?),
            _ => None,
        };
        Place::at(folder, engine)
    }

    /// Rows with numbers of clients.
    fn clients(&self) -> Vec<(String, u32)> {
        self.plan.clients.iter().map(|clients| (clients_label(*clients), *clients)).collect()
    }
}

fn clients_label(clients: u32) -> String {
    if clients == 1 { "1 client".to_owned() } else { format!("{clients} clients") }
}

/// A section without measurements.
fn section(id: &str, title: impl Into<String>, text: &[&str]) -> Section {
    Section {
        id: id.to_owned(),
        title: title.into(),
        text: text.iter().map(|text| (*text).to_owned()).collect(),
        ..Section::default()
    }
}
