//! Refuses a build of AWS-LC with which processes that fork may hang. Cargo cannot set how a dependency
//! is built, so whoever builds this crate has to.

#![expect(clippy::print_stdout, reason = "cargo reads it")]

mod aws_lc;

use std::{env, path::PathBuf, process::ExitCode};

/// Set, this variable accepts every build of AWS-LC.
const ACCEPT: &str = "AKV_CORE_ACCEPT_ANY_AWS_LC";

const ADVICE: &str = "\
Set these variables when you build, for example in `.cargo/config.toml`:

    [env]
    AWS_LC_SYS_NO_JITTER_ENTROPY = \"1\"
    AWS_LC_SYS_CFLAGS = \"-Ddestructor=unused\"

An AWS-LC of the system needs the same: cmake -DDISABLE_CPU_JITTER_ENTROPY=ON
-DCMAKE_C_FLAGS=-Ddestructor=unused, and a static library. AWS_LC_SYS_USE_SYSTEM=0 ignores it.

If your program never forks, or only to start another program, set AKV_CORE_ACCEPT_ANY_AWS_LC=1 instead.";

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-env-changed={ACCEPT}");
    let is_linux = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux");
    let accepts = env::var(ACCEPT).is_ok_and(|value| value == "1");
    // docs.rs links nothing.
    if !is_linux || accepts || env::var_os("DOCS_RS").is_some() {
        return ExitCode::SUCCESS;
    }
    let Err(problem) = check() else { return ExitCode::SUCCESS };
    println!("cargo::error=AWS-LC is not built for programs that fork: {problem}");
    for line in ADVICE.lines() {
        println!("cargo::error={line}");
    }
    ExitCode::FAILURE
}

fn check() -> Result<(), String> {
    // A shared library can be replaced after the build.
    let kind = of_aws_lc("LINK_KIND");
    if kind.as_deref() != Some("static") {
        return Err(format!("it is no static library ({})", kind.as_deref().unwrap_or("unknown")));
    }
    let library = of_aws_lc("LIBCRYPTO_PATH").map(PathBuf::from);
    let library = library.ok_or("aws-lc-sys does not tell where the library is")?;
    println!("cargo::rerun-if-changed={}", library.display());
    let hazards = aws_lc::hazards(&library).map_err(|error| format!("{library:?}: {error}"))?;
    if hazards.is_empty() {
        return Ok(());
    }
    let hazards: Vec<String> = hazards.iter().map(ToString::to_string).collect();
    Err(format!("{} ({})", hazards.join("; "), library.display()))
}

/// What the build of AWS-LC tells the crates that depend on it.
fn of_aws_lc(name: &str) -> Option<String> {
    let end = format!("_SYS_{name}");
    let mut variables = env::vars();
    let found = variables.find(|(key, _)| key.starts_with("DEP_AWS_LC_RS_") && key.ends_with(&end));
    found.map(|(_, value)| value)
}
