//! `e_akv`: the ENGINE for OpenSSL 1.1.1, and for programs on 3.x that still say `engine:`.
//!
//! Not an engine yet: nothing here binds to OpenSSL, and no `e_akv.so` is built. What is here is
//! the table of control commands, one for each setting, that the engine will offer.

mod controls;

pub use controls::{Control, controls};
