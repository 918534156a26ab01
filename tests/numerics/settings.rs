//! Optimizers, regularization and clipping as recipes write them: names, defaults, and what is refused.

use gpunet::low_level::nn::clipping::Clipping;
use gpunet::low_level::nn::optim::{
    Adagrad, Adam, AdamW, Corrections, Lion, Momentum, Muon, NAdam, Nesterov, Optimizer, RAdam, RmsProp, Sgd,
};
use gpunet::low_level::nn::regularization::Regularization;
use gpunet::low_level::settings::SettingError;
use serde::de::DeserializeOwned;

fn parse<T: DeserializeOwned>(recipe: &str) -> Result<T, toml::de::Error> {
    toml::from_str(recipe)
}

/// As published; learning rates of gradient descent are this program's own.
#[test]
fn names_bring_published_settings() {
    let adam = Adam { learning_rate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
    let nadam = NAdam { learning_rate: 0.002, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, momentum_decay: 0.004 };
    let radam = RAdam { learning_rate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
    let muon = Muon {
        learning_rate: 0.02,
        momentum: 0.95,
        adam_learning_rate: 0.001,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
    };
    let adamw = AdamW { learning_rate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
    let momentum = Momentum { learning_rate: 0.03, momentum: 0.9, average: false, bias_correction: false };
    let expected = [
        ("sgd", Optimizer::Sgd(Sgd { learning_rate: 0.3 })),
        ("momentum", Optimizer::Momentum(momentum)),
        ("nesterov", Optimizer::Nesterov(Nesterov { learning_rate: 0.03, momentum: 0.9 })),
        ("rmsprop", Optimizer::RmsProp(RmsProp { learning_rate: 0.001, rho: 0.9, epsilon: 1e-8 })),
        ("adagrad", Optimizer::Adagrad(Adagrad { learning_rate: 0.01, epsilon: 1e-10 })),
        ("adam", Optimizer::Adam(adam)),
        ("adamw", Optimizer::AdamW(adamw)),
        ("lion", Optimizer::Lion(Lion { learning_rate: 0.0001, beta1: 0.9, beta2: 0.99 })),
        ("nadam", Optimizer::NAdam(nadam)),
        ("radam", Optimizer::RAdam(radam)),
        ("muon", Optimizer::Muon(muon)),
    ];
    assert_eq!(Optimizer::all(), expected.map(|(_, optimizer)| optimizer));
    for (name, optimizer) in expected {
        assert_eq!((optimizer.name(), Optimizer::named(name)), (name, Some(optimizer)));
        assert_eq!(parse::<Optimizer>(&format!("name = '{name}'")).unwrap(), optimizer);
        assert_eq!(parse::<Optimizer>(&toml::to_string(&optimizer).unwrap()).unwrap(), optimizer);
        assert_eq!(optimizer.with_learning_rate(0.5).learning_rate(), 0.5);
        assert_eq!(optimizer.check(), Ok(()));
        let decay = if ["adamw", "muon"].contains(&name) { 0.01 } else { 0.0 };
        assert_eq!(Regularization::default().weight_decay(&optimizer), decay);
        let given = Regularization { weight_decay: Some(0.5), ..Regularization::default() };
        assert_eq!(given.weight_decay(&optimizer), 0.5);
    }
    assert_eq!(Optimizer::named("adamax"), None);
}

#[test]
fn only_corrected_averages_have_a_bias_to_correct() {
    let corrections = |recipe: &str| parse::<Optimizer>(recipe).unwrap().corrections(2);
    let none = Corrections::default();
    assert_eq!(corrections("name = 'momentum'\nmomentum = 0.5"), none);
    assert_eq!(corrections("name = 'momentum'\nmomentum = 0.5\naverage = true"), none);
    let corrected = "name = 'momentum'\nmomentum = 0.5\naverage = true\nbias_correction = true";
    assert_eq!(corrections(corrected), Corrections { first_moment: 1.0 / (1.0 - 0.25), ..none });
    let of_adam = Corrections { first_moment: 4.0 / 3.0, second_moment: 16.0 / 7.0, ..none };
    assert_eq!(corrections("name = 'adam'\nbeta1 = 0.5\nbeta2 = 0.75"), of_adam);
}

#[test]
fn unknown_settings_are_named() {
    for (recipe, problem) in [
        ("name = 'adamax'", "unknown variant `adamax`"),
        ("name = 'sgd'\nmomentum = 0.9", "unknown field `momentum`"),
        ("name = 'adamw'\nweight_decay = 0.1", "unknown field `weight_decay`"),
        ("learning_rate = 0.1", "missing field `name`"),
    ] {
        let error = parse::<Optimizer>(recipe).unwrap_err().to_string();
        assert!(error.contains(problem), "{recipe}: {error}");
    }
    assert!(parse::<Regularization>("dropout = 0.1").is_err());
    assert!(parse::<Clipping>("max = 0.1").is_err());
}

fn assert_refused(check: Result<(), SettingError>, sentence: &str) {
    assert_eq!(check.map_err(|error| error.to_string()), Err(sentence.to_string()));
}

#[test]
fn optimizers_refuse_senseless_settings() {
    for (recipe, sentence) in [
        ("name = 'momentum'\nmomentum = 1", "`optimizer.momentum` is 1.0; a momentum lies from 0 up to but below 1"),
        ("name = 'nesterov'\nmomentum = nan", "`optimizer.momentum` is NaN; a momentum lies from 0 up to but below 1"),
        ("name = 'rmsprop'\nrho = -0.1", "`optimizer.rho` is -0.1; a decay lies from 0 up to but below 1"),
        ("name = 'lion'\nbeta2 = inf", "`optimizer.beta2` is inf; a decay lies from 0 up to but below 1"),
        (
            "name = 'adamw'\nbeta1 = 0.99999999999",
            "`optimizer.beta1` is 0.99999999999; a decay lies from 0 up to but below 1",
        ),
        (
            "name = 'adagrad'\nepsilon = 0",
            "`optimizer.epsilon` is 0.0; what is added to a root must be a positive f32, such as 1e-8",
        ),
        (
            "name = 'muon'\nadam_learning_rate = 0",
            "`optimizer.adam_learning_rate` is 0.0; a learning rate must be a positive f32, such as 0.001",
        ),
        (
            "name = 'nadam'\nmomentum_decay = -1",
            "`optimizer.momentum_decay` is -1.0; it must be 0 or a positive number, such as 0.004",
        ),
        ("name = 'radam'\nbeta2 = 1", "`optimizer.beta2` is 1.0; a decay lies from 0 up to but below 1"),
        (
            "name = 'momentum'\nbias_correction = true",
            "`optimizer.bias_correction` and `optimizer.average` contradict each other: \
             only a moving average has a bias to correct; set both or neither",
        ),
    ] {
        assert_refused(parse::<Optimizer>(recipe).unwrap().check(), sentence);
    }
    for optimizer in Optimizer::all() {
        for rate in [0.0, -0.1, 1e-60, f64::NAN, f64::INFINITY] {
            assert!(optimizer.with_learning_rate(rate).check().is_err(), "{optimizer:?} at {rate}");
        }
    }
}

#[test]
fn regularization_and_clipping_refuse_senseless_settings() {
    assert_eq!(parse::<Regularization>("").unwrap(), Regularization::default());
    assert_eq!(parse::<Clipping>("").unwrap(), Clipping::default());
    for value in [0.0, 1e-6, 100.0] {
        let all = Regularization { l1: value, l2: value, weight_decay: Some(value), max_norm: None };
        assert_eq!(all.check(), Ok(()));
    }
    let none = Regularization::default();
    for value in [-1e-3, 1e-60, 101.0, f64::NAN, f64::INFINITY] {
        let must = "it must be 0, or a positive f32 up to 100, such as 0.0001";
        for (key, settings) in [
            ("l1", Regularization { l1: value, ..none }),
            ("l2", Regularization { l2: value, ..none }),
            ("weight_decay", Regularization { weight_decay: Some(value), ..none }),
        ] {
            assert_refused(settings.check(), &format!("`regularization.{key}` is {value:?}; {must}"));
        }
    }
    for value in [0.0, -1.0, 1e-60, 1e60, f64::NAN, f64::INFINITY] {
        let must = "the largest norm of a unit's weights must be a positive f32, such as 3 (leave it out for none)";
        let settings = Regularization { max_norm: Some(value), ..none };
        assert_refused(settings.check(), &format!("`regularization.max_norm` is {value:?}; {must}"));
        let must = "a bound on gradients must be a positive f32, such as 1 (leave it out for none)";
        for (key, settings) in [
            ("norm", Clipping { norm: Some(value), value: None }),
            ("value", Clipping { norm: None, value: Some(value) }),
        ] {
            assert_refused(settings.check(), &format!("`clipping.{key}` is {value:?}; {must}"));
        }
    }
}
