//! The options of `gpunet train`: the settings of a run, and what is done with it.

use std::path::PathBuf;

use clap::Args;
use gpunet::low_level::data::MNIST;
use gpunet::low_level::run::config::Config;
use gpunet::low_level::run::schedule::Schedule;
use gpunet::low_level::store::load_config;

use crate::cli::DeviceFlags;
use crate::cli::options::{self, Given};

/// Settings of a run. Options win over the recipe.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct Settings {
    /// Take settings from a file, such as the config.toml of a run; other options win over it
    #[arg(long, value_name = "FILE", help_heading = "Run")]
    recipe: Option<PathBuf>,

    #[command(flatten)]
    pub(in crate::cli) given: Given<false>,

    #[command(flatten)]
    pub(in crate::cli) device: DeviceFlags,
}

#[derive(Clone, Debug, Args)]
#[command(after_help = options::kinds())]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    pub(in crate::cli) settings: Settings,

    /// Continue a run that was stopped, to the same result as without the stop; --epochs may ask for more
    #[arg(long, value_name = "DIR", conflicts_with_all = options::settled().chain(["recipe"]), help_heading = "Run")]
    pub(in crate::cli) resume: Option<PathBuf>,

    /// Folder of the run [default: runs/<arch>-<time>]
    #[arg(long, value_name = "DIR", conflicts_with = "resume", help_heading = "Run")]
    pub(in crate::cli) out: Option<PathBuf>,

    /// Replace the run that --out already holds
    #[arg(long, requires = "out", conflicts_with = "resume", help_heading = "Run")]
    pub(super) force: bool,

    /// Before training, time each launch of some steps, print a table and write a trace [default: profile.json of the run]
    #[arg(long, value_name = "FILE.json", num_args = 0..=1, require_equals = true, help_heading = "Run")]
    pub(super) profile: Option<Option<PathBuf>>,

    /// Only check whether the network can overfit N examples; keeps nothing
    #[arg(long, value_name = "N", allow_negative_numbers = true, conflicts_with_all = ["out", "resume", "subset", "profile"], help_heading = "Run")]
    pub(super) overfit: Option<usize>,
}

/// Epochs of an overfit check without --epochs.
const OVERFIT_EPOCHS: usize = 200;

impl Settings {
    /// `config` with the options.
    pub(in crate::cli) fn apply(&self, config: Config) -> anyhow::Result<Config> {
        let mut config = self.given.apply(config)?;
        // An absolute path finds the data from every folder.
        if let Ok(directory) = std::fs::canonicalize(&config.data)
            && config.data != MNIST
        {
            config.data = directory.to_string_lossy().into_owned();
        }
        config.validate()?;
        Ok(config)
    }

    /// The recipe's settings, or the defaults.
    fn base(&self) -> anyhow::Result<Config> {
        Ok(match &self.recipe {
            Some(path) => load_config(path)?,
            None => Config::default(),
        })
    }

    /// The settings of a new run: the options over the recipe, or over the defaults.
    pub(in crate::cli) fn config(&self) -> anyhow::Result<Config> {
        self.apply(self.base()?)
    }
}

impl Arguments {
    /// The settings of a new run. An overfit check has defaults of its own, which win over the recipe.
    pub(in crate::cli) fn config(&self) -> anyhow::Result<Config> {
        let Some(examples) = self.overfit else { return self.settings.config() };
        let (subset, epochs, schedule, early_stopping) = (Some(examples), OVERFIT_EPOCHS, Schedule::default(), None);
        let base = Config { subset, epochs, schedule, early_stopping, ..self.settings.base()? };
        self.settings.apply(base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A checkpoint goes with the settings that it was trained with: a resumed run refuses options that would change them.
    #[test]
    fn a_resumed_run_takes_only_what_it_may() {
        let command = Arguments::augment_args(clap::Command::new("train"));
        let resume = command.get_arguments().find(|argument| argument.get_id() == "resume").unwrap();
        let excludes = |one, other| command.get_arg_conflicts_with(one).contains(&other);
        let others = command.get_arguments().filter(|&argument| argument != resume);
        let taken = others.filter(|&argument| !excludes(argument, resume) && !excludes(resume, argument));
        let taken: Vec<&str> = taken.filter_map(clap::Arg::get_long).collect();
        assert_eq!(taken, ["data", "epochs", "device", "threads", "checked-shaders", "no-tune", "profile"]);
    }
}
