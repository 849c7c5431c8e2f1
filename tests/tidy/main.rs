//! Checks that a reviewer would make: dependency directions, use of `unsafe`, output of libraries.

mod docs;
mod imports;
mod rooms;
mod sources;
mod targets;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use akv_tests::{Task, modules};
use anyhow::{Context as _, Result};

use self::sources::sources;

/// Runs `cargo tree`, over normal and build dependencies, and returns the names in it.
fn tree(arguments: &[&str]) -> Result<BTreeSet<String>> {
    let lines = tree_lines(arguments)?;
    let names = lines.iter().filter_map(|line| line.split_whitespace().next());
    Ok(names.map(str::to_owned).collect())
}

/// The lines of `cargo tree`: names with versions.
fn tree_lines(arguments: &[&str]) -> Result<Vec<String>> {
    let mut task = Task::new(modules::cargo()).dir(modules::workspace());
    for name in ["CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"] {
        if let Some(value) = std::env::var_os(name) {
            task = task.env(name, value);
        }
    }
    let options = ["tree", "--locked", "--edges", "normal,build", "--prefix", "none"];
    let printed = task.args(options).args(arguments).ok()?.text();
    Ok(printed.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

#[test]
fn dependencies_go_in_the_permitted_directions() -> Result<()> {
    // An empty tree would satisfy everything below.
    assert!(tree(&["--package", "provider-shim"])?.contains("akv-core"));
    for (package, forbidden) in [
        ("akv-core", ["ossl-abi", "akv-emulator", "akv-tests", "xtask"].as_slice()),
        ("ossl-abi", &["akv-core", "akv-emulator", "legacy-abi"]),
        ("legacy-abi", &["akv-emulator", "akv-tests", "engine-shim", "provider-shim", "xtask"]),
        ("akv-emulator", &["akv-core", "ossl-abi"]),
        ("akv-tests", &["akv-core", "ossl-abi"]),
        ("provider-shim", &["akv-emulator", "akv-tests", "xtask"]),
        ("engine-shim", &["akv-emulator", "akv-tests", "provider-shim", "xtask"]),
    ] {
        let tree = tree(&["--package", package])?;
        for name in forbidden {
            assert!(!tree.contains(*name), "{package} must not depend on {name}");
        }
    }
    for shim in ["engine-shim", "provider-shim"] {
        let users = tree(&["--workspace", "--invert", shim])?;
        assert_eq!(users, BTreeSet::from([shim.to_owned()]), "nothing uses a shim");
    }
    Ok(())
}

#[test]
fn shipped_modules_do_not_depend_on_openssl() -> Result<()> {
    for package in
        ["akv-core", "akv-emulator", "engine-shim", "legacy-abi", "ossl-abi", "provider-shim"]
    {
        let tree = tree(&["--package", package])?;
        for name in ["openssl", "openssl-sys", "openssl-src", "native-tls", "ring"] {
            assert!(!tree.contains(name), "{package} brings {name}");
        }
    }
    Ok(())
}

/// The modules depend only on released versions, and contain no broken cipher.
#[test]
fn modules_have_no_pre_releases_and_no_broken_ciphers() -> Result<()> {
    for package in ["akv-core", "akv-ffi", "engine-shim", "provider-shim"] {
        let tree = tree_lines(&["--package", package])?;
        assert!(tree.iter().any(|line| line.starts_with("rustls v")), "{package} has a tree");
        for line in &tree {
            let (name, version) = line.split_once(" v").context("a name and a version")?;
            let version = version.split_whitespace().next().unwrap_or_default();
            // The part after a plus is build metadata, not a pre-release.
            let release = version.split('+').next().unwrap_or_default();
            assert!(!release.contains('-'), "{package} brings a pre-release: {name} {version}");
            // scrypt, by which PEM may be encrypted, is made of the core of Salsa20 (RFC 7914).
            let broken = ["des", "rc2", "rc4", "p12-keystore", "pkcs12"];
            assert!(!broken.contains(&name), "{package} brings {name}");
        }
    }
    Ok(())
}

/// The fuzz targets have their own workspace, and so their own lock file.
#[test]
fn fuzz_targets_have_what_the_crates_depend_on() -> Result<()> {
    let lock = fs::read_to_string(modules::workspace().join("tests/fuzz/Cargo.lock"))?;
    for (package, there) in [("akv-core", "akv-core"), ("provider-shim", "akv-provider-rlib")] {
        let start = lock.find(&format!("name = \"{there}\"")).context("the package")?;
        let block = lock[start..].split("\n\n").next().unwrap_or_default();
        for name in tree(&["--package", package, "--depth", "1"])? {
            let known = [format!("\"{name}\""), format!("\"{name} ")];
            assert!(
                name == package || known.iter().any(|known| block.contains(known.as_str())),
                "tests/fuzz lacks {name}, on which {package} depends"
            );
        }
    }
    Ok(())
}

const LIBRARIES: [&str; 6] = [
    "crates/akv-core/src",
    "crates/akv-emulator/src",
    "crates/legacy-abi/src",
    "crates/ossl-abi/src",
    "engine-shim/src",
    "provider-shim/src",
];

#[test]
fn libraries_print_nothing() -> Result<()> {
    for (path, text) in sources(&LIBRARIES)? {
        for line in text.lines().map(str::trim_start).filter(|line| !line.starts_with("//")) {
            for macro_name in ["println!(", "print!(", "dbg!("] {
                assert!(!line.contains(macro_name), "{}: {line}", path.display());
            }
        }
    }
    Ok(())
}

/// C functions that only return a constant, or read an existing object: nothing in them can fail,
/// panic, block or be cancelled.
const PLAIN_ENTRIES: [&str; 21] = [
    "akv_abi_version",
    "akv_key_reference",
    "akv_last_error",
    "akv_last_error_code",
    "akv_version",
    "does_selection",
    "exchanged_types",
    "exchanged_types_ex",
    "export_object",
    "gen_settable_params",
    "get_ctx_md_params",
    "gettable_ctx_params",
    "gettable_params",
    "imp_settable_params",
    "no_md_params",
    "query_key_types",
    "query_operation_name",
    "set_ctx_md_params",
    "settable_ctx_params",
    "settable_params",
    "v_check",
];

/// Calls that enter `c_abi`'s guard, which catches panics and disables cancellation.
const GUARDS: [&str; 9] = [
    "guard::catch_panic(",
    "guard::query(",
    "guard::run(",
    "guard::run_waiting(",
    "guard::uncancelled(",
    "::free_arc::<",
    "::free_box::<",
    // `ffi`'s way to it, beside the functions that it exports.
    "    call(\"akv_",
    // What `entry!` writes.
    "$crate::guard::",
];

/// Functions that go through the guard without `entry!`, and why. Those of the C API are not
/// listed: its header is generated from their source.
const WRITTEN_OUT: [(&str, &str); 10] = [
    ("OSSL_provider_init", "returns two pointers, before there is an object"),
    ("ask", "a callback in a query of other providers"),
    ("answer", "another such callback"),
    ("bind_engine", "creates the host of the slots"),
    ("cleanup", "frees what a wait context shares with operations"),
    ("decrypt", "passes its arguments to libcrypto's own method"),
    ("destroy", "must succeed"),
    ("release", "releases what libcrypto does not own"),
    ("share", "increments the reference count of an object"),
    ("sign", "as decrypt"),
];

/// The functions of a file that C calls, with their bodies, except for those of its tests.
fn entries(text: &str) -> Vec<(String, String)> {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut found = Vec::new();
    for (start, _) in text.match_indices("extern \"C\" fn ") {
        let line = text[..start].rfind('\n').map_or(0, |end| end + 1);
        let indent = text[line..].chars().take_while(|c| *c == ' ').count();
        let name: String = text[start..].split("fn ").nth(1).unwrap_or_default().into();
        let name = name.split(['(', '<', ' ']).next().unwrap_or_default().to_owned();
        let end = format!("\n{}}}\n", " ".repeat(indent));
        let body = text[start..].split(&end).next().unwrap_or_default();
        found.push((name, body.to_owned()));
    }
    found
}

/// The folders with functions that C calls.
const ENTRIES: [&str; 5] = [
    "crates/legacy-abi/src",
    "crates/ossl-abi/src",
    "engine-shim/src",
    "ffi/src",
    "provider-shim/src",
];

#[test]
fn every_function_that_c_calls_goes_through_the_guard() -> Result<()> {
    let (mut plain, mut written_out) = (BTreeSet::new(), BTreeSet::new());
    for (path, text) in sources(&ENTRIES)? {
        // Stand-ins for libcrypto's functions.
        if path.ends_with("job/tests.rs") {
            continue;
        }
        let place = path.strip_prefix(modules::workspace())?.display().to_string();
        for (name, body) in entries(&text) {
            let is_guarded = GUARDS.iter().any(|guard| body.contains(guard));
            if PLAIN_ENTRIES.contains(&name.as_str()) && !is_guarded {
                let is_safe = !body.contains("unsafe") || place.starts_with("ffi/");
                assert!(is_safe, "{place}: {name} does not return a constant");
                plain.insert(name);
                continue;
            }
            assert!(is_guarded, "{place}: {name} does not go through the guard");
            if !place.starts_with("ffi/") && !place.contains("/src/entry/") {
                written_out.insert(name);
            }
        }
    }
    let known = PLAIN_ENTRIES.map(str::to_owned).into();
    assert_eq!(plain, known, "the list is not longer than needed");
    let known = WRITTEN_OUT.map(|(name, _)| name.to_owned()).into();
    assert_eq!(written_out, known, "functions that C calls are declared with entry!");
    Ok(())
}

/// The functions that `entry!` expands to, which the test above does not find.
#[test]
fn what_entry_writes_goes_through_the_guard() -> Result<()> {
    let mut written = 0;
    for (path, text) in sources(&["crates/ossl-abi/src/entry"])? {
        if path.ends_with("tests.rs") {
            continue;
        }
        for (name, body) in entries(&text) {
            assert_eq!(name, "$name", "{}", path.display());
            assert!(body.contains("$crate::guard::"), "{}: {body}", path.display());
            written += 1;
        }
    }
    assert_eq!(written, 7, "one for each form of function");
    let declared: usize =
        sources(&["crates/legacy-abi/src", "engine-shim/src", "provider-shim/src"])?
            .iter()
            .map(|(_, text)| text.matches("entry! {\n").count())
            .sum();
    assert!(declared > 80, "only {declared} functions are declared");
    Ok(())
}

/// Untrusted input is parsed by one module, whose errors quote nothing.
#[test]
fn json_and_urls_from_outside_are_read_in_one_place() -> Result<()> {
    let folders = ["crates/akv-core/src", "provider-shim/src", "engine-shim/src", "ffi/src"];
    for (path, text) in sources(&folders)? {
        let name = path.display().to_string();
        if name.ends_with("/outside/mod.rs")
            || name.contains("/tests")
            || name.contains("/fuzzing/")
        {
            continue;
        }
        // Tests are at the end of files.
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            let found = ["serde_json::from_", "Url::parse(text"];
            assert!(!found.iter().any(|word| line.contains(word)), "{name}: {line}");
        }
    }
    Ok(())
}

#[test]
fn no_file_contains_a_path_of_this_machine() -> Result<()> {
    let root = modules::workspace();
    let listed = Task::new("git").dir(root).args(["ls-files", "-z"]).ok()?.text();
    let home = std::env::var("HOME").unwrap_or_default();
    // A folder such as `/` or `/root` would match legitimate texts.
    let places: Vec<String> = [root.display().to_string(), home]
        .into_iter()
        .filter(|place| Path::new(place).components().count() > 2)
        .collect();
    assert!(!listed.is_empty());
    for file in listed.split_terminator('\0') {
        let Ok(text) = fs::read_to_string(root.join(file)) else { continue };
        for place in &places {
            assert!(!text.contains(place.as_str()), "{file} names {place}");
        }
    }
    Ok(())
}

/// The places where shipped code creates files, each with the mode that its content requires.
const FILE_MAKERS: [(&str, &str); 6] = [
    ("crates/akv-core/src/logging/destination.rs", "the log, 0640"),
    ("crates/akv-core/src/credential/managed_identity/arc.rs", "opens a secret file to read it"),
    ("crates/akv-cli/src/output.rs", "results, 0600 where they are secret"),
    ("crates/akv-cli/src/commands/doctor/openssl.rs", "a temporary configuration, 0600"),
    ("crates/akv-emulator/src/files.rs", "keys and tokens, 0600; certificates"),
    ("crates/akv-emulator/src/program/output.rs", "the CA's certificate, a temporary file"),
];

#[test]
fn files_are_created_in_few_places() -> Result<()> {
    const MAKES: [&str; 6] = [
        "fs::write(",
        "File::create",
        "OpenOptions::new()",
        ".tempfile()",
        ".tempfile_in(",
        "NamedTempFile::",
    ];
    let shipped = [&LIBRARIES[..], &["crates/akv-cli/src", "crates/c-abi/src", "ffi/src"]].concat();
    let mut makers = BTreeSet::new();
    for (path, text) in sources(&shipped)? {
        // Tests may create files freely.
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let is_test = path.ends_with("tests.rs") || path.ends_with("header_tests.rs");
        let mut lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        if !is_test && lines.any(|line| MAKES.iter().any(|word| line.contains(word))) {
            makers.insert(path.strip_prefix(modules::workspace())?.to_owned());
        }
    }
    let known: BTreeSet<PathBuf> = FILE_MAKERS.iter().map(|(path, _)| path.into()).collect();
    assert_eq!(makers, known, "code that creates a file is listed here with the file's mode");
    Ok(())
}

/// `file::function` in backquotes.
fn named_tests(text: &str) -> Vec<(&str, &str)> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter_map(|name| name.split_once(".rs::")).collect()
}

