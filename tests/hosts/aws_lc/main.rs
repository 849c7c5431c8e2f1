//! The example `ffi/examples/aws_lc_server.c`: AWS-LC's libssl on one thread, with a vault key by
//! the C API. Only `cargo xtask hosts --aws-lc` builds AWS-LC and runs these.

mod handshakes;
mod leaving;
mod memory;
mod refusals;
mod stage;
mod system;
