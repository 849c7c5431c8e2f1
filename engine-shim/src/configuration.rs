//! The settings of one ENGINE and the client that is made of them, for several threads at once.

use akv_core::blocking::Client;
use akv_core::settings::Builder;
use akv_core::{Settings, logging};
use arc_swap::ArcSwap;
use legacy_abi::Result;
use std::sync::Arc;

/// Settings that control commands change while keys are loaded.
///
/// Each change is a compare-and-swap of the whole state, so none is lost, whatever other threads do
/// meanwhile; a key that is loaded after a command has returned gets what it set. There is no lock,
/// which a child of `fork` could find held.
pub(crate) struct Configuration(ArcSwap<State>);

/// The settings so far, and what was made of them.
struct State {
    builder: Builder,
    client: Option<Client>,
}

impl Configuration {
    /// The environment is read now: servers clear it later.
    pub(crate) fn new() -> Self {
        let builder = Settings::builder().environment();
        Self(ArcSwap::from_pointee(State { builder, client: None }))
    }

    /// The client of the settings as they are, made when it is first needed.
    pub(crate) fn client(&self) -> Result<Client> {
        let current = self.0.load_full();
        if let Some(client) = &current.client {
            return Ok(client.clone());
        }
        let settings = current.builder.clone().build()?;
        logging::init(&settings)?;
        let client = Client::new(settings);
        let made = State { builder: current.builder.clone(), client: Some(client.clone()) };
        let before = self.0.compare_and_swap(&current, Arc::new(made));
        if Arc::ptr_eq(&before, &current) {
            return Ok(client);
        }
        // Another thread was faster: with a client, which this thread had better share, or with a
        // command, which this load came before.
        Ok(before.client.clone().unwrap_or(client))
    }

    /// Changes a setting, for keys that are loaded from now on.
    pub(crate) fn set(&self, name: &str, value: &str) -> Result<()> {
        let mut current = self.0.load_full();
        loop {
            let builder = current.builder.clone().option(name, value)?;
            let changed = Arc::new(State { builder, client: None });
            let before = self.0.compare_and_swap(&current, changed);
            if Arc::ptr_eq(&before, &current) {
                return Ok(());
            }
            current = Arc::clone(&before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ossl_abi::Failure as _;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    /// Of each setting a value that is refused when the client is made, and one that is not.
    const SETTINGS: [[&str; 3]; 3] =
        [["timeout", "soon", "5s"], ["hedge-after", "late", "1s"], ["cloud", "grey", "public"]];

    #[test]
    fn no_command_is_lost_beside_loads_and_other_commands() {
        let configuration = Configuration::new();
        let done = AtomicBool::new(false);
        let load = || {
            while !done.load(Ordering::Relaxed) {
                drop(configuration.client());
            }
        };
        // Only this thread sets this setting, so what it has set last counts.
        let command = |[name, wrong, right]: [&str; 3]| {
            for _ in 0..10 {
                configuration.set(name, wrong).expect("checked later");
                assert!(configuration.client().is_err(), "{name} = {wrong} is lost");
                configuration.set(name, right).expect("checked later");
                // Settings of the other threads may be wrong just now.
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
