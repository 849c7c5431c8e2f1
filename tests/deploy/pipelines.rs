//! The commands of the recipes for pipelines, with a real osslsigncode.

use std::{fs, os::unix::fs::PermissionsExt as _};

use akv_emulator::{Application, NewKey, Persona};
use akv_tests::{Site, Task, modules};
use anyhow::{Context as _, Result};

const CLIENT: &str = "11111111-2222-3333-4444-555555555555";
/// The token that the pipeline's service issues.
const TOKEN: &str = "token-of-the-pipeline";

/// What the service of GitHub answers, and the program that reads it.
const PROGRAMS: [(&str, &str); 2] = [
    (
        "curl",
        "case \"$*\" in *'bearer request-token'*audience=api://AzureADTokenExchange) ;; *) exit 1 ;; esac",
    ),
    ("jq", "echo token-of-the-pipeline"),
];

/// The last script of a recipe, after this key.
fn script(file: &str, key: &str) -> Result<String> {
    let text = fs::read_to_string(modules::workspace().join("deploy/pipelines").join(file))?;
    let (_, block) = text.rsplit_once(&format!("{key}: |\n")).context("a script")?;
    let indent = block.len() - block.trim_start_matches(' ').len();
    let lines = block.lines().take_while(|line| line.len() > indent && line.starts_with(' '));
    Ok(lines.map(|line| format!("{}\n", &line[indent..])).collect())
}

/// A program for Windows that returns at once.
fn program() -> Vec<u8> {
    let mut file = vec![0; 1024];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    let header = 0x40;
    let optional = header + 24;
    let section = optional + 240;
    put(0, b"MZ");
    put(0x3c, &[0x40]);
    put(header, b"PE\0\0\x64\x86\x01");
    // The size of the optional header, and the file's characteristics.
    put(header + 20, &[240, 0, 0x22]);
    // PE32+, one page of code, sections of 0x1000 and 512 bytes, the size of image and headers.
    for (at, value) in
        [(0, 0x020b_u32), (4, 512), (16, 0x1000), (20, 0x1000), (32, 0x1000), (36, 512)]
    {
        put(optional + at, &value.to_le_bytes());
    }
    for (at, value) in [(48, 6_u32), (56, 0x2000), (60, 512), (68, 3), (108, 16)] {
        put(optional + at, &value.to_le_bytes());
    }
    put(section, b".text");
    for (at, value) in [(8, 1_u32), (12, 0x1000), (16, 512), (20, 512), (36, 0x6000_0020)] {
        put(section + at, &value.to_le_bytes());
    }
    put(512, &[0xc3]);
    file
}

/// Runs a recipe's script, and verifies what it has signed.
fn check(script: &str, variables: &[(&str, &str)]) -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let vault = site.vault();
    vault.create_key(NewKey::rsa("codeSigning", 2048))?;
    let tenant = vault.tenant();
    vault.register(Application::new(&tenant, CLIENT).federated_token(TOKEN))?;
    for place in ["etc", "bin", "deploy/pipelines", "signing"] {
        fs::create_dir_all(site.path(place))?;
    }
    for (name, text) in PROGRAMS {
        let path = site.path("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n"))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    }
    fs::copy(
        modules::workspace().join("packaging/files/openssl.cnf"),
        site.path("etc/openssl.cnf"),
    )?;
    let sign = fs::read_to_string(modules::workspace().join("deploy/pipelines/sign.sh"))?;
    let sign = sign.replace("/etc/akv/", &format!("{}/", site.text("etc")));
    fs::write(site.path("deploy/pipelines/sign.sh"), sign)?;
    fs::write(site.path("program.exe"), program())?;
    let (key, chain) = (site.reference("codeSigning"), site.text("signing/chain.pem"));
    site.openssl().ok(&format!(
        "req -x509 -new -key {key} -subj /CN=Example -addext extendedKeyUsage=codeSigning -out {chain}"
    ))?;
    vault.reset_stats();

    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = [site.path("bin")].into_iter().chain(std::env::split_paths(&path));
    let mut task = Task::new("bash")
        .args(["-euc", script])
        .dir(site.folder())
        .env("PATH", std::env::join_paths(folders)?)
        .env("OPENSSL_MODULES", modules::folder()?)
        .env("AKV_ENDPOINT", vault.endpoint())
        .env("AKV_CA_FILE", site.text("vault-ca.pem"))
        .env("AZURE_AUTHORITY_HOST", vault.authority())
        .env("KEY", "vault:myVault:codeSigning")
        .env("CERTIFICATE", "signing/chain.pem");
    for (name, value) in variables {
        task = task.env(name, value.replace("TENANT", &tenant));
    }
    task.ok()?;
    assert_eq!(vault.stats().sign, 1, "one signature");
    let verify = ["verify", "-CAfile", &chain, "-in", "program-signed.exe"];
    let said = Task::new("osslsigncode").args(verify).dir(site.folder()).ok()?.text();
    assert!(said.contains("Signature verification: ok"), "{said}");
    Ok(())
}

#[test]
fn github_actions_signs_with_the_workflows_token() -> Result<()> {
    check(
        &script("github-actions.yml", "run")?,
        &[
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "request-token"),
            ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://pipelines.example/token?api-version=2.0"),
            ("AZURE_CLIENT_ID", CLIENT),
            ("AZURE_TENANT_ID", "TENANT"),
        ],
    )
}

#[test]
fn azure_pipelines_signs_with_the_connections_token() -> Result<()> {
    check(
        &script("azure-pipelines.yml", "inlineScript")?,
        &[("servicePrincipalId", CLIENT), ("tenantId", "TENANT"), ("idToken", TOKEN)],
    )
}

#[test]
fn another_token_signs_nothing() -> Result<()> {
    let error = check(
        &script("azure-pipelines.yml", "inlineScript")?,
        &[("servicePrincipalId", CLIENT), ("tenantId", "TENANT"), ("idToken", "another")],
    );
    let error = format!("{:#}", error.expect_err("a refusal"));
    assert!(error.contains("no access token"), "{error}");
    Ok(())
}
