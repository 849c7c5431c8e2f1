//! The library's settings as command-line options, generated from the library's table.

use akv_core::{Client, Settings, logging, settings::OPTIONS};
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use crate::exit::Result;

/// The settings on the command line: names and values.
#[derive(Clone, Debug, Default)]
pub(crate) struct SettingsArguments(Vec<(&'static str, String)>);

impl SettingsArguments {
    /// These settings override the environment, which overrides the defaults.
    pub(crate) fn settings(&self) -> Result<Settings> {
        self.settings_over(&[])
    }

    /// These settings override the environment, which overrides a configuration file.
    pub(crate) fn settings_over(&self, file: &[(&'static str, String)]) -> Result<Settings> {
        let mut builder = Settings::builder();
        for (name, value) in file {
            builder = builder.option(name, value)?;
        }
        builder = builder.environment();
        for (name, value) in &self.0 {
            builder = builder.argument(name, value)?;
        }
        let settings = builder.build()?;
        logging::init(&settings)?;
        Ok(settings)
    }

    /// A client with these settings.
    pub(crate) fn client(&self) -> Result<Client> {
        Ok(Client::new(self.settings()?))
    }
}

impl Args for SettingsArguments {
    fn augment_args(command: Command) -> Command {
        // There are many, so they have one line of help and their own heading.
        let arguments = OPTIONS.iter().map(|option| {
            let help = match option.env {
                Some(variable) => format!("{} [env: {variable}]", option.help),
                None => option.help.to_owned(),
            };
            Arg::new(option.name)
                .long(option.name)
                .value_name("VALUE")
                .help(help)
                .help_heading("Settings (take precedence over the environment)")
        });
        command.args(arguments)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for SettingsArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = |name: &'static str| Some((name, matches.get_one::<String>(name)?.clone()));
        Ok(Self(OPTIONS.iter().filter_map(|option| given(option.name)).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
