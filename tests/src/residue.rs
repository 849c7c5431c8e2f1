//! Input for `tests/c/residue.h`: parts of the token and of a plaintext, in every encoding that
//! they have in transit.

use std::fs;

use anyhow::{Context as _, Result, ensure};

use crate::{OpenSsl, Site, Task};

/// Must equal the value in `tests/c/residue.h`.
const NEEDLE_LEN: usize = 20;
const NEEDLE_MASK: u8 = 0x5a;

/// No part of it occurs by chance.
const PLAINTEXT: &[u8] = b"plaintext 8f2c71d0e5a94b36a1d7c0 in a vault's answer, b59e3d20467";

/// Its encoding in the service's response (RFC 4648 section 5).
fn base64url(bytes: &[u8]) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    bytes
        .chunks(3)
        .flat_map(|chunk| {
            let number = chunk.iter().fold(0, |number, byte| number << 8 | usize::from(*byte));
            let number = number << (8 * (3 - chunk.len()));
            (0..=chunk.len()).map(move |digit| ALPHABET[number >> (18 - 6 * digit) & 63])
        })
        .collect()
}

/// Writes the needles into a file, and the plaintext's encryption with a key into another.
///
/// # Errors
/// `openssl` fails.
pub fn prepare(site: &Site, plain: &OpenSsl, public_key: &str) -> Result<(String, String)> {
    let token = fs::read(site.path("token"))?;
    ensure!(token.len() > 100 && base64url(b"\xfb\xff") == b"-_8");
    let mut masked = Vec::new();
    for secret in [&token[..], PLAINTEXT, &base64url(PLAINTEXT)] {
        // Freed memory may be partly overwritten, so many parts are searched for.
        for window in secret.trim_ascii().windows(NEEDLE_LEN).step_by(7) {
            masked.extend(window.iter().map(|byte| byte ^ NEEDLE_MASK));
        }
    }
    fs::write(site.path("needles"), masked)?;
    fs::write(site.path("plaintext"), PLAINTEXT)?;
    let ciphertext = site.text("ciphertext");
    plain.ok(&format!(
        "pkeyutl -encrypt -pubin -inkey {public_key} -in plaintext -out {ciphertext} \
         -pkeyopt rsa_padding_mode:oaep"
    ))?;
    Ok((site.text("needles"), ciphertext))
}

/// Runs a program that looks for residues.
///
/// # Errors
/// It fails, or finds one.
pub fn check(task: Task) -> Result<()> {
    let output = task.run()?;
    ensure!(output.status.success(), "{}", output.describe());
    let text = output.text();
    ensure!(text.trim() == "clean", "{}", output.describe());
    Ok(())
}

/// Makes the credential `azure-cli` get the site's token from a program.
///
/// # Errors
/// The program cannot be written.
pub fn with_tool(site: &Site, task: Task) -> Result<Task> {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = site.path("tools");
    fs::create_dir_all(&folder)?;
    let token = fs::read_to_string(site.path("token"))?;
    let answer = format!(
        r#"{{"tokenType":"Bearer","accessToken":"{}","expiresOn":"2099-01-02 03:04:05.000000","expires_on":4000000000}}"#,
        token.trim()
    );
    let tool = folder.join("az");
    fs::write(&tool, format!("#!/bin/sh\necho '{answer}'\n"))?;
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755))?;
    let path = std::env::var_os("PATH").context("a PATH")?;
    let mut folders = vec![folder];
    folders.extend(std::env::split_paths(&path));
    Ok(task.env("PATH", std::env::join_paths(folders)?).env("AKV_CREDENTIAL", "azure-cli"))
}