#[test]
fn every_security_claim_has_a_test() -> Result<()> {
    let root = modules::workspace();
    let text = fs::read_to_string(root.join("docs/security.md"))?;
    let (mut claims, mut in_claims) = (0, false);
    for line in text.lines() {
        // Tables of other things have other headings.
        in_claims = line.starts_with("| claim |") || in_claims && line.starts_with('|');
        if !in_claims || line.starts_with("| claim |") || line.starts_with("|---") {
            continue;
        }
        let (claim, tests) = line.trim_matches(['|', ' ']).rsplit_once(" | ").context("a table")?;
        let tests = named_tests(tests);
        assert!(!tests.is_empty(), "no test shows this claim: {claim}");
        claims += 1;
        for (file, function) in tests {
            let path = root.join(format!("{file}.rs"));
            let source = fs::read_to_string(&path).with_context(|| format!("{path:?}: {claim}"))?;
            // Other attributes may stand between, and property tests have arguments.
            let at = source.find(&format!("fn {function}("));
            let at = at.with_context(|| format!("{file}.rs has no {function}: {claim}"))?;
            let before = source[..at].rsplit("\n\n").next().unwrap_or_default();
            let is_test = before.contains("#[test]") || before.contains("#[tokio::test]");
            assert!(is_test, "{function} in {file}.rs is not a test");
        }
    }
    assert!(claims > 30, "only {claims} claims were found");
    Ok(())
}
