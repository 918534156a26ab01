//! `model.safetensors`: parameters in PyTorch's layout and, under the metadata key `gpunet`, all else that the model needs.

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::data::{DataError, FeatureType, Normalization, Split};
use crate::files::{FileError, write_file};
use crate::kernels::activation::Activation;
use crate::kernels::precision::Precision;
use crate::nn::arch::Arch;
use crate::nn::loss::Loss;
use crate::nn::model::Model;
use crate::nn::network::{Network, PerLayer};

/// The version of the metadata that this program writes, and the newest it reads.
const FORMAT_VERSION: u32 = 1;

/// The metadata key.
const KEY: &str = "gpunet";

/// What a model needs besides its parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelMetadata {
    /// Version of this structure.
    pub format_version: u32,
    /// Layers and the shapes between them.
    pub arch: Arch,
    /// Activation of the hidden layers: one for all, or a list in their order.
    pub activation: PerLayer<Activation>,
    /// What the features of an example are.
    #[serde(default, skip_serializing_if = "is_default")]
    pub features: FeatureType,
    /// How they become inputs.
    pub normalization: Normalization,
    /// Class names, in the order of the outputs.
    pub classes: Vec<String>,
    /// The data set it was trained on.
    pub trained_on: String,
    /// How that was parted, where its test part is not the data set's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// The loss that evaluation reports. Files from before there was a choice do not name it.
    #[serde(default)]
    pub loss: Loss,
    /// What activations are stored as, and how products are made, where it is evaluated: as in training. Parameters are f32 in any.
    #[serde(default)]
    pub precision: Precision,
}

impl ModelMetadata {
    /// Metadata of a model with ReLU on the hidden layers, trained by softmax cross-entropy.
    pub fn new(arch: Arch, normalization: Normalization, classes: Vec<String>, trained_on: String) -> ModelMetadata {
        let activation = PerLayer::All(Activation::Relu);
        ModelMetadata {
            format_version: FORMAT_VERSION,
            arch,
            activation,
            features: FeatureType::Bytes,
            normalization,
            classes,
            trained_on,
            loss: Loss::default(),
            split: None,
            precision: Precision::F32,
        }
    }

    /// Checks that examples have the features that the model takes.
    ///
    /// # Errors
    /// [`DataError::FeatureType`], which names both.
    pub fn check_features(&self, found: FeatureType) -> Result<(), DataError> {
        if found == self.features {
            return Ok(());
        }
        Err(DataError::FeatureType { wanted: self.features.name(), found: found.name() })
    }

    /// The network, without what only training needs.
    pub fn network(&self) -> Network {
        Network { activation: self.activation.clone(), ..self.arch.clone().into() }
    }
}

/// A model as a file holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedModel {
    /// All but the parameters.
    pub metadata: ModelMetadata,
    /// Values in the order of [`Model::parameters`].
    pub parameters: Vec<Vec<f32>>,
}

impl SavedModel {
    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// A file that cannot be written, or parameters that are not those of the architecture or not finite.
    pub fn save(&self, path: &Path) -> Result<(), StoreError> {
        Ok(write_file(path, &self.to_bytes(path)?)?)
    }

    /// The file's content; `path` is for errors. The same model gives the same bytes.
    pub(super) fn to_bytes(&self, path: &Path) -> Result<Vec<u8>, StoreError> {
        let internal = |error: String| FileError::new("write", path)(std::io::Error::other(error));
        let expected = Model::of(&self.metadata.network()).parameters();
        if self.parameters.len() != expected.len() || !self.parameters.iter().flatten().all(|value| value.is_finite()) {
            return Err(internal("its parameters are not all there, or not all finite".to_string()).into());
        }
        let json = serde_json::to_string(&self.metadata).map_err(|error| internal(error.to_string()))?;
        let mut tensors = Vec::new();
        for ((name, parameter), values) in expected.into_iter().zip(&self.parameters) {
            let view = TensorView::new(Dtype::F32, parameter.shape, bytemuck::cast_slice(values));
            tensors.push((name, view.map_err(|error| internal(error.to_string()))?));
        }
        // One key only: the crate writes metadata in the order of a hash map.
        let metadata = HashMap::from([(KEY.to_string(), json)]);
        Ok(safetensors::serialize(tensors, Some(metadata)).map_err(|error| internal(error.to_string()))?)
    }

    /// Reads and checks a file: every tensor of the architecture is there, of its shape and finite.
    ///
    /// # Errors
    /// A file that cannot be read or is no model of ours.
    pub fn load(path: &Path) -> Result<SavedModel, StoreError> {
        let bytes = std::fs::read(path).map_err(FileError::new("read", path))?;
        parse(&bytes).map_err(|problem| StoreError::BadModel { path: path.to_path_buf(), problem })
    }
}

fn parse(bytes: &[u8]) -> Result<SavedModel, String> {
    let unreadable = |error| format!("it is not a sound safetensors file ({error})");
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(unreadable)?;
    let tensors = SafeTensors::deserialize(bytes).map_err(unreadable)?;
    let json = header.metadata().as_ref().and_then(|metadata| metadata.get(KEY));
    let json = json.ok_or_else(|| format!("its metadata has no key `{KEY}`"))?;
    let version: Version =
        serde_json::from_str(json).map_err(|error| format!("its metadata does not parse ({error})"))?;
    if version.format_version > FORMAT_VERSION {
        return Err(format!(
            "it has format version {}, newer than the {FORMAT_VERSION} of this program",
            version.format_version
        ));
    }
    let metadata: ModelMetadata =
        serde_json::from_str(json).map_err(|error| format!("its metadata does not parse ({error})"))?;
    metadata.network().check().map_err(|error| error.to_string())?;
    if metadata.classes.len() != metadata.arch.outputs() {
        let (names, outputs) = (metadata.classes.len(), metadata.arch.outputs());
        return Err(format!("it names {names} classes for {outputs} outputs"));
    }
    if let Some(problem) = metadata.normalization.problem(metadata.arch.inputs()) {
        return Err(problem);
    }
    metadata.loss.check().map_err(|error| error.to_string())?;
    let mut parameters = Vec::new();
    for (name, parameter) in Model::of(&metadata.network()).parameters() {
        let tensor = tensors.tensor(&name).map_err(|_| format!("tensor {name} is missing"))?;
        if tensor.dtype() != Dtype::F32 || tensor.shape() != parameter.shape {
            let (dtype, shape, wanted) = (tensor.dtype(), tensor.shape(), parameter.shape);
            return Err(format!("tensor {name} is {dtype:?} {shape:?} instead of F32 {wanted:?}"));
        }
        let values: Vec<f32> = bytemuck::pod_collect_to_vec(tensor.data());
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            return Err(format!("value {index} of tensor {name} is {}", values[index]));
        }
        parameters.push(values);
    }
    Ok(SavedModel { metadata, parameters })
}

/// Models of bytes do not say so, as those from before there were others.
fn is_default(features: &FeatureType) -> bool {
    *features == FeatureType::default()
}

/// Read before the rest, since the rest may have changed by then.
#[derive(Deserialize)]
struct Version {
    format_version: u32,
}
