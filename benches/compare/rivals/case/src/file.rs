//! Reads the file that `gpunet bench --export` writes.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

/// Number of batches in a case. Steps use them in turn.
pub const BATCHES: usize = 4;

/// Examples and initial parameters.
pub struct Case {
    /// The batches that the steps use in turn.
    pub batches: Vec<Batch>,
    parameters: HashMap<String, Tensor>,
}

/// The examples of a step.
pub struct Batch {
    /// `[batch, features]`, from 0 to 1.
    pub images: Vec<f32>,
    /// `[batch]`.
    pub labels: Vec<u32>,
}

/// Values in row-major order, and their shape.
#[derive(Clone)]
pub struct Tensor {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

impl Case {
    /// Reads a case file with batches of this size.
    pub fn read(path: &str, batch: usize) -> Result<Case> {
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {path}"))?;
        let file = SafeTensors::deserialize(&bytes).with_context(|| format!("{path} is not a safetensors file"))?;
        let images: Vec<f32> = file.tensor("images")?.data().iter().map(|&byte| f32::from(byte) / 255.0).collect();
        let labels: Vec<u32> = numbers(&file.tensor("labels")?, Dtype::U32, u32::from_le_bytes)?;
        ensure!(
            labels.len() == BATCHES * batch,
            "{path} has {} examples instead of {BATCHES} batches of {batch}",
            labels.len()
        );
        let features = images.len() / labels.len();
        let batches = images.chunks(batch * features).zip(labels.chunks(batch));
        let batches = batches.map(|(images, labels)| Batch { images: images.to_vec(), labels: labels.to_vec() });
        let mut parameters = HashMap::new();
        for (name, view) in file.iter().filter(|(name, _)| name.starts_with("layers.")) {
            let values = numbers(&view, Dtype::F32, f32::from_le_bytes)?;
            parameters.insert(name.to_string(), Tensor { shape: view.shape().to_vec(), values });
        }
        Ok(Case { batches: batches.collect(), parameters })
    }

    /// A parameter in PyTorch's layout. Only layers with parameters are counted.
    pub fn parameter(&self, layer: usize, name: &str) -> Result<Tensor> {
        let name = format!("layers.{layer}.{name}");
        self.parameters.get(&name).cloned().with_context(|| format!("the case has no {name}"))
    }

    /// The bias of a dense or convolutional layer. A layer before batch normalization has none.
    pub fn bias(&self, layer: usize) -> Option<Tensor> {
        self.parameter(layer, "bias").ok()
    }
}

impl Tensor {
    /// A matrix with rows and columns exchanged: dense weights are `[out, in]` in the case.
    pub fn transposed(&self) -> Tensor {
        let [rows, columns] = self.shape[..] else { panic!("a matrix has two dimensions, not {:?}", self.shape) };
        let values = (0..columns).flat_map(|column| (0..rows).map(move |row| self.values[row * columns + column]));
        Tensor { shape: vec![columns, rows], values: values.collect() }
    }
}

fn numbers<T>(view: &TensorView, dtype: Dtype, read: impl Fn([u8; 4]) -> T) -> Result<Vec<T>> {
    ensure!(view.dtype() == dtype, "a tensor of the case is {:?} instead of {dtype:?}", view.dtype());
    let (numbers, _) = view.data().as_chunks::<4>();
    Ok(numbers.iter().map(|&bytes| read(bytes)).collect())
}
