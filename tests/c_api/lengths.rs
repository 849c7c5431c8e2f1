//! Results of the wrong length from the vault.

use std::fs;

use akv_emulator::Operation;
use akv_tests::{Task, lengths::Case};
use anyhow::{Context as _, Result};

use crate::{build, scene, with_settings};

/// Results fit the requested buffer, whatever the vault returns.
#[test]
fn results_fit_the_requested_buffer() -> Result<()> {
    let (site, keys) = scene()?;
    let [_, ec, rsa, aes] = keys.as_slice() else { panic!("four arguments") };
    let program = build("lengths", &site)?;
    let run = |verify: &str, arguments: &[&str]| {
        let task = Task::new(&program).args(arguments).env("AKV_VERIFY_SIGNATURES", verify);
        with_settings(task, &site)
    };
    let public = site.public_key(rsa)?;
    fs::write(site.path("plain"), [7; 32])?;
    let (oaep, wrapped) = (site.text("oaep.bin"), site.text("wrapped.bin"));
    site.plain().ok(&format!(
        "pkeyutl -encrypt -pubin -inkey {public} -in plain -out {oaep} \
         -pkeyopt rsa_padding_mode:oaep"
    ))?;
    site.openssl().ok(&format!("pkeyutl -encrypt -inkey {aes} -in plain -out {wrapped}"))?;
    for (arguments, on, lengths) in [
        (&[ec.as_str(), "sign", "ES256"][..], Operation::Sign, 64..=64),
        (&[rsa, "sign", "RS256"], Operation::Sign, 256..=256),
        (&[rsa, "decrypt", "RSA-OAEP", &oaep], Operation::Decrypt, 0..=214),
        (&[rsa, "unwrap", "RSA-OAEP", &oaep], Operation::UnwrapKey, 0..=214),
        (&[rsa, "wrap", "RSA-OAEP"], Operation::WrapKey, 256..=256),
        (&[aes, "wrap", "A256KW"], Operation::WrapKey, 40..=40),
        (&[aes, "unwrap", "A256KW", &wrapped], Operation::UnwrapKey, 32..=32),
    ] {
        for verify in ["yes", "no"] {
            // The signature has only the right length, and the numbers for ES256 are too large.
            let passes = on != Operation::Sign || (verify == "no" && *lengths.end() == 256);
            let program = || Ok(run(verify, arguments));
            Case { on, lengths: lengths.clone(), passes, program: &program }
                .check(&site)
                .with_context(|| format!("{arguments:?} {verify}"))?;
        }
    }
    Ok(())
}
