//! The build script's look into AWS-LC's library.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

#[path = "../build/aws_lc.rs"]
mod aws_lc;

use aws_lc::{Hazard, hazards};

/// A static library of one C file.
fn library(folder: &Path, code: &str) -> PathBuf {
    let (source, object) = (folder.join("rand.c"), folder.join("rand.o"));
    fs::write(&source, code).expect("a source");
    let library = folder.join("libcrypto.a");
    let mut compile = Command::new("cc");
    compile.arg("-c").arg(&source).arg("-o").arg(&object);
    let mut archive = Command::new("ar");
    archive.arg("rcs").arg(&library).arg(&object);
    for command in [&mut compile, &mut archive] {
        assert!(command.status().expect("it starts").success(), "{command:?}");
    }
    library
}

fn hazards_of(code: &str) -> Vec<Hazard> {
    let folder = tempfile::tempdir().expect("a folder");
    hazards(&library(folder.path(), code)).expect("a library")
}

#[test]
fn hazards_are_found_in_a_static_library() {
    let wipe = "static void wipe(void) __attribute__((destructor));\nstatic void wipe(void) {}\n";
    let jitter = "int aws_lc_0_0_0_jent_entropy_collector_alloc(void) { return 0; }\n";
    // Used, but defined elsewhere.
    let uses = "int jent_entropy_collector_alloc(void);\n\
        int seed(void) { return jent_entropy_collector_alloc(); }\n";
    assert_eq!(hazards_of(wipe), [Hazard::RunsAtExit]);
    assert_eq!(hazards_of(jitter), [Hazard::CpuJitter]);
    assert_eq!(hazards_of(&format!("{wipe}{jitter}")), [Hazard::RunsAtExit, Hazard::CpuJitter]);
    assert_eq!(hazards_of(uses), []);
    // As `.cargo/config.toml` has it built.
    assert_eq!(hazards_of(&format!("#define destructor unused\n{wipe}")), []);
}

#[test]
fn hazards_of_a_file_that_is_no_library_are_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("libcrypto.a");
    hazards(&file).expect_err("there is no file");
    for content in ["", "INPUT(libother.a)\n", "!<arch>\n"] {
        fs::write(&file, content).expect("a file");
        hazards(&file).expect_err(content);
    }
}
