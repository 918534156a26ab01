//! The options between clap and the settings of a run.

use clap::error::Error;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use gpunet::low_level::run::config::Config;

use super::{Change, Setting, all};

/// The options that a command was given. With `ONLY_DEVICE` the command has only the options that choose a device.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Given<const ONLY_DEVICE: bool> {
    /// Changes with the names of their options, in the order of the entries.
    changes: Vec<(&'static str, Change)>,
}

fn settings(only_device: bool) -> impl Iterator<Item = &'static Setting> {
    all().iter().filter(move |setting| setting.opens_device || !only_device)
}

impl<const ONLY_DEVICE: bool> Given<ONLY_DEVICE> {
    /// `config` with these options.
    ///
    /// # Errors
    /// A value that other settings do not allow.
    pub(in crate::cli) fn apply(&self, mut config: Config) -> anyhow::Result<Config> {
        for (_, Change(change)) in &self.changes {
            change(&mut config)?;
        }
        Ok(config)
    }

    /// Adds the options of `other` that are not given here.
    pub(in crate::cli) fn default_to(&mut self, other: &Given<true>) {
        let is_given = |option: &str| self.changes.iter().any(|(given, _)| *given == option);
        let missing: Vec<_> = other.changes.iter().filter(|(option, _)| !is_given(option)).cloned().collect();
        self.changes.extend(missing);
    }
}

impl<const ONLY_DEVICE: bool> Args for Given<ONLY_DEVICE> {
    fn augment_args(command: Command) -> Command {
        command.args(settings(ONLY_DEVICE).flat_map(Setting::arguments))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Given::<ONLY_DEVICE>::augment_args(command)
    }
}

impl<const ONLY_DEVICE: bool> FromArgMatches for Given<ONLY_DEVICE> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Given<ONLY_DEVICE>, Error> {
        let given = |setting: &'static Setting| {
            let mut names = setting.names();
            names.find_map(|name| Some((setting.option, matches.get_one::<Change>(name)?.clone())))
        };
        Ok(Given { changes: settings(ONLY_DEVICE).filter_map(given).collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Given::from_arg_matches(matches)?;
        Ok(())
    }
}
