//! The machine on which everything was measured.

use std::{fs, thread, time::Duration};

use akv_tests::Installation;
use anyhow::Result;
use serde::{Deserialize, Serialize};

/// How long it is watched before the run.
const OBSERVED: Duration = Duration::from_secs(2);

/// What its figures depend on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) is_virtual: bool,
    pub(crate) memory_gib: f64,
    pub(crate) kernel: String,
    pub(crate) system: String,
    pub(crate) openssl: String,
    /// How busy its processors were with other work before the run, in percent.
    pub(crate) busy: f64,
}

impl Machine {
    pub(crate) fn read() -> Result<Self> {
        let file = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let processors = file("/proc/cpuinfo");
        let before = Ticks::read(&file("/proc/stat"));
        thread::sleep(OBSERVED);
        let busy = Ticks::read(&file("/proc/stat")).busy_since(before);
        let memory = field(&file("/proc/meminfo"), "MemTotal");
        let kib: f64 = memory.trim_end_matches(" kB").parse().unwrap_or_default();
        Ok(Self {
            processor: field(&processors, "model name"),
            cores: thread::available_parallelism()?.get(),
            is_virtual: field(&processors, "flags").split(' ').any(|flag| flag == "hypervisor"),
            memory_gib: kib / f64::from(1 << 20),
            kernel: file("/proc/sys/kernel/osrelease").trim().to_owned(),
            system: system(&file("/etc/os-release")),
            openssl: Installation::selected().version()?,
            busy,
        })
    }

    /// Name and value of each property, for reports.
    pub(crate) fn properties(&self) -> Vec<(&'static str, String)> {
        let kind = if self.is_virtual { ", virtual machine" } else { "" };
        vec![
            ("processor", format!("{}, {} cores{kind}", self.processor, self.cores)),
            ("memory", format!("{:.0} GiB", self.memory_gib)),
            ("system", format!("{}, Linux {}", self.system, self.kernel)),
            ("OpenSSL", self.openssl.clone()),
            ("busy before the run", format!("{:.0} %", self.busy)),
        ]
    }
}

/// What all processors together have done since the machine started.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Ticks {
    all: f64,
    idle: f64,
}

impl Ticks {
    /// The first line of `/proc/stat`: user, nice, system, idle, waiting for disks, and others.
    fn read(stat: &str) -> Self {
        let line = stat.lines().next().unwrap_or_default();
        let values: Vec<f64> =
            line.split_whitespace().skip(1).take(8).filter_map(|one| one.parse().ok()).collect();
        Self { all: values.iter().sum(), idle: values.iter().skip(3).take(2).sum() }
    }

    /// In percent.
    fn busy_since(self, before: Self) -> f64 {
        let (all, idle) = (self.all - before.all, self.idle - before.idle);
        if all > 0.0 { (all - idle) / all * 100.0 } else { 0.0 }
    }
}

/// The first value of a name, as files in `/proc` have them.
fn field(text: &str, name: &str) -> String {
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    let found = lines.find(|(found, _)| found.trim() == name);
    found.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
}

/// The system's name in `/etc/os-release`.
pub(crate) fn system(release: &str) -> String {
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    name.unwrap_or("Linux").trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_read_from_files_of_the_kernel() {
        let text = "processor\t: 0\nmodel name\t: Fast CPU @ 3: GHz\nmodel name\t: other\n";
        assert_eq!(field(text, "model name"), "Fast CPU @ 3: GHz");
        assert_eq!(field("MemTotal:       24 kB\n", "MemTotal"), "24 kB");
        let before = Ticks::read("cpu  100 0 100 700 100 0 0 0 50 0\ncpu0 1 1 1 1\n");
        assert_eq!(before, Ticks { all: 1_000.0, idle: 800.0 });
        let after = Ticks { all: 1_200.0, idle: 950.0 };
        assert_eq!(after.busy_since(before), 25.0);
        assert_eq!(system("ID=debian\nPRETTY_NAME=\"Debian 12\"\n"), "Debian 12");
    }
}
