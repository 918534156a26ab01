//! Networks layer by layer: the sections `[[layers]]` of a recipe, another way to write `arch`, `activation` and `dropout`.

use serde::Deserialize;
use toml::{Table, Value};

use super::SettingError;
use crate::kernels::activation::Activation;
use crate::math::shape::Window;
use crate::nn::arch::{Arch, LayerSpec};
use crate::nn::network::check_dropout;
use crate::settings::{self, SpecError};

/// The key of the input's shape, and that of the layers.
pub(super) const KEYS: [&str; 2] = ["input", "layers"];

/// A layer as a section says it.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
enum Section {
    Dense {
        units: usize,
        activation: Option<Activation>,
        #[serde(default)]
        dropout: f64,
    },
    Conv {
        maps: usize,
        kernel: usize,
        stride: Option<usize>,
        #[serde(default)]
        padding: usize,
        activation: Option<Activation>,
        #[serde(default)]
        dropout: f64,
    },
    MaxPool {
        size: usize,
        stride: Option<usize>,
        #[serde(default)]
        padding: usize,
    },
    AvgPool {
        size: usize,
        stride: Option<usize>,
        #[serde(default)]
        padding: usize,
    },
    GlobalAvgPool {},
    BatchNorm {},
}

/// What is said of the units of a layer with weights: their activation, where it is named, and their dropout.
type Units = (Option<Activation>, f64);

/// What is wrong with the sections.
pub(super) struct Mistake {
    /// The section, from 1, where it is in one.
    pub(super) section: Option<usize>,
    /// The key or the value in it that is at fault, where one is.
    pub(super) word: Option<String>,
    /// In a sentence.
    pub(super) problem: String,
}

impl Mistake {
    fn outside(problem: impl ToString) -> Mistake {
        Mistake { section: None, word: None, problem: problem.to_string() }
    }

    fn inside(section: usize, problem: impl ToString) -> Mistake {
        Mistake { section: Some(section), ..Mistake::outside(problem) }
    }
}

/// Takes `input` and `layers` out of a recipe's table, and puts what they say in their place; without them nothing changes.
///
/// # Errors
/// A layer that does not parse, or what the sections and other keys both say.
pub(super) fn expand(table: &mut Table) -> Result<(), Mistake> {
    let [input, layers] = KEYS.map(|key| table.remove(key));
    if input.is_none() && layers.is_none() {
        return Ok(());
    }
    for key in ["arch", "activation", "dropout"] {
        if table.contains_key(key) {
            return Err(Mistake::outside(format!("`{key}` and `layers` say the same; leave one of them out")));
        }
    }
    let input = match input {
        Some(Value::String(input)) => input,
        Some(input) => {
            let must = "a text such as \"784\" or \"1x28x28\"".to_string();
            return Err(Mistake::outside(SpecError::Value {
                key: "input".to_string(),
                value: input.to_string(),
                must,
            }));
        }
        None => return Err(Mistake::outside(SpecError::Missing("input"))),
    };
    let Some(Value::Array(layers)) = layers else {
        let problem = "with `input`, layers follow, each in a section below a line [[layers]]";
        return Err(Mistake::outside(problem));
    };
    let mut arch = vec![input];
    let (mut activations, mut dropouts, mut last) = (Vec::new(), Vec::new(), None);
    for (number, layer) in (1..).zip(&layers) {
        let Value::Table(layer) = layer else {
            return Err(Mistake::inside(number, "a layer is a section [[layers]]"));
        };
        let section = settings::from_table(layer).map_err(|error| unread(number, layer, error))?;
        let (spec, of_units) = Section::read(section).map_err(|error| {
            let word = match &error {
                SettingError::Setting { key, .. } => key.strip_prefix("layers.").map(String::from),
                _ => None,
            };
            Mistake { word, ..Mistake::inside(number, error) }
        })?;
        arch.push(spec.to_string());
        if let Some((activation, dropout)) = of_units {
            activations.push(activation);
            dropouts.push(dropout);
            last = Some(number);
        }
    }
    // What comes out of the last layer is the logits.
    if let (Some(activation), Some(dropout), Some(last)) = (activations.pop(), dropouts.pop(), last)
        && (activation.is_some_and(|activation| activation != Activation::Identity) || dropout != 0.0)
    {
        let problem = "the last layer with weights gives the logits, which have neither activation nor dropout";
        return Err(Mistake::inside(last, problem));
    }
    let arch = arch.join("-");
    if let Err(error) = arch.parse::<Arch>() {
        // The input has no section, and is no layer.
        let number = arch.chars().take(error.column).filter(|&c| c == '-').count();
        return Err(Mistake { section: (number > 0).then_some(number), ..Mistake::outside(error) });
    }
    table.insert("arch".to_string(), arch.into());
    let names = activations.into_iter().map(|activation| activation.unwrap_or(Activation::Relu).name().into());
    set_per_layer(table, "activation", None, names.collect());
    set_per_layer(table, "dropout", Some(0.0.into()), dropouts.into_iter().map(Value::Float).collect());
    Ok(())
}

