//! After everything is freed, the process's memory contains no token and no plaintext.

use akv_emulator::Persona;
use akv_tests::{Site, Task, residue};
use anyhow::Result;

use crate::{build, with_settings};

#[test]
fn nothing_secret_is_left_in_memory() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.rsa(2048)?;
    let (needles, ciphertext) = residue::prepare(&site, &site.plain(), &site.public_key(&key)?)?;
    let program = build("residue", &site)?;
    let task = Task::new(program).args([&needles, &key, &ciphertext]);
    residue::check(with_settings(task, &site))
}
