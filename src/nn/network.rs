//! What a network is made of: sizes, activations, dropout, initial values.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, IntoDeserializer, Visitor};
use serde::{Deserialize, Serialize};

use crate::kernels::activation::Activation;
use crate::math::shape::Shape;
use crate::nn::arch::Arch;
use crate::nn::init::Init;
use crate::nn::layers::{Dropout, Layer, Part, Place, Reorder};
use crate::settings::SettingError;

/// A setting of a network's layers: one for all, or a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum PerLayer<T> {
    /// The same everywhere.
    All(T),
    /// One a layer.
    Each(Vec<T>),
}

/// A description of a network, from which its layers are built.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// Layers and the shapes between them.
    pub arch: Arch,
    /// Of the hidden layers, in order.
    pub activation: PerLayer<Activation>,
    /// Probability to drop a value: of each hidden layer; a list begins with the inputs'.
    pub dropout: PerLayer<f64>,
    /// What weights start from; biases start from zero.
    pub init: Init,
}

impl From<Arch> for Network {
    /// ReLU on the hidden layers, He initialization, no dropout.
    fn from(arch: Arch) -> Network {
        let (activation, dropout) = (PerLayer::All(Activation::Relu), PerLayer::All(0.0));
        Network { arch, activation, dropout, init: Init::HE_NORMAL }
    }
}

impl Network {
    /// Checks that lists are as long as the network is deep, and rates are rates.
    ///
    /// # Errors
    /// The first setting that does not fit.
    pub fn check(&self) -> Result<(), SettingError> {
        let hidden = self.arch.hidden_layers();
        if let PerLayer::Each(list) = &self.activation
            && list.len() != hidden
        {
            let why = format!("{} activations for {hidden} hidden layers", list.len());
            return Err(SettingError::Contradiction { keys: ["activation", "arch"], why });
        }
        if let PerLayer::Each(list) = &self.dropout
            && list.len() != hidden + 1
        {
            let why = format!("{} rates for the inputs and {hidden} hidden layers, {} in all", list.len(), hidden + 1);
            return Err(SettingError::Contradiction { keys: ["dropout", "arch"], why });
        }
        let rates = match &self.dropout {
            PerLayer::All(rate) => std::slice::from_ref(rate),
            PerLayer::Each(rates) => rates,
        };
        rates.iter().try_for_each(|&rate| check_dropout("dropout", rate))
    }

    /// The layers in order. Panics where [`Network::check`] would refuse.
    pub(crate) fn layers(&self) -> Vec<Box<dyn Layer>> {
        let mut layers: Vec<Box<dyn Layer>> = Vec::new();
        let written = self.arch.layers();
        // Layers with weights up to this one, and whether values are maps with the batch innermost.
        let (mut weights, mut in_maps) = (0, false);
        for (number, (layer, &input)) in written.iter().zip(self.arch.shapes()).enumerate() {
            let has_weights = layer.part() == Part::Weights;
            let rate = if has_weights { self.dropout_before(weights) } else { 0.0 };
            // Dropout draws by features, in the order of images.
            if in_maps && (rate > 0.0 || !layer.takes_maps()) {
                layers.push(Box::new(Reorder { shape: input, flattens: true }));
                in_maps = false;
            }
            if rate > 0.0 {
                layers.push(Box::new(Dropout { features: input.len(), site: weights, rate }));
            }
            if layer.takes_maps() && !in_maps {
                layers.push(Box::new(Reorder { shape: input, flattens: false }));
                in_maps = true;
            }
            weights += usize::from(has_weights);
            // What comes before a normalization is linear, and the activation is after it.
            let is_normalized = written.get(number + 1).is_some_and(|next| next.part() == Part::Normalization);
            let is_activated = layer.part() != Part::Other && !is_normalized;
            let activation = if is_activated { self.activation_of(weights - 1) } else { Activation::Identity };
            layers.push(layer.placed(Place { activation, has_bias: !is_normalized, init: self.init }));
        }
        if in_maps {
            layers.push(Box::new(Reorder { shape: Shape::Features(self.arch.outputs()), flattens: true }));
        }
        layers
    }

    /// What is applied to the pre-activations of weight layer `index`: to logits nothing.
    fn activation_of(&self, index: usize) -> Activation {
        match &self.activation {
            _ if index == self.arch.hidden_layers() => Activation::Identity,
            PerLayer::All(activation) => *activation,
            PerLayer::Each(list) => list[index],
        }
    }

    /// Probability to drop a value of the inputs of weight layer `index`.
    fn dropout_before(&self, index: usize) -> f64 {
        match &self.dropout {
            PerLayer::All(_) if index == 0 => 0.0,
            PerLayer::All(rate) => *rate,
            PerLayer::Each(rates) => rates[index],
        }
    }
}

/// Checks a probability to drop a value.
///
/// # Errors
/// One that is none, of the setting `key`.
pub(crate) fn check_dropout(key: &'static str, rate: f64) -> Result<(), SettingError> {
    let must = "the probability to drop a value lies from 0 up to but below 1";
    SettingError::unless((0.0..1.0).contains(&rate), key, rate, must)
}

/// By hand, since an untagged enum forgets what was wrong with a value.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for PerLayer<T> {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<PerLayer<T>, D::Error> {
        deserializer.deserialize_any(OneOrList(PhantomData))
    }
}

struct OneOrList<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrList<T> {
    type Value = PerLayer<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one value, or a list of them")
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<PerLayer<T>, E> {
        T::deserialize(value.into_deserializer()).map(PerLayer::All)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<PerLayer<T>, E> {
        T::deserialize(value.into_deserializer()).map(PerLayer::All)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<PerLayer<T>, E> {
        T::deserialize(value.into_deserializer()).map(PerLayer::All)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<PerLayer<T>, E> {
        T::deserialize(value.into_deserializer()).map(PerLayer::All)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, list: A) -> Result<PerLayer<T>, A::Error> {
        Vec::deserialize(de::value::SeqAccessDeserializer::new(list)).map(PerLayer::Each)
    }
}
