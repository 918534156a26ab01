//! Networks layer by layer: the sections `[[layers]]` of a recipe, another way to write `arch`, `activation` and
//! `dropout`.

use serde::Deserialize;
use toml::{Table, Value};

use super::SettingError;
use crate::kernels::activation::Activation;
use crate::nn::arch::Arch;
use crate::nn::layers::{KINDS, Kind, Part, SectionError};
use crate::nn::network::check_dropout;
use crate::settings::{self, SpecError};

/// The key of the input's shape, and that of the layers.
pub(super) const KEYS: [&str; 2] = ["input", "layers"];

/// What a section says of the units of a layer with weights, beside the layer's own settings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Units {
    activation: Option<Activation>,
    #[serde(default)]
    dropout: f64,
}

/// The keys of [`Units`], and the key that says what layer it is.
const OF_UNITS: [&str; 2] = ["activation", "dropout"];
const KIND: &str = "kind";

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

/// Takes `input` and `layers` out of a recipe's table, and puts what they say in their place; without them nothing
/// changes.
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
        let (token, units) = read(layer).map_err(|error| unread(number, layer, error))?;
        arch.push(token);
        if let Some(Units { activation, dropout }) = units {
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

/// The layer of a section in the notation, and what the section says of its units.
fn read(section: &Table) -> Result<(String, Option<Units>), SectionError> {
    let kind = kind_of(section)?;
    let (mut own, mut of_units) = (section.clone(), Table::new());
    own.remove(KIND);
    if kind.part == Part::Weights {
        of_units.extend(OF_UNITS.iter().filter_map(|&key| own.remove_entry(key)));
    }
    let token = (kind.token_of_section)(&own).map_err(|error| match error {
        SectionError::Spec(error) if kind.part == Part::Weights => {
            OF_UNITS.iter().fold(error, |error, key| error.or_key(key)).into()
        }
        error => error,
    })?;
    let units: Units = settings::from_table(&of_units)?;
    check_dropout("layers.dropout", units.dropout)?;
    Ok((token, (kind.part == Part::Weights).then_some(units)))
}

/// The kind of layer that a section names.
fn kind_of(section: &Table) -> Result<&'static Kind, SpecError> {
    let value = section.get(KIND).ok_or(SpecError::Missing(KIND))?;
    let Some(word) = value.as_str() else {
        let must = "the name of a layer, such as \"dense\"".to_string();
        return Err(SpecError::Value { key: KIND.to_string(), value: value.to_string(), must });
    };
    let known = || KINDS.iter().map(|kind| kind.name).collect();
    let kind = KINDS.iter().find(|kind| kind.name == word);
    kind.ok_or_else(|| SpecError::Word { word: word.to_string(), known: known() })
}

/// What is wrong with a section, and where.
fn unread(number: usize, section: &Table, error: SectionError) -> Mistake {
    let word = match &error {
        SectionError::Spec(SpecError::Word { word, .. }) => Some(word.clone()),
        SectionError::Spec(SpecError::Key { key, .. } | SpecError::Value { key, .. }) => Some(key.clone()),
        SectionError::Setting(SettingError::Setting { key, .. }) => key.strip_prefix("layers.").map(String::from),
        _ => None,
    };
    let is_normalization = kind_of(section).is_ok_and(|kind| kind.part == Part::Normalization);
    let problem = match &error {
        SectionError::Spec(SpecError::Key { key, .. }) if is_normalization && OF_UNITS.contains(&key.as_str()) => {
            format!("`{key}` is a setting of the dense or convolutional layer before; it comes after the normalization")
        }
        error => error.to_string(),
    };
    Mistake { word, ..Mistake::inside(number, problem) }
}

/// Sets `key` to the one value of all hidden layers, as for any other depth, or to the list of them, behind that of the
/// inputs.
fn set_per_layer(table: &mut Table, key: &str, of_inputs: Option<Value>, values: Vec<Value>) {
    let Some(first) = values.first() else { return };
    let value = if values.iter().all(|value| value == first) {
        first.clone()
    } else {
        Value::Array(of_inputs.into_iter().chain(values).collect())
    };
    table.insert(key.to_string(), value);
}
