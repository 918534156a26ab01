//! Networks layer by layer: the sections `[[layers]]` of a recipe, another way to write `arch`, `activation` and `dropout`.

use serde::Deserialize;
use toml::{Table, Value};

use super::ConfigError;
use crate::activation::Activation;
use crate::arch::{LayerSpec, Window};
use crate::spec::{self, SpecError};

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

/// Takes `input` and `layers` out of a recipe's table, and puts what they say in their place; without them nothing changes.
///
/// # Errors
/// A layer that does not parse, with its number from 1; or what the sections and other keys both say.
pub(super) fn expand(table: &mut Table) -> Result<(), (Option<usize>, SpecError)> {
    let [input, layers] = KEYS.map(|key| table.remove(key));
    let (input, layers) = match (input, layers) {
        (None, None) => return Ok(()),
        (Some(input), Some(Value::Array(layers))) => (input, layers),
        (Some(_), _) => return Err((None, SpecError::Missing("layers"))),
        (None, _) => return Err((None, SpecError::Missing("input"))),
    };
    for key in ["arch", "activation", "dropout"] {
        if table.contains_key(key) {
            return Err((None, SpecError::Other(format!("`{key}` and `layers` say the same; leave one of them out"))));
        }
    }
    let Value::String(input) = input else {
        let must = "a text such as \"784\" or \"1x28x28\"".to_string();
        return Err((None, SpecError::Value { key: "input".to_string(), value: input.to_string(), must }));
    };
    let mut arch = vec![input];
    let (mut activations, mut dropouts) = (Vec::new(), Vec::new());
    for (number, layer) in (1..).zip(&layers) {
        let fault = |error: SpecError| (Some(number), error);
        let Value::Table(layer) = layer else {
            return Err(fault(SpecError::Other("a layer is a section [[layers]]".to_string())));
        };
        let section: Section = spec::from_table(layer).map_err(fault)?;
        let (spec, of_units) = section.read().map_err(|error| fault(SpecError::Other(error.to_string())))?;
        arch.push(spec.to_string());
        if let Some((activation, dropout)) = of_units {
            activations.push(activation);
            dropouts.push(dropout);
        }
    }
    // What comes out of the last layer is the logits.
    if let (Some(activation), Some(dropout)) = (activations.pop(), dropouts.pop())
        && (activation.is_some_and(|activation| activation != Activation::Identity) || dropout != 0.0)
    {
        let problem = "the last layer with weights gives the logits, which have neither activation nor dropout";
        return Err((Some(layers.len()), SpecError::Other(problem.to_string())));
    }
    let names = activations.into_iter().map(|activation| activation.unwrap_or(Activation::Relu).name().into());
    table.insert("arch".to_string(), arch.join("-").into());
    table.insert("activation".to_string(), Value::Array(names.collect()));
    if dropouts.iter().any(|&dropout| dropout != 0.0) {
        let rates = [0.0].into_iter().chain(dropouts).map(Value::Float);
        table.insert("dropout".to_string(), Value::Array(rates.collect()));
    }
    Ok(())
}

impl Section {
    /// The layer in the notation, and what is said of its units.
    fn read(self) -> Result<(LayerSpec, Option<Units>), ConfigError> {
        let window = |size: usize, stride: usize, padding: usize| {
            let must = "a window has at least one row, and moves by at least one";
            ConfigError::unless(size > 0, "layers.size", size, must)?;
            ConfigError::unless(stride > 0, "layers.stride", stride, must)?;
            Ok(Window { size, stride, padding })
        };
        Ok(match self {
            Section::Dense { units, activation, dropout } => (LayerSpec::Dense(units), Some((activation, dropout))),
            Section::Conv { maps, kernel, stride, padding, activation, dropout } => {
                (LayerSpec::Conv(maps, window(kernel, stride.unwrap_or(1), padding)?), Some((activation, dropout)))
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
