//! `setup.sh` runs as on the new machine: only apt-get, systemctl and sleep are replaced.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use akv_emulator::{Curve, Fault, FaultKind, NewKey, Operation, Persona};
use akv_tests::{Site, Task, modules, port};
use anyhow::{Context as _, Result, ensure};

use crate::bicep::folder;

/// Programs of the machine that a test cannot run.
const PROGRAMS: [(&str, &str); 4] = [
    // The packages are replaced by the file of theirs that matters here.
    (
        "apt-get",
        "cp PACKAGED ROOT/etc/akv/openssl.cnf; for last; do ls \"$last\"; done >ROOT/installed || :",
    ),
    ("systemctl", "[ \"$1\" = daemon-reload ] || nginx"),
    ("sleep", "echo slept >>ROOT/slept"),
    (
        "nginx",
        "export OPENSSL_CONF=ROOT/etc/akv/openssl.cnf\nexec NGINX -p ROOT -c nginx.conf -e error.log \"$@\"",
    ),
];

const NGINX: &str =
    "pid nginx.pid;\nevents {}\nhttp {\naccess_log off;\ninclude etc/nginx/conf.d/*.conf;\n}\n";

struct Machine {
    site: Site,
    port: u16,
}

impl Machine {
    fn prepare(persona: Persona) -> Result<Self> {
        let site = Site::start(persona)?;
        site.vault().create_key(NewKey::rsa("web-rsa", 2048))?;
        site.vault().create_key(NewKey::ec("web-ec", Curve::P256))?;
        for place in ["etc/akv", "etc/nginx/conf.d", "bin"] {
            fs::create_dir_all(site.path(place))?;
        }
        fs::write(site.path("nginx.conf"), NGINX)?;
        let port = port::free()?;
        let machine = Self { site, port };
        let packaged = modules::workspace().join("packaging/files/openssl.cnf");
        let nginx = akv_tests::Nginx::program().context("nginx is not installed")?;
        for (name, script) in PROGRAMS {
            let script = script
                .replace("PACKAGED", &packaged.display().to_string())
                .replace("NGINX", &nginx.display().to_string())
                .replace("ROOT", &machine.root());
            let path = machine.site.path("bin").join(name);
            fs::write(&path, format!("#!/bin/sh\nset -e\n{script}\n"))?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        }
        Ok(machine)
    }

    fn root(&self) -> String {
        self.site.folder().display().to_string()
    }

    /// What the template writes into the machine's file.
    fn settings(&self, keys: &str, sum: &str) -> Result<()> {
        let text = format!(
            "SITE=\"localhost\"\nKEYS=\"{keys}\"\nCLIENT_ID=\"656d756c-6174-6f72-2069-64656e746974\"\n\
             PACKAGES=\"{sum} file://{}/akv.deb?signature=x\"\n",
            self.root()
        );
        Ok(fs::write(self.site.path("etc/akv-site.env"), text)?)
    }

    fn task(&self, program: impl AsRef<Path>) -> Result<Task> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = [self.site.path("bin")].into_iter().chain(std::env::split_paths(&path));
        let vault = self.site.vault();
        Ok(Task::new(program.as_ref())
            .env("PATH", std::env::join_paths(folders)?)
            .env("OPENSSL_MODULES", modules::folder()?)
            .env("AKV_ENDPOINT", vault.endpoint())
            .env("AKV_CA_FILE", self.site.text("vault-ca.pem"))
            .env("IMDS_ENDPOINT", vault.imds_endpoint())
            .dir(self.site.folder()))
    }

    fn setup(&self) -> Result<akv_tests::Output> {
        let script = fs::read_to_string(folder().join("setup.sh"))?
            .replace("/etc/", &format!("{}/etc/", self.root()))
            .replace("listen 443", &format!("listen 127.0.0.1:{}", self.port));
        self.task("sh")?.args(["-euc", &script]).run()
    }

    /// Connects with the algorithm of one key.
    fn connect(&self, key: &str, algorithm: &str) -> Result<()> {
        let (port, root) = (self.port, self.root());
        let script = format!(
            "curl --silent --show-error --tls-max 1.2 --ciphers ECDHE-{algorithm}-AES128-GCM-SHA256 \
             --cacert {root}/etc/akv/{key}.pem https://localhost:{port}/"
        );
        let said = Task::new("sh").args(["-c", &script]).ok()?.text();
        ensure!(said == "signed in the vault\n", "{said}");
        Ok(())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Ok(task) = self.task(self.site.path("bin/nginx")) {
            let _ = task.args(["-s", "stop"]).run();
        }
    }
}

fn package(machine: &Machine) -> Result<String> {
    let file = machine.site.path("akv.deb");
    fs::write(&file, "a package")?;
    let sum = Task::new("sha256sum").arg(&file).ok()?.text();
    Ok(sum.split_whitespace().next().context("a sum")?.to_owned())
}

#[test]
fn setup_waits_for_the_role_and_serves_both_keys() -> Result<()> {
    let machine = Machine::prepare(Persona::Vault)?;
    machine.settings("vault:myVault:web-rsa vault:myVault:web-ec", &package(&machine)?)?;
    let refused = Fault::new(FaultKind::ForbiddenByRole).on(Operation::GetKey).times(2);
    machine.site.vault().fault(refused);
    let output = machine.setup()?;
    ensure!(output.status.success(), "{}", output.describe());
    assert_eq!(machine.site.read("slept")?.lines().count(), 2, "two refusals, two waits");
    machine.connect("web-rsa", "RSA")?;
    machine.connect("web-ec", "ECDSA")?;
    assert!(machine.site.read("etc/akv/openssl.cnf")?.contains("client-id = 656d"), "the identity");
    let request = machine.site.text("etc/akv/web-ec.csr");
    machine.site.plain().ok(&format!("req -in {request} -noout -verify"))?;
    let unit = machine.site.read("etc/systemd/system/nginx.service.d/akv.conf")?;
    assert!(unit.starts_with("[Service]\nEnvironment=OPENSSL_CONF=/"), "{unit}");
    Ok(())
}

#[test]
fn setup_serves_keys_of_a_managed_hsm() -> Result<()> {
    let machine = Machine::prepare(Persona::ManagedHsm)?;
    machine.settings("managedHsm:myHsm:web-ec", &package(&machine)?)?;
    let output = machine.setup()?;
    ensure!(output.status.success(), "{}", output.describe());
    machine.connect("web-ec", "ECDSA")
}

#[test]
fn setup_refuses_a_package_with_another_sum() -> Result<()> {
    let machine = Machine::prepare(Persona::Vault)?;
    package(&machine)?;
    machine.settings("vault:myVault:web-ec", &"0".repeat(64))?;
    let output = machine.setup()?;
    ensure!(!output.status.success(), "{}", output.describe());
    assert!(
        output.stderr.contains("akv.deb") || output.text().contains("akv.deb"),
        "{}",
        output.describe()
    );
    assert!(!machine.site.path("installed").exists(), "nothing was installed");
    assert_eq!(machine.site.vault().stats().requests, 0, "nothing was requested");
    Ok(())
}