/// A section that is not one of a layer.
fn unread(number: usize, layer: &Table, error: SpecError) -> Mistake {
    let word = match &error {
        SpecError::Word { word, .. } => Some(word.clone()),
        SpecError::Key { key, .. } | SpecError::Value { key, .. } => Some(key.clone()),
        _ => None,
    };
    let is_batch_norm = layer.get("kind").and_then(Value::as_str) == Some("batch-norm");
    let problem = match &error {
        SpecError::Key { key, .. } if is_batch_norm && ["activation", "dropout"].contains(&key.as_str()) => {
            format!("`{key}` is a setting of the dense or convolutional layer before; it comes after the normalization")
        }
        error => error.to_string(),
    };
    Mistake { word, ..Mistake::inside(number, problem) }
}

/// Sets `key` to the one value of all hidden layers, as for any other depth, or to the list of them, behind that of the inputs.
fn set_per_layer(table: &mut Table, key: &str, of_inputs: Option<Value>, values: Vec<Value>) {
    let Some(first) = values.first() else { return };
    let value = if values.iter().all(|value| value == first) {
        first.clone()
    } else {
        Value::Array(of_inputs.into_iter().chain(values).collect())
    };
    table.insert(key.to_string(), value);
}

impl Section {
    /// The layer in the notation, and what is said of its units.
    fn read(self) -> Result<(LayerSpec, Option<Units>), SettingError> {
        let window = |size: usize, stride: usize, padding: usize| {
            let must = "a window has at least one row, and moves by at least one";
            SettingError::unless(size > 0, "layers.size", size, must)?;
            SettingError::unless(stride > 0, "layers.stride", stride, must)?;
            Ok(Window { size, stride, padding })
        };
        let units = |activation: Option<Activation>, dropout: f64| {
            check_dropout("layers.dropout", dropout)?;
            Ok(Some((activation, dropout)))
        };
        Ok(match self {
            Section::Dense { units: count, activation, dropout } => {
                (LayerSpec::Dense(count), units(activation, dropout)?)
            }
            Section::Conv { maps, kernel, stride, padding, activation, dropout } => {
                (LayerSpec::Conv(maps, window(kernel, stride.unwrap_or(1), padding)?), units(activation, dropout)?)
            }
            Section::MaxPool { size, stride, padding } => {
                (LayerSpec::MaxPool(window(size, stride.unwrap_or(size), padding)?), None)
            }
            Section::AvgPool { size, stride, padding } => {
                (LayerSpec::AvgPool(window(size, stride.unwrap_or(size), padding)?), None)
            }
            Section::GlobalAvgPool {} => (LayerSpec::GlobalAvgPool, None),
            Section::BatchNorm {} => (LayerSpec::BatchNorm, None),
        })
    }
}
