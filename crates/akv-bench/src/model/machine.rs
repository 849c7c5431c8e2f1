//! The machine on which everything was measured.

use std::fs;

use akv_tests::Installation;
use anyhow::Result;
use serde::{Deserialize, Serialize};

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
    /// The number of processes that were running, or waiting for a processor, in the last minute.
    pub(crate) load: f64,
}

impl Machine {
    pub(crate) fn read() -> Result<Self> {
        let file = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let processors = file("/proc/cpuinfo");
        let load = file("/proc/loadavg");
        let memory = field(&file("/proc/meminfo"), "MemTotal");
        let kib: f64 = memory.trim_end_matches(" kB").parse().unwrap_or_default();
        Ok(Self {
            processor: field(&processors, "model name"),
            cores: std::thread::available_parallelism()?.get(),
            is_virtual: field(&processors, "flags").split(' ').any(|flag| flag == "hypervisor"),
            memory_gib: kib / f64::from(1 << 20),
            kernel: file("/proc/sys/kernel/osrelease").trim().to_owned(),
            system: system(&file("/etc/os-release")),
            openssl: Installation::selected().version()?,
            load: load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or_default(),
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
            ("load before the run", format!("{:.2}", self.load)),
        ]
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
        assert_eq!(system("ID=debian\nPRETTY_NAME=\"Debian 12\"\n"), "Debian 12");
    }
}
