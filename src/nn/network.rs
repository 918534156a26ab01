//! What a network is made of: sizes, activations, dropout, initial values.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, IntoDeserializer, Visitor};
use serde::{Deserialize, Serialize};

use crate::kernels::activation::Activation;
use crate::math::shape::Shape;
use crate::nn::arch::{Arch, LayerSpec};
use crate::nn::init::Init;
use crate::nn::layers::{BatchNorm, Conv, Dense, Dropout, Layer, Pool, Pooling, Reorder};
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
        let (specs, shapes) = (self.arch.layers(), self.arch.shapes());
        // Layers with weights before this one, and whether values are maps with the batch innermost.
        let (mut index, mut in_maps) = (0, false);
        for (number, (&spec, &input)) in specs.iter().zip(shapes).enumerate() {
            let takes_maps =
                !matches!((spec, input), (LayerSpec::Dense(_), _) | (LayerSpec::BatchNorm, Shape::Features(_)));
            let rate = if spec.has_weights() { self.dropout_before(index) } else { 0.0 };
            let features = input.len();
            // Dropout draws by features, in the order of images.
            if in_maps && (rate > 0.0 || !takes_maps) {
                layers.push(Box::new(Reorder { shape: input, flattens: true }));
                in_maps = false;
            }
            if rate > 0.0 {
                layers.push(Box::new(Dropout { features, site: index, rate }));
            }
            if takes_maps && !in_maps {
                layers.push(Box::new(Reorder { shape: input, flattens: false }));
                in_maps = true;
            }
            let normalized = specs.get(number + 1) == Some(&LayerSpec::BatchNorm);
            // What comes before a batch normalization is linear, and the activation is after it.
            let activation = |index: usize| if normalized { Activation::Identity } else { self.activation_of(index) };
            let (init, has_bias) = (self.init, !normalized);
            layers.push(match spec {
                LayerSpec::Dense(outputs) => {
                    Box::new(Dense { inputs: features, outputs, has_bias, activation: activation(index), init })
                }
                LayerSpec::Conv(maps, window) => {
                    Box::new(Conv { input, maps, window, has_bias, activation: activation(index), init })
                }
                LayerSpec::BatchNorm => Box::new(BatchNorm { shape: input, activation: self.activation_of(index - 1) }),
                LayerSpec::MaxPool(window) => Box::new(Pool { input, window: Some(window), pooling: Pooling::Max }),
                LayerSpec::AvgPool(window) => Box::new(Pool { input, window: Some(window), pooling: Pooling::Average }),
                LayerSpec::GlobalAvgPool => Box::new(Pool { input, window: None, pooling: Pooling::Average }),
            });
            index += usize::from(spec.has_weights());
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
