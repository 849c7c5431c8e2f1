//! Settings, and the client created from them.

use std::ffi::c_char;

use akv_core::blocking;

use crate::{
    buffer::{hand_over, object, text},
    last_error::{call, invalid_argument},
};

/// Settings for a new client. May be used by only one thread at a time.
#[derive(Default)]
pub struct Settings(Vec<(String, String)>);

impl Settings {
    /// The environment takes precedence, as with the OpenSSL modules' settings file.
    fn build(&self) -> akv_core::Result<akv_core::Settings> {
        let mut builder = akv_core::Settings::builder();
        for (name, value) in &self.0 {
            builder = builder.option(name, value)?;
        }
        builder.environment().build()
    }
}

/// A client for the vaults: settings, credential, token, connections. Create one and keep it.
pub struct Client(pub(crate) blocking::Client);

/// Creates empty settings. Free them with `akv_settings_free`.
///
/// # Safety
/// `settings` is null or points to room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_settings_new(settings: *mut *mut Settings) -> i32 {
    call("akv_settings_new", || {
        // SAFETY: guaranteed by the caller.
        unsafe { hand_over(settings, || Ok(Settings::default())) }
    })
}

/// Sets a setting by its name in `openssl.cnf`, such as `timeout`, `ca-file` or `credential`. The
/// environment variable for the same setting takes precedence. The value is checked when the client
/// is created.
///
/// # Safety
/// `settings` is null or from `akv_settings_new`; the strings are null or C strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_settings_set(
    settings: *mut Settings,
    name: *const c_char,
    value: *const c_char,
) -> i32 {
    call("akv_settings_set", || {
        // SAFETY: guaranteed by the caller.
        let settings = unsafe { settings.as_mut() }
            .ok_or_else(|| invalid_argument("the pointer to the settings is null"))?;
        // SAFETY: the same.
        let (name, value) = unsafe { (text(name)?, text(value)?) };
        akv_core::Settings::builder().option(name, value)?;
        settings.0.push((name.to_owned(), value.to_owned()));
        Ok(())
    })
}

/// Frees settings.
///
/// # Safety
/// `settings` is null or from `akv_settings_new`, and is not used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_settings_free(settings: *mut Settings) {
    // SAFETY: guaranteed by the caller.
    unsafe { c_abi::free_box::<Settings>(settings.cast()) }
}

/// Creates a client. If `settings` is null, only the environment is used. The caller keeps
/// ownership of `settings`. The environment is read once, in this call. No request is sent. Free
/// the client with `akv_client_free`.
///
/// # Safety
/// `settings` is null or from `akv_settings_new`; `client` is null or points to room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_client_new(
    settings: *const Settings,
    client: *mut *mut Client,
) -> i32 {
    call("akv_client_new", || {
        // SAFETY: guaranteed by the caller.
        let settings = if settings.is_null() { None } else { Some(unsafe { object(settings) }?) };
        let make = || {
            let settings =
                settings.map_or_else(akv_core::Settings::from_environment, Settings::build)?;
            Ok(Client(blocking::Client::new(settings)))
        };
        // SAFETY: guaranteed by the caller.
        unsafe { hand_over(client, make) }
    })
}

/// Frees a client. Keys opened with it stay valid.
///
/// # Safety
/// `client` is null or from `akv_client_new`, and is not used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_client_free(client: *mut Client) {
    // SAFETY: guaranteed by the caller.
    unsafe { c_abi::free_box::<Client>(client.cast()) }
}
