//! The provider writes no more than a size query returns, whatever the vault returns.

use std::fs;

use akv_emulator::{Curve, NewKey, Operation, Persona};
use akv_tests::{Site, Task, cc, lengths::Case, modules};
use anyhow::{Context as _, Result};

/// The program with a configuration with or without verification of signatures.
struct Bench {
    site: Site,
    program: std::path::PathBuf,
}

impl Bench {
    fn start(persona: Persona) -> Result<Self> {
        let site = Site::start(persona)?;
        let program = cc::compile("provider/lengths", site.folder())?;
        for verify in ["yes", "no"] {
            let mut settings = site.settings();
            settings.push(("verify-signatures", verify.to_owned()));
            site.configure(&format!("verify-{verify}.cnf"), &modules::provider()?, &settings)?;
        }
        Ok(Self { site, program })
    }

    fn task(&self, verify: &str, arguments: &[&str]) -> Task {
        let config = self.site.path(&format!("verify-{verify}.cnf"));
        Task::new(&self.program).env("OPENSSL_CONF", config).args(arguments)
    }
}

#[test]
fn signatures_fit_the_announced_size() -> Result<()> {
    let bench = Bench::start(Persona::Vault)?;
    let site = &bench.site;
    for (key, size) in
        [(site.rsa(2048)?, 256), (site.ec(Curve::P256)?, 64), (site.ec(Curve::P521)?, 132)]
    {
        for operation in ["sign", "digest-sign"] {
            for verify in ["yes", "no"] {
                // Numbers of ECDSA that are all ones are beyond the order of the curve.
                let passes = verify == "no" && size == 256;
                let program = || Ok(bench.task(verify, &[&key, operation]));
                let case =
                    Case { on: Operation::Sign, lengths: size..=size, passes, program: &program };
                case.check(site).with_context(|| format!("{operation} {key} {verify}"))?;
            }
        }
    }
    Ok(())
}

#[test]
fn plaintexts_fit_the_announced_size() -> Result<()> {
    let bench = Bench::start(Persona::Vault)?;
    let site = &bench.site;
    let key = site.rsa(2048)?;
    let public = site.public_key(&key)?;
    fs::write(site.path("plain"), "a plaintext")?;
    for (padding, max) in [("pkcs1", 245), ("oaep", 214)] {
        site.plain().ok(&format!(
            "pkeyutl -encrypt -pubin -inkey {public} -in plain -out {padding}.bin \
             -pkeyopt rsa_padding_mode:{padding}"
        ))?;
        let file = site.text(&format!("{padding}.bin"));
        for verify in ["yes", "no"] {
            let program = || Ok(bench.task(verify, &[&key, padding, &file]));
            let on = Operation::Decrypt;
            Case { on, lengths: 0..=max, passes: true, program: &program }
                .check(site)
                .with_context(|| padding.to_owned())?;
        }
    }
    Ok(())
}

#[test]
fn wrapped_keys_fit_the_announced_size() -> Result<()> {
    let bench = Bench::start(Persona::ManagedHsm)?;
    let site = &bench.site;
    site.vault().create_key(NewKey::oct("kek", 256).hsm(true))?;
    let key = site.reference("kek");
    fs::write(site.path("cek"), [7; 32])?;
    let file = site.text("cek.wrapped");
    site.openssl().ok(&format!("pkeyutl -encrypt -inkey {key} -in cek -out {file}"))?;
    for (operation, on, size) in
        [("wrap", Operation::WrapKey, 40), ("unwrap", Operation::UnwrapKey, 32)]
    {
        let program = || Ok(bench.task("yes", &[&key, operation, &file]));
        Case { on, lengths: size..=size, passes: true, program: &program }
            .check(site)
            .with_context(|| operation.to_owned())?;
    }
    Ok(())
}
