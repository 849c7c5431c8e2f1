//! The commands that the pages show are run, page by page, in one shell for each.

use std::path::{Path, PathBuf};

use akv_emulator::Persona;
use akv_tests::{docs::Book, modules};
use anyhow::{Context as _, Result, ensure};

use crate::scene::{Scene, block};

/// Commands that are not run here, by how they begin, and why.
const ELSEWHERE: [(&str, &str); 14] = [
    ("cargo ", "the project's own commands, which have tests of their own"),
    ("AKV_TEST_OPENSSL=", "the same"),
    ("apt ", "`cargo xtask hosts --packages` installs the packages"),
    ("gpgv ", "`cargo xtask hosts --packages` verifies a signature"),
    ("sha256sum ", "the same"),
    ("podman ", "needs a container engine; `cargo xtask hosts --packages` does the steps"),
    ("install -D", "writes into the system's folders"),
    ("cc ", "`tests/c_api` compiles the examples"),
    ("export PKG_CONFIG_PATH", "the same"),
    ("systemctl ", "needs systemd"),
    ("nginx -t && systemctl", "the same; `tests/hosts` reloads nginx"),
    ("curl https://www.example.org", "needs a name in DNS; `tests/hosts` connects to nginx"),
    ("setsebool ", "needs SELinux"),
    ("openssl skeyutl", "needs OpenSSL 3.6; `tests/provider` has it"),
];

/// The same for commands of single pages.
const ON_PAGES: [(&str, &str, &str); 2] = [
    ("docs/hosts.md", "curl --", "`tests/hosts/debian11`, with its own OpenSSL"),
    ("docs/symmetric-keys.md", "openssl enc", "needs OpenSSL 3.5; `tests/provider` has it"),
];

/// Pages about Managed HSMs.
const HSM: [&str; 2] = ["docs/symmetric-keys.md", "docs/migration.md"];

/// What other pages have made.
const EARLIER: &str = "akv pem KEY --out /etc/akv/site.key
    akv cert self-signed KEY --subject CN=www.example.org --out /etc/akv/site.pem
    cp /etc/akv/site.pem /etc/akv/site.pem.new";

/// The commands of a block: lines, joined where they go on.
fn commands(code: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in code.lines() {
        match found.last_mut().filter(|_| goes_on) {
            Some(last) => *last = format!("{last}\n{line}"),
            None => found.push(line.to_owned()),
        }
        goes_on = line.ends_with('\\');
    }
    found
}

/// Their commands need the program in question: `cargo xtask hosts --debian13` runs all of them.
const RECIPES: &str = "docs/recipes";

/// Why a command is not run here, if it is not.
fn elsewhere(page: &str, command: &str) -> Option<&'static str> {
    let known = ELSEWHERE.iter().find(|(start, _)| command.starts_with(start));
    let on_page = ON_PAGES.iter().find(|(on, start, _)| *on == page && command.starts_with(start));
    let abbreviated = command.contains('…').then_some("is not complete");
    known.map(|(_, why)| *why).or(on_page.map(|(_, _, why)| *why)).or(abbreviated)
}

/// The file that a program in the background writes when it is ready.
fn sign_of_life(command: &str) -> Option<&str> {
    let command = command.strip_suffix(" &")?;
    let options = ["--write-env ", "--ca-file "];
    let after = options.iter().find_map(|option| command.split(option).nth(1))?;
    after.split_whitespace().next()
}

/// The script of a page, with the number of its commands.
fn script(page: &str, blocks: &[akv_tests::docs::Block]) -> (String, usize) {
    let (mut script, mut count) = (String::new(), 0);
    for block in blocks.iter().filter(|block| block.language == "sh") {
        for command in commands(&block.code) {
            if elsewhere(page, &command).is_some() {
                continue;
            }
            script.push_str(&command.replace("--seconds 5", "--seconds 1"));
            script.push('\n');
            if let Some(file) = sign_of_life(&command) {
                script.push_str(&format!("await {file}\n"));
            }
            count += 1;
        }
    }
    (script, count)
}

fn check(path: &Path) -> Result<usize> {
    let name = path.display().to_string();
    let page = crate::scene::page(&name)?;
    let (script, count) = script(&name, &page.blocks);
    if count == 0 {
        return Ok(0);
    }
    let persona = if HSM.contains(&name.as_str()) { Persona::ManagedHsm } else { Persona::Vault };
    let scene = Scene::open(persona, script.contains("openssl x509 -in vault:"))?;
    let configuration = match name.as_str() {
        "docs/engine.md" => block("docs/engine.md", "ini", 1)?,
        _ => block("docs/install.md", "ini", 0)?,
    };
    scene.configure(&configuration)?;
    scene.run(&EARLIER.replace("KEY", &scene.site.reference("myKey")))?;
    scene.run(&script).with_context(|| format!("the commands of {name}"))?;
    Ok(count)
}

#[test]
fn commands_of_all_pages_work() -> Result<()> {
    let book = Book::read(modules::workspace())?;
    let pages: Vec<&Path> = book
        .pages
        .keys()
        .map(PathBuf::as_path)
        // The README has a test of its own.
        .filter(|path| path.starts_with("docs") && !path.starts_with(RECIPES))
        .collect();
    let results: Vec<Result<usize>> = pages.iter().map(|path| check(path)).collect();
    let failed: Vec<String> = results
        .iter()
        .filter_map(|result| result.as_ref().err().map(|error| format!("{error:#}")))
        .collect();
    ensure!(failed.is_empty(), "{}", failed.join("\n\n"));
    let count: usize = results.into_iter().flatten().sum();
    ensure!(count > 30, "only {count} commands were run");
    Ok(())
}

/// A list that is longer than needed hides commands.
#[test]
fn every_exception_is_needed() -> Result<()> {
    let book = Book::read(modules::workspace())?;
    let shown: Vec<(String, String)> = book
        .pages
        .iter()
        .flat_map(|(path, page)| {
            let blocks = page.blocks.iter().filter(|block| block.language == "sh");
            blocks
                .flat_map(|block| commands(&block.code))
                .map(|command| (path.display().to_string(), command))
        })
        .collect();
    for (start, why) in ELSEWHERE {
        let is_shown = shown.iter().any(|(_, command)| command.starts_with(start));
        assert!(is_shown, "no page shows {start:?} ({why})");
    }
    for (page, start, why) in ON_PAGES {
        let is_shown = shown.iter().any(|(on, command)| on == page && command.starts_with(start));
        assert!(is_shown, "{page} does not show {start:?} ({why})");
    }
    Ok(())
}
