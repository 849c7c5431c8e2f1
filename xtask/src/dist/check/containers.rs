//! The images, without a container engine: the steps of their Containerfiles are done in copies of a
//! minimal Debian, and their programs are started there.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use akv_tests::modules;
use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;
use xshell::{Shell, cmd};

use super::{
    ALONE,
    containerfile::{Containerfile, Step},
};
use crate::debian::{DEBIAN_13_MINIMAL, Root, Shared};

/// Serves a site by nginx in one container, with a key in the emulator in the other.
const USE: &str = include_str!("containers.sh");

/// What every command in a container has in its environment.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Builds both images from the packages in a folder, and uses them.
pub(super) fn check(packages: &Path) -> Result<()> {
    let base = Root::open(&DEBIAN_13_MINIMAL)?;
    let emulator = Container::build("emulator", &base, packages)?;
    println!("passed: the steps of emulator.Containerfile");
    let nginx = Container::build("nginx", &base, packages)?;
    println!("passed: the steps of nginx.Containerfile");
    let folder = tempfile::tempdir()?;
    for (container, name) in [(&emulator, "emulator"), (&nginx, "nginx")] {
        fs::write(folder.path().join(name), container.start())?;
    }
    let roots = [emulator.root(), nginx.root()];
    let (shell, shared) = (Shell::new()?, Shared::with(roots.iter().map(PathBuf::as_path))?);
    let command = shared.command(&shell).args(ALONE).args(["sh", "-euc", USE, "sh"]);
    let output = command.arg(folder.path()).args(&roots).quiet().ignore_status().output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    print!("{text}");
    Ok(())
}

/// A container's files, and how its program is started.
struct Container {
    folder: TempDir,
    file: Containerfile,
}

impl Container {
    /// Does the steps.
    fn build(name: &str, base: &Root, packages: &Path) -> Result<Self> {
        let path = format!("packaging/containers/{name}.Containerfile");
        let text = fs::read_to_string(modules::workspace().join(&path))?;
        let file = Containerfile::parse(&text).with_context(|| path.clone())?;
        // Beside the system that is copied: `/tmp` may be small.
        let beside = base.folder().parent().context("a folder")?;
        let folder = tempfile::Builder::new().prefix("container-").tempdir_in(beside)?;
        let container = Self { folder, file };
        let (shell, root) = (Shell::new()?, container.root());
        let from = base.folder();
        cmd!(shell, "cp --archive --reflink=auto {from} {root}").quiet().run()?;
        let mut environment = vec![PATH.to_owned()];
        for step in &container.file.steps {
            container
                .step(step, packages, &mut environment)
                .with_context(|| format!("{path}: {step:?}"))?;
        }
        Ok(container)
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    fn step(&self, step: &Step, packages: &Path, environment: &mut Vec<String>) -> Result<()> {
        let (shell, root) = (Shell::new()?, self.root());
        match step {
            Step::From(image) => ensure!(image.starts_with("debian:trixie"), "another system"),
            Step::Copy(from, to) => {
                shell.change_dir(packages);
                // The shell finds the files.
                let line = format!("cp {} \"$1\"", from.join(" "));
                let to = root.join(to.trim_start_matches('/'));
                cmd!(shell, "sh -euc {line} sh {to}").quiet().run()?;
            }
            Step::Run(line) => {
                let shared = Shared::with([root.as_path()])?;
                let command = shared.command(&shell).args(["env", "-i"]).args(&*environment);
                let command = command.arg("chroot").arg(&root).args(["sh", "-c", line]);
                let output = command.quiet().ignore_status().output()?;
                let error = String::from_utf8_lossy(&output.stderr);
                ensure!(output.status.success(), "{error}");
            }
            Step::Env(name, value) => environment.push(format!("{name}={value}")),
            Step::Volume(folder) => {
                let place = root.join(folder.trim_start_matches('/'));
                ensure!(place.is_dir(), "there is no such folder");
            }
            Step::User(_) | Step::Expose(_) => {}
        }
        Ok(())
    }

    /// A script that starts the program. Its arguments are more variables.
    fn start(&self) -> String {
        let mut line = format!("exec env -i {PATH}");
        let mut user = String::new();
        for step in &self.file.steps {
            match step {
                Step::Env(name, value) => {
                    let _ = write!(line, " {}", quoted(&format!("{name}={value}")));
                }
                Step::User(name) => user = format!(" --userspec={}", quoted(name)),
                _ => {}
            }
        }
        let _ = write!(line, " \"$@\" chroot{user} {}", quoted(&self.root().to_string_lossy()));
        for word in &self.file.program {
            let _ = write!(line, " {}", quoted(word));
        }
        line + "\n"
    }
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
