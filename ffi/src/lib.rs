//! The C library `libakv`: keys in Azure Key Vault and Managed HSM for programs that use neither
//! OpenSSL nor Rust. `include/akv.h` is generated from this crate and documents its use.
//!
//! This crate only translates; `akv-core` implements the operations. Every function runs in
//! [`last_error::call`] or a related function. These check pointers, keep panics from crossing into
//! C and store the error for `akv_last_error`.
#![deny(missing_docs)]

mod buffer;
mod client;
mod codes;
mod key;
mod last_error;
mod list;
mod operations;
mod pending;
mod version;

/// Zeroes all freed memory of this library and its dependencies, so that no token or plaintext
/// stays behind.
#[global_allocator]
static ALLOCATOR: c_abi::Wiping = c_abi::Wiping;

pub use self::{
    client::{
        Client, Settings, akv_client_free, akv_client_new, akv_settings_free, akv_settings_new,
        akv_settings_set,
    },
    codes::Code,
    key::{
        Key, akv_key_file, akv_key_free, akv_key_open, akv_key_open_file, akv_key_public_key,
        akv_key_reference,
    },
    last_error::{akv_last_error, akv_last_error_code},
    list::{KeyList, akv_key_list_free, akv_key_list_next, akv_key_list_open},
    operations::{
        akv_decrypt, akv_ecdsa_der, akv_encrypt, akv_sign, akv_sign_message, akv_unwrap,
        akv_verify, akv_wrap,
    },
    pending::{
        Pending, akv_decrypt_start, akv_pending_cancel, akv_pending_fd, akv_pending_finish,
        akv_pending_wait, akv_sign_start,
    },
    version::{ABI_VERSION, akv_abi_version, akv_version},
};
