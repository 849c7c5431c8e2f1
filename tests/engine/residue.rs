//! After everything is freed and unloaded, the process's memory contains no token and no plaintext.

use akv_emulator::Persona;
use akv_tests::{
    Site,
    engine::{plain, program, public_key},
    residue,
};
use anyhow::Result;

#[test]
fn nothing_secret_is_left_in_memory() -> Result<()> {
    let site = Site::start(Persona::Vault)?;
    let key = site.rsa(2048)?;
    let public = public_key(&site, &key)?;
    let (needles, ciphertext) = residue::prepare(&site, &plain(&site)?, &public)?;
    residue::check(program(&site, "engine/residue")?.args([&needles, &key, &ciphertext]))
}
