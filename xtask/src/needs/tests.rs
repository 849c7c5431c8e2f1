//! Checks that every program that the sources start is in a list of requirements, or on every
//! machine.

use std::{collections::BTreeMap, fs, path::PathBuf};

use akv_tests::modules;

use super::*;

/// Programs that are obtained in other ways, with their source.
const OTHERWISE: [(&str, &str); 9] = [
    ("cargo", "required by the build"),
    ("rustc", "the same"),
    ("chroot", "coreutils"),
    ("debootstrap", "cargo xtask hosts installs it"),
    ("dpkg-query", "inside of systems in folders, which are Debian"),
    ("npm", "cargo xtask hosts --sdk fetches Node.js with it"),
    ("node", "the same"),
    ("python3", "cargo xtask hosts --sdk, and zig, which report that it is missing"),
    ("systemctl", "only where systemd runs"),
];

/// Programs that developers take for granted and a minimal Debian lacks. If a script of the sources
/// starts one, it must be in the list of requirements.
const TAKEN_FOR_GRANTED: [&str; 32] = [
    "awk", "bc", "curl", "dig", "faketime", "fuser", "gdb", "gpg", "ifconfig", "ip", "jq", "kill",
    "killall", "lsof", "nc", "netstat", "pgrep", "pidof", "ping", "pkill", "ps", "python", "rsync",
    "socat", "ss", "strace", "sudo", "unzip", "wget", "xxd", "zip", "valgrind",
];

/// The Rust sources of tests and commands, with their text.
fn sources() -> Vec<(PathBuf, String)> {
    let mut waiting: Vec<PathBuf> =
        ["crates", "engine-shim", "ffi", "provider-shim", "tests", "xtask"]
            .map(|folder| modules::workspace().join(folder))
            .to_vec();
    let mut found = Vec::new();
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).expect("a folder of the workspace") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") && path != own() {
                let text = fs::read_to_string(&path).expect("a source");
                found.push((path, text));
            }
        }
    }
    assert!(found.len() > 100, "only {} sources", found.len());
    found
}

fn own() -> PathBuf {
    modules::workspace().join("xtask/src/needs/tests.rs")
}

fn in_needs(program: &str) -> bool {
    let hosts = FOR_OPENSSL
        .iter()
        .chain(&FOR_DEBIAN)
        .chain(&FOR_DEBIAN11)
        .chain(&FOR_AWS_LC)
        .chain(&FOR_SDK)
        .chain(&FOR_SIGNATURES)
        .chain(&FOR_DEVELOPMENT)
        .chain(&FOR_PACKAGES);
    FOR_TESTS.iter().chain(hosts).any(|need| need.name == program)
}

fn known(program: &str) -> bool {
    in_needs(program)
        || ESSENTIAL.iter().any(|(name, _)| *name == program)
        || OTHERWISE.iter().any(|(name, _)| *name == program)
}

/// The words that follow `start`.
fn words_after<'a>(text: &'a str, start: &str) -> impl Iterator<Item = &'a str> {
    text.match_indices(start).map(move |(at, _)| {
        let rest = &text[at + start.len()..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-_./+{}".contains(c)));
        &rest[..end.unwrap_or(rest.len())]
    })
}

/// Programs started by name: `Task::new("cc")`, `Command::new("/bin/sh")`, `cmd!(shell, "rm …")`.
fn started(text: &str) -> Vec<String> {
    let starts = ["Task::new(\"", "Command::new(\"", "cmd!(shell, \""];
    let all = starts.iter().flat_map(|start| words_after(text, start));
    let plain = all.filter(|word| !word.is_empty() && !word.contains('{'));
    plain.map(|word| word.rsplit('/').next().unwrap_or(word).to_owned()).collect()
}

/// Programs started by shell lines in string literals.
fn in_scripts(text: &str) -> Vec<String> {
    let starts = ["&& ", "|| ", "; ", "| ", "$(", "exec ", "\"exec ", "then ", "do "];
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let quoted = code.filter(|line| line.contains('"') || line.contains("mount "));
    quoted
        .flat_map(|line| starts.iter().flat_map(move |start| words_after(line, start)))
        .filter(|word| TAKEN_FOR_GRANTED.contains(word))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_started_program_is_in_a_list_of_needs() {
    let mut unknown = BTreeMap::new();
    let mut seen = 0;
    for (path, text) in sources() {
        for program in started(&text) {
            seen += 1;
            if !known(&program) {
                unknown.insert(program, path.clone());
            }
        }
        for program in in_scripts(&text) {
            if !in_needs(&program) {
                unknown.insert(program, path.clone());
            }
        }
    }
    assert!(seen > 30, "only {seen} programs are started: the search is broken");
    assert!(
        unknown.is_empty(),
        "these programs are in no list of needs: add them to xtask/src/needs.rs, or avoid them: \
         {unknown:#?}"
    );
}

#[test]
fn the_search_finds_programs() {
    // Assembled from pieces, so that this file does not match.
    let new = "Task::new(";
    assert_eq!(started(&format!("{new}\"kill\").args([])")), ["kill"]);
    assert_eq!(started(&format!("{new}\"/bin/sh\"); {new}&program)")), ["sh"]);
    assert_eq!(started("cmd!(shell, \"{cargo} build\"); cmd!(shell, \"ps aux\")"), ["ps"]);
    assert_eq!(in_scripts("script(\"true && ps aux | awk 1; kill $!\")"), ["ps", "kill", "awk"]);
    assert!(in_scripts("// \"true && ps\"").is_empty());
}
