//! The logins of `az` and `azd`, with stand-in programs of these names.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Command,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use akv_core::{Settings, SignatureAlgorithm::Es256, blocking::Client};

use super::identities::{Site, open, sign};

/// A folder with a program.
pub(crate) struct Tool(tempfile::TempDir);

impl Tool {
    /// A program that records its arguments and then runs `script`.
    pub(crate) fn new(name: &str, script: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let tool = Self(folder);
        let calls = tool.0.path().join("calls");
        let text = format!("#!/bin/sh\necho \"$0 $*\" >> {}\n{script}\n", calls.display());
        let program = tool.0.path().join(name);
        fs::write(&program, text).expect("a program");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a program");
        tool
    }

    /// The output of `az` with a token.
    pub(crate) fn az(token: &str) -> Self {
        Self::new("az", &format!("echo '{}'", az_answer(token, 3600)))
    }

    /// The output of `azd` with a token.
    pub(crate) fn azd(token: &str) -> Self {
        let answer = format!(r#"{{"token":"{token}","expiresOn":"2099-01-02T03:04:05Z"}}"#);
        Self::new("azd", &format!("echo '{answer}'"))
    }

    pub(crate) fn path(&self) -> &str {
        self.0.path().to_str().expect("a UTF-8 path")
    }

    /// The command lines so far.
    pub(crate) fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.0.path().join("calls")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

/// The documented shape of `az account get-access-token -o json`.
fn az_answer(token: &str, life: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    format!(
        r#"{{"accessToken":"{token}","expiresOn":"2030-01-02 03:04:05.000000","expires_on":{},"subscription":"s","tenant":"t","tokenType":"Bearer"}}"#,
        now + life
    )
}

fn key(site: &Site, credential: &str, tool: &Tool) -> akv_core::Result<akv_core::blocking::Key> {
    site.key(credential, &[("PATH", tool.path())])
}

#[test]
fn both_tools_return_tokens() {
    let site = Site::start();
    let token = site.vault.emulator.token();
    let scope = "--scope https://vault.azure.net/.default";
    for (credential, tool, command) in [
        ("azure-cli", Tool::az(&token), "az account get-access-token -o json"),
        ("azure-developer-cli", Tool::azd(&token), "azd auth token -o json --no-prompt"),
    ] {
        let key = key(&site, credential, &tool).unwrap_or_else(|error| panic!("{error}"));
        sign(&key).unwrap();
        let calls = tool.calls();
        assert_eq!(calls.len(), 1, "{calls:?}");
        assert!(calls[0].ends_with(&format!("/{command} {scope}")), "{calls:?}");
    }
    assert_eq!(site.vault.emulator.stats().token_requests, 0);
}

/// The unit tests of the parser cover every form of output.
#[test]
fn old_and_noisy_tools_return_tokens_too() {
    let site = Site::start();
    let token = site.vault.emulator.token();
    let old = r#"{"accessToken":"TOKEN","expiresOn":"2030-10-27 02:30:00.000000","tenant":"t"}"#;
    let azd = r#"{"token":"TOKEN","expiresOn":"2099-01-02T03:04:05Z"}"#;
    let report = r#"{"type":"consoleMessage","data":{"message":"WARNING: old"}}"#;
    for (credential, name, lines) in [
        ("azure-cli", "az", [r"\357\273\277", old, ""]),
        ("azure-cli", "az", ["x.py:1: UserWarning: {old}", old, "bye"]),
        ("azure-cli", "az", [r"\033[33mWARNING\033[0m", old, r"\033[0m"]),
        ("azure-developer-cli", "azd", [report, azd, "a new version is available"]),
    ] {
        let text = lines.join("\n").replace("TOKEN", &token);
        // Zones with and without daylight saving time: none of them may matter.
        for zone in ["UTC", "Europe/Berlin", "Pacific/Kiritimati"] {
            let tool = Tool::new(name, &format!("export TZ={zone}; printf '{text}'"));
            sign(&key(&site, credential, &tool).unwrap_or_else(|e| panic!("{text}: {e}"))).unwrap();
        }
    }
}

#[test]
fn the_tenant_is_passed_to_the_tool() {
    let site = Site::start();
    for (credential, tool, option) in [
        ("azure-cli", Tool::az(&site.vault.emulator.token()), "--tenant contoso.example"),
        (
            "azure-developer-cli",
            Tool::azd(&site.vault.emulator.token()),
            "--tenant-id contoso.example",
        ),
    ] {
        let more = [("PATH", tool.path()), ("AZURE_TENANT_ID", "contoso.example")];
        sign(&site.key(credential, &more).unwrap()).unwrap();
        assert!(tool.calls()[0].ends_with(option), "{:?}", tool.calls());
    }
}

#[test]
fn a_missing_or_logged_out_tool_has_a_readable_error() {
    let site = Site::start();
    let nothing = Tool::new("something-else", "");
    let az = Tool::new("az", "echo \"Please run 'az login' to setup account.\" >&2; exit 1");
    let message = r#"{"type":"consoleMessage","data":{"message":"\nERROR: not logged in, run `azd auth login` to login\n"}}"#;
    let azd = Tool::new("azd", &format!("printf '%s\\n' '{message}' >&2; exit 1"));
    let silent = Tool::new("az", "exit 3");
    let noisy = "echo 'x.py: UserWarning: old'; echo 'ERROR: No subscription found.'";
    let noisy = Tool::new("az", &format!("({noisy}) >&2; exit 1"));
    let other = Tool::new("az", r#"echo '{"refreshToken":"s3cret","tokenType":"Bearer"}'"#);
    let html = Tool::new("az", "echo '<html>s3cret</html>'");
    for (credential, tool, reason) in [
        ("azure-cli", &nothing, "az not found on PATH; install the tool and log in"),
        ("azure-developer-cli", &nothing, "azd not found on PATH; install the tool and log in"),
        ("azure-cli", &az, "azure-cli: Please run 'az login' to setup account."),
        (
            "azure-developer-cli",
            &azd,
            "azure-developer-cli: ERROR: not logged in, run `azd auth login`",
        ),
        ("azure-cli", &silent, "failed without a message"),
        ("azure-cli", &noisy, "azure-cli: ERROR: No subscription found."),
        ("azure-cli", &other, "azure-cli: the program printed no access token"),
        ("azure-cli", &html, "azure-cli: the program printed no access token"),
    ] {
        let text = key(&site, credential, tool).unwrap_err().to_string();
        assert!(text.contains(reason), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
    }
}

#[test]
fn a_hanging_tool_times_out_at_the_deadline() {
    let site = Site::start();
    let tool = Tool::new("az", "exec /bin/sleep 600");
    let start = Instant::now();
    let more = [("PATH", tool.path()), ("AKV_TIMEOUT", "2s")];
    let text = site.key("azure-cli", &more).unwrap_err().to_string();
    assert!(start.elapsed() < Duration::from_millis(2500), "{:?}", start.elapsed());
    assert!(text.contains("azure-cli: ") && text.contains("did not finish within"), "{text}");
}

#[test]
fn short_lived_tokens_of_a_tool_are_renewed() {
    let site = Site::start();
    let life = "$(($(/bin/date +%s) + 2))";
    let answer = r#"{"accessToken":"TOKEN","expires_on":LIFE,"tokenType":"Bearer"}"#
        .replace("TOKEN", &site.vault.emulator.token())
        .replace('"', "\\\"")
        .replace("LIFE", life);
    let tool = Tool::new("az", &format!("echo \"{answer}\""));
    let key = key(&site, "azure-cli", &tool).unwrap();
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(3) {
        sign(&key).unwrap();
    }
    assert!((2..=8).contains(&tool.calls().len()), "{:?}", tool.calls());
}

/// The role of the process.
const ROLE: &str = "AKV_TEST_ROLE";

/// Runs this test in a process with its own environment; `wrapper` prepares it.
fn in_process(name: &str, wrapper: &str, variables: &[(String, String)]) -> String {
    let name = format!("credentials_tools::{name}");
    let output = Command::new("/bin/sh")
        .args(["-c", &format!("exec {wrapper} \"$0\" --exact \"$1\" --nocapture")])
        .arg(std::env::current_exe().unwrap())
        .arg(name)
        .env_clear()
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .env(ROLE, "child")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text} {}", String::from_utf8_lossy(&output.stderr));
    text
}

/// Signs with the process's own environment.
fn sign_as_child() {
    let client = Client::new(Settings::from_environment().unwrap());
    let outcome = client
        .key(&client.reference("vault:myVault:ec").unwrap())
        .and_then(|key| key.sign(Es256, &[7; 32]));
    match outcome {
        Ok(signature) => println!("signed {} bytes", signature.len()),
        Err(error) => println!("failed: {error}"),
    }
}

#[test]
fn tools_are_found_in_the_environment_of_the_process() {
    if std::env::var_os(ROLE).is_some() {
        return sign_as_child();
    }
    let name = "tools_are_found_in_the_environment_of_the_process";
    let site = Site::start();
    let token = site.vault.emulator.token();
    for (credential, tool) in
        [("azure-cli", Tool::az(&token)), ("azure-developer-cli", Tool::azd(&token))]
    {
        let variables = site.variables(credential, &[("PATH", tool.path())]);
        let text = in_process(name, "", &variables);
        assert!(text.contains("signed 64 bytes"), "{text}");
        assert_eq!(tool.calls().len(), 1);
    }
    let nothing = Tool::new("something-else", "");
    let variables = site.variables("azure-cli", &[("PATH", nothing.path())]);
    let text = in_process(name, "", &variables);
    assert!(text.contains("failed: ") && text.contains("az not found on PATH"), "{text}");
}

/// Like hosts that do not wait for their children.
#[test]
fn a_process_that_ignores_its_children_gets_tokens_too() {
    if std::env::var_os(ROLE).is_some() {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
        let ignored = u64::from_str_radix(ignored.trim(), 16).unwrap();
        assert_ne!(ignored & (1 << 16), 0, "SIGCHLD is ignored");
        return sign_as_child();
    }
    let site = Site::start();
    let tool = Tool::az(&site.vault.emulator.token());
    let variables = site.variables("azure-cli", &[("PATH", tool.path())]);
    let name = "a_process_that_ignores_its_children_gets_tokens_too";
    let text = in_process(name, "/usr/bin/env --ignore-signal=CHLD", &variables);
    assert!(text.contains("signed 64 bytes"), "{text}");
}

#[test]
fn tools_get_the_environment_from_load() {
    let site = Site::start();
    let answer = az_answer(&site.vault.emulator.token(), 3600);
    let script = format!(
        "test \"$HOME\" = /home/somebody && test \"$AZURE_CONFIG_DIR\" = /login && echo '{answer}'"
    );
    let tool = Tool::new("az", &script);
    let more = [("PATH", tool.path()), ("HOME", "/home/somebody"), ("AZURE_CONFIG_DIR", "/login")];
    sign(&open(&site.variables("azure-cli", &more)).unwrap()).unwrap();
    assert!(Path::new(tool.path()).join("calls").exists());
}
