//! Link arguments of the module.

fn main() {
    // Threads of the runtime may outlive `dlclose`: the code they run must stay mapped.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    // A symbol that nothing we link defines is an error here, not in the host: in particular the
    // module must never need anything of libcrypto.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,defs");
    println!("cargo::rerun-if-changed=build.rs");
}
