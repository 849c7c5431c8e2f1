//! Link arguments of the module.

fn main() {
    // Threads of the runtime may outlive `dlclose`, so their code must stay mapped.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    // Makes an undefined symbol an error here, not in the host. In particular, the module must not
    // need symbols of libcrypto.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,defs");
    println!("cargo::rerun-if-changed=build.rs");
}
