//! The options that set a run's settings. Each option is one entry of [`all`]. From the entry follow clap's argument and help, the
//! recipe key in error messages, the conflict with `--resume`, the first line of `train`, and the row in the table of the guide.

mod entries;
mod given;
#[cfg(test)]
mod guide;
mod values;

use std::fmt;
use std::sync::{Arc, LazyLock};

use clap::builder::{BoolValueParser, TypedValueParser, ValueParser};
use clap::{Arg, ArgAction};
use gpunet::low_level::run::config::Config;
use gpunet::low_level::settings::text;
use serde::Serialize;
use toml::{Table, Value};

pub(super) use self::given::Given;

/// An option and the setting that it sets.
pub(super) struct Setting {
    /// The option without its dashes.
    pub(super) option: &'static str,
    /// The setting's path in a recipe, such as `optimizer.learning_rate`.
    pub(super) path: String,
    value_name: &'static str,
    heading: &'static str,
    help: String,
    /// Default in words. `None` shows the value of the default configuration.
    default: Option<String>,
    /// Reads a value as a [`Change`].
    parser: ValueParser,
    /// The kinds of a setting whose kinds have settings of their own: each as the option takes it, with its defaults.
    kinds: Vec<String>,
    /// Values with an option of their own: `--adam` is `--optimizer adam`.
    short_forms: &'static [&'static str],
    /// Whether a resumed run may change the setting.
    resumable: bool,
    /// Whether every command that opens a device has the option.
    opens_device: bool,
    shown: Shown,
}

/// How the first line of `train` shows a setting.
enum Shown {
    /// By name and value, unless it has its default.
    ByName,
    /// As this text, made from all settings and the number of training examples.
    As(fn(&Config, usize) -> Option<String>),
    /// Not at all: another place shows it.
    Elsewhere,
}

/// The effect of an option with its value on the settings of a run.
#[derive(Clone)]
struct Change(Arc<Effect>);

type Effect = dyn Fn(&mut Config) -> anyhow::Result<()> + Send + Sync;

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Change")
    }
}

/// All entries, in the order of the help. Options take effect in this order too, however they are typed: `optimizer` comes before
/// `lr`, which changes one of its settings.
pub(super) fn all() -> &'static [Setting] {
    static ALL: LazyLock<Vec<Setting>> = LazyLock::new(entries::entries);
    &ALL
}

/// The option that sets the setting at `path` of a recipe.
pub(super) fn at(path: &str) -> Option<&'static Setting> {
    all().iter().find(|setting| setting.path == path)
}

/// Options that a resumed run does not take.
pub(super) fn settled() -> impl Iterator<Item = &'static str> {
    let settled = all().iter().filter(|setting| !setting.resumable);
    settled.flat_map(Setting::names)
}

/// The kinds that have settings of their own, with the defaults of these settings, for the end of the help.
pub(super) fn kinds() -> String {
    let options = all().iter().filter(|setting| !setting.kinds.is_empty());
    let lines = options.flat_map(|setting| {
        let kinds = setting.kinds.iter().map(|kind| format!("\n    {kind}"));
        [format!("\n  --{}", setting.option)].into_iter().chain(kinds)
    });
    format!("Settings behind colons, with their defaults:{}", lines.collect::<String>())
}

/// Building an entry.
impl Setting {
    /// An option whose value `parser` reads and `set` stores. The key of the setting is the name of the option.
    fn new<P, F>(option: &'static str, value_name: &'static str, parser: P, set: F) -> Setting
    where
        P: TypedValueParser<Value: Clone + Send + Sync + 'static>,
        F: Fn(&mut Config, P::Value) + Copy + Send + Sync + 'static,
    {
        Setting::fallible(option, value_name, parser, move |config, value| {
            set(config, value);
            Ok(())
        })
    }

    /// The same, for a value that other settings may not allow.
    fn fallible<P, F>(option: &'static str, value_name: &'static str, parser: P, set: F) -> Setting
    where
        P: TypedValueParser<Value: Clone + Send + Sync + 'static>,
        F: Fn(&mut Config, P::Value) -> anyhow::Result<()> + Copy + Send + Sync + 'static,
    {
        let change = move |value: P::Value| Change(Arc::new(move |config| set(config, value.clone())));
        Setting {
            option,
            path: option.replace('-', "_"),
            value_name,
            heading: "",
            help: String::new(),
            default: None,
            parser: ValueParser::new(parser.map(change)),
            kinds: Vec::new(),
            short_forms: &[],
            resumable: false,
            opens_device: false,
            shown: Shown::ByName,
        }
    }

