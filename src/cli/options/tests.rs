//! What must hold of every entry.

use clap::{Args, Command, FromArgMatches};
use gpunet::low_level::settings::{SpecError, from_table};
use toml::Table;

use super::*;

/// The default configuration with these options, if they are valid.
fn configure(options: &[String]) -> Option<Config> {
    let matches =
        Given::<false>::augment_args(Command::new("train").no_binary_name(true)).try_get_matches_from(options);
    let given = Given::<false>::from_arg_matches(&matches.ok()?).unwrap();
    given.apply(Config::default()).ok()
}

/// Paths of the settings that these options change.
fn changed(options: &[String]) -> Vec<String> {
    let config = configure(options).unwrap_or_default();
    config.unusual().into_iter().map(|(path, _)| path).collect()
}

/// The option with a value that changes a setting. Numbers and words of the help are tried.
fn example(setting: &Setting) -> String {
    let words = setting.help.split([' ', ',', ';', '`']).map(|word| word.trim_matches(['(', ')']));
    let values = ["7", "0.25", "true", "false"].into_iter().chain(words);
    let mut options = values.map(|value| format!("--{}={value}", setting.option));
    options
        .find(|option| !changed(std::slice::from_ref(option)).is_empty())
        .unwrap_or_else(|| panic!("--{}", setting.option))
}

#[test]
fn every_option_changes_the_setting_that_it_names() {
    for setting in all() {
        let example = example(setting);
        let [path] = &changed(std::slice::from_ref(&example))[..] else {
            panic!("{example} changes more than one setting")
        };
        // A kind with its settings is one value.
        let is_of_kind =
            at(path).is_some_and(|kind| !kind.kinds.is_empty() && setting.path.starts_with(&format!("{path}.")));
        assert!(*path == setting.path || is_of_kind, "{example} changes {path}, not {}", setting.path);
    }
}

#[test]
fn every_setting_of_a_recipe_has_an_option() {
    let unknown = Table::from_iter([("?".to_string(), true.into())]);
    let Err(SpecError::Key { known, .. }) = from_table::<Config>(&unknown) else { panic!("`?` is a setting") };
    assert!(known.contains(&"arch") && known.contains(&"early_stopping"), "{known:?}");
    for key in known {
        let section = format!("{key}.");
        assert!(all().iter().any(|setting| setting.path == key || setting.path.starts_with(&section)), "{key}");
    }
}

/// An option that names a kind takes effect before the options for the settings of that kind.
#[test]
fn options_do_not_depend_on_their_order() {
    for setting in all() {
        let Some(kind) = setting.path.split_once('.').and_then(|(section, _)| at(section)) else { continue };
        for text in &kind.kinds {
            let options = [format!("--{}={text}", kind.option), example(setting)];
            let reversed = [options[1].clone(), options[0].clone()];
            assert_eq!(configure(&options), configure(&reversed), "{options:?}");
            assert!(
                configure(&options).is_none_or(|config| config != configure(&options[..1]).unwrap()),
                "{options:?}"
            );
        }
    }
}

#[test]
fn a_run_says_how_it_is_trained() {
    let said = |options: &[&str]| {
        let options: Vec<String> = options.iter().map(ToString::to_string).collect();
        manner(&configure(&options).unwrap(), 1000)
    };
    assert_eq!(said(&[]), "gradient descent at 0.3, batch 100");
    assert_eq!(said(&["--epochs=3", "--seed=7", "--threads=2", "--device=cpu"]), "gradient descent at 0.3, batch 100");
    assert_eq!(said(&["--adam", "--batch=full"]), "Adam at 0.001, full batch");
    assert_eq!(
        said(&["--l2=0.5", "--loss=svm", "--clip-norm=2", "--warmup=1", "--batch=5000", "--accumulate=4"]),
        "gradient descent at 0.3, batch 1000 times 4, constant rate after 1 epoch of warm-up, clip norm 2.0, \
         loss svm:margin=1.0:variant=weston-watkins, l2 0.5"
    );
}
