//! Settings, and the client that they make.

use crate::{
    buffer::{hand_over, object, text},
    last_error::{call, wrong},
};
use akv_core::blocking;
use std::ffi::c_char;

/// Settings before a client is made of them. One thread at a time.
#[derive(Default)]
pub struct Settings(Vec<(String, String)>);

impl Settings {
    /// As the settings file of the OpenSSL modules: the environment wins.
    fn build(&self) -> akv_core::Result<akv_core::Settings> {
        let mut builder = akv_core::Settings::builder();
        for (name, value) in &self.0 {
            builder = builder.option(name, value)?;
        }
        builder.environment().build()
    }
}

/// The way to the vaults: settings, credential, token, connections. Make one and keep it.
pub struct Client(pub(crate) blocking::Client);

/// Makes empty settings. Free them with `akv_settings_free`.
///
/// # Safety
/// `settings` is null or leads to room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_settings_new(settings: *mut *mut Settings) -> i32 {
    call("akv_settings_new", || {
        // SAFETY: vouched for by the caller.
        unsafe { hand_over(settings, || Ok(Settings::default())) }
    })
}

/// Sets a setting by the name that it has in `openssl.cnf`: `timeout`, `ca-file`, `credential`. An
/// environment variable for the same setting wins. The value is checked when the client is made.
///
/// # Safety
/// `settings` is null or from `akv_settings_new`; the texts are null or C strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_settings_set(
    settings: *mut Settings,
    name: *const c_char,
    value: *const c_char,
) -> i32 {
    call("akv_settings_set", || {
        // SAFETY: vouched for by the caller.
        let settings =
            unsafe { settings.as_mut() }.ok_or_else(|| wrong("a null pointer to settings"))?;
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
/// `settings` is null or from `akv_settings_new`, and nobody uses it any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_settings_free(settings: *mut Settings) {
    // SAFETY: vouched for by the caller.
    unsafe { c_abi::free_box::<Settings>(settings.cast()) }
}

/// Makes a client of settings, which stay the caller's; null for those of the environment alone.
/// The environment is read now and never again. Nothing is sent. Free it with `akv_client_free`.
///
/// # Safety
/// `settings` is null or from `akv_settings_new`; `client` is null or leads to room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_client_new(
    settings: *const Settings,
    client: *mut *mut Client,
) -> i32 {
    call("akv_client_new", || {
        // SAFETY: vouched for by the caller.
        let settings = if settings.is_null() { None } else { Some(unsafe { object(settings) }?) };
        let make = || {
            let settings =
                settings.map_or_else(akv_core::Settings::from_environment, Settings::build)?;
            Ok(Client(blocking::Client::new(settings)))
        };
        // SAFETY: vouched for by the caller.
        unsafe { hand_over(client, make) }
    })
}

/// Frees a client. Keys that were opened with it stay usable.
///
/// # Safety
/// `client` is null or from `akv_client_new`, and nobody uses it any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn akv_client_free(client: *mut Client) {
    // SAFETY: vouched for by the caller.
    unsafe { c_abi::free_box::<Client>(client.cast()) }
}