    /// An option that is `true` or `false`.
    fn switch(option: &'static str, set: fn(&mut Config, bool)) -> Setting {
        Setting::new(option, "BOOL", BoolValueParser::new(), set)
    }

    /// Puts the setting into a section of the recipe. Its key there is the name of the option.
    fn section(self, section: &str) -> Setting {
        Setting { path: format!("{section}.{}", self.path), ..self }
    }

    /// Sets the path, for a setting whose key is not the name of the option.
    fn path(self, path: &str) -> Setting {
        Setting { path: path.to_string(), ..self }
    }

    /// What the option does, in a sentence without its end.
    fn help(self, help: impl Into<String>) -> Setting {
        Setting { help: help.into(), ..self }
    }

    /// The default in words, for a setting without a value in the default configuration.
    fn default(self, default: impl Into<String>) -> Setting {
        Setting { default: Some(default.into()), ..self }
    }

    /// Makes the setting one of several kinds, with settings behind colons. `kinds` are all of them, with their defaults.
    fn kinds<K: Serialize>(self, kinds: impl IntoIterator<Item = K>) -> Setting {
        Setting { kinds: kinds.into_iter().map(|kind| text(&kind)).collect(), ..self }
    }

    /// Makes `--<value>` short for `--<option> <value>`.
    fn short_forms(self, values: &'static [&'static str]) -> Setting {
        Setting { short_forms: values, ..self }
    }

    /// Lets a resumed run change the setting.
    fn resumable(self) -> Setting {
        Setting { resumable: true, ..self }
    }

    /// Gives the option to every command that opens a device.
    fn opens_device(self) -> Setting {
        Setting { opens_device: true, ..self }
    }

    /// Shows the setting as this text in the first line of `train`.
    fn shown_as(self, words: fn(&Config, usize) -> Option<String>) -> Setting {
        Setting { shown: Shown::As(words), ..self }
    }

    /// Leaves the setting out of the first line of `train`.
    fn shown_elsewhere(self) -> Setting {
        Setting { shown: Shown::Elsewhere, ..self }
    }
}

/// Reading an entry.
impl Setting {
    /// The default: the words, else the value in the default configuration.
    fn default_text(&self) -> Option<String> {
        self.default.clone().or_else(|| {
            let defaults = Value::Table(Table::try_from(Config::default()).ok()?);
            match self.path.split('.').try_fold(&defaults, |section, key| section.get(key))? {
                Value::Table(kind) => Some(kind.get("name")?.as_str()?.to_string()),
                Value::String(word) => Some(word.clone()),
                Value::Float(number) => Some(number.to_string()),
                value => Some(value.to_string()),
            }
        })
    }

    /// The option and its short forms.
    fn names(&self) -> impl Iterator<Item = &'static str> + Clone + use<> {
        [self.option].into_iter().chain(self.short_forms.iter().copied())
    }

    /// The arguments for all its names, which exclude each other.
    fn arguments(&self) -> impl Iterator<Item = Arg> {
        let default = self.default_text().map_or(String::new(), |default| format!(" [default: {default}]"));
        let argument = move |name: &'static str| {
            let others = self.names().filter(|&other| other != name);
            let argument = Arg::new(name).long(name).help_heading(self.heading).value_parser(self.parser.clone());
            argument.conflicts_with_all(others)
        };
        let long = argument(self.option).value_name(self.value_name).allow_negative_numbers(true);
        let long = long.help(format!("{}{default}", self.help));
        let short = self.short_forms.iter().map(move |name| {
            argument(name)
                .action(ArgAction::Set)
                .num_args(0)
                .default_missing_value(*name)
                .help(format!("Short for --{} {name}", self.option))
        });
        [long].into_iter().chain(short)
    }
}

/// How a run is trained, in one line: first the settings with a text, then all others that do not have their defaults.
pub(super) fn manner(config: &Config, examples: usize) -> String {
    let words = all().iter().filter_map(|setting| match setting.shown {
        Shown::As(words) => words(config, examples),
        Shown::ByName | Shown::Elsewhere => None,
    });
    let unusual = config.unusual();
    let by_name = unusual.iter().filter_map(|(path, value)| match at(path) {
        Some(Setting { option, shown: Shown::ByName, .. }) => Some(format!("{} {value}", option.replace('-', " "))),
        Some(_) => None,
        None => Some(format!("{path} {value}")),
    });
    words.chain(by_name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
