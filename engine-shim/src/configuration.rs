//! The settings of an ENGINE and the client built from them, shared by several threads.

use std::sync::Arc;

use akv_core::blocking::Client;
use akv_core::settings::Builder;
use akv_core::{Settings, logging};
use arc_swap::ArcSwap;
use legacy_abi::{Result, job};
use ossl_abi::job::Jobs;

/// Settings that control commands can change while keys are loaded.
///
/// Each change is a compare-and-swap of the whole state, so no change is lost to a concurrent one.
/// A key that is loaded after a command has returned uses the new value. There is no lock, since a
/// child of `fork` could find it held.
pub(crate) struct Configuration {
    jobs: Option<Jobs>,
    state: ArcSwap<State>,
}

/// The current settings, and the client built from them.
struct State {
    builder: Builder,
    client: Option<Client>,
}

impl Configuration {
    /// Reads the environment now, because servers clear it later.
    pub(crate) fn new(jobs: Option<Jobs>) -> Self {
        let builder = Settings::builder().environment();
        Self { jobs, state: ArcSwap::from_pointee(State { builder, client: None }) }
    }

    /// The client for the current settings, created on first use.
    pub(crate) fn client(&self) -> Result<Client> {
        let current = self.state.load_full();
        if let Some(client) = &current.client {
            return Ok(client.clone());
        }
        let settings = current.builder.clone().build()?;
        logging::init(&settings)?;
        let client = job::client(self.jobs, settings);
        let made = State { builder: current.builder.clone(), client: Some(client.clone()) };
        let before = self.state.compare_and_swap(&current, Arc::new(made));
        if Arc::ptr_eq(&before, &current) {
            return Ok(client);
        }
        // Another thread was faster. If it stored a client, share that. If it changed a setting,
        // use ours: this load started before the command.
        Ok(before.client.clone().unwrap_or(client))
    }

    /// Changes a setting for keys that are loaded later.
    pub(crate) fn set(&self, name: &str, value: &str) -> Result<()> {
        let mut current = self.state.load_full();
        loop {
            let builder = current.builder.clone().option(name, value)?;
            let changed = Arc::new(State { builder, client: None });
            let before = self.state.compare_and_swap(&current, changed);
            if Arc::ptr_eq(&before, &current) {
                return Ok(());
            }
            current = Arc::clone(&before);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use ossl_abi::Failure as _;

    use super::*;

    /// For each setting, a value that is refused when the client is created, and a valid one.
    const SETTINGS: [[&str; 3]; 3] =
        [["timeout", "soon", "5s"], ["hedge-after", "late", "1s"], ["cloud", "grey", "public"]];

    #[test]
    fn no_command_is_lost_among_concurrent_loads_and_commands() {
        let configuration = Configuration::new(None);
        let done = AtomicBool::new(false);
        let load = || {
            while !done.load(Ordering::Relaxed) {
                drop(configuration.client());
            }
        };
        // Only this thread changes this setting, so its last value must be in effect.
        let command = |[name, wrong, right]: [&str; 3]| {
            for _ in 0..10 {
                configuration.set(name, wrong).expect("checked later");
                assert!(configuration.client().is_err(), "{name} = {wrong} is lost");
                configuration.set(name, right).expect("checked later");
                // Other threads may have set invalid values at the moment.
                let refusal = configuration.client().err().and_then(|error| error.entry());
                let lost =
                    refusal.is_some_and(|(_, text)| text.contains(&format!("setting {name}")));
                assert!(!lost, "{name} = {right} is lost");
            }
        };
        thread::scope(|scope| {
            let loads = [scope.spawn(load), scope.spawn(load)];
            let commands = SETTINGS.map(|setting| scope.spawn(move || command(setting)));
            let results = commands.map(thread::ScopedJoinHandle::join);
            done.store(true, Ordering::Relaxed);
            for thread in loads {
                thread.join().expect("no panic");
            }
            assert!(results.iter().all(Result::is_ok));
        });
        assert!(configuration.client().is_ok());
    }
}
